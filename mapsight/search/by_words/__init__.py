"""Queries in words: what they mean here, and how their answers rank."""
