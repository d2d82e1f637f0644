"""Stages: each with its job, its options and what it does."""
