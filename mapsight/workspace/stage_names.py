"""The names of a workspace's stages, in the order in which they run, and where shards are."""

__all__ = ["ADDITION_STAGES", "FETCHED", "SHARDS", "STAGES", "STAGE_NAMES"]

STAGES = (
    *("plan", "ingest", "fetch", "extract", "explore", "annotate"),
    *("fit", "classify", "vectors", "cluster", "index", "recall", "count", "rank"),
    *("duplicates", "merge", "render"),
)

FETCHED = "fetched"
"""The folder of the workspace that keeps fetched pictures from run to run."""
SHARDS = {"ingest": "ingest", "fetch": FETCHED}
"""The folder that a stage's shards are in, by stage."""
STAGE_NAMES = frozenset(STAGES)
ADDITION_STAGES = frozenset(("known",))
"""Stages that additions to an index have beside those."""
