"""Serve a finished workspace over HTTP: an API and a page, which change nothing (docs/serve.md)."""
