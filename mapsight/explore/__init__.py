"""Exploration: statistics of metadata."""
