"""Answering queries of the command line."""
