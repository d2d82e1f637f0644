"""When a label is not sure: for filters, lists and the report alike."""

__all__ = ["UNSURE"]

UNSURE = 0.5
"""A label whose score is below this is not sure."""
