"""The names of a workspace's stages, in the order in which they run."""

__all__ = ["STAGES"]

STAGES = (
    *("plan", "ingest", "fetch", "extract", "explore", "annotate"),
    *("fit", "classify", "vectors", "cluster", "index", "recall", "count", "rank"),
    *("duplicates", "merge", "render"),
)
