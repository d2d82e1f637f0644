"""Capacity: what a run would cost, worked out before it."""
