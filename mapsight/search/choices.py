"""What can be asked of a search: names and limits, for the command line and for Python."""

__all__ = [
    "BY",
    "FEATURES",
    "INDEX_ONLY",
    "MAX_TOP_K",
    "NEAR_COPIES",
    "NEW",
    "PLAIN",
    "RANKS",
    "READ_LIMIT",
    "STYLES",
    "TARGET_RECALL",
]

BY = ("index", "features", "label")
NEW, PLAIN = FEATURES = ("new", "plain")
"""Embeddings joined with label scores (where a head was fitted), and embeddings alone."""
INDEX_ONLY = (*("features", "probe", "recall", "rank_by", "mean", "near_copies"),)
"""Options of a search by the index alone."""
MAX_TOP_K = 10_000
READ_LIMIT = 256
"""MiB of cells that the command reads itself; docs/search.md says what that takes."""
NEAR_COPIES = ("fold", "show")
RANKS = ("score", "ppi", "diverse")
STYLES = ("same", "photo", "drawing", "any")
TARGET_RECALL = 0.95
"""The share of the true ten best that a search finds if none is asked for."""
