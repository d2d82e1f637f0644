"""The stages, in the order in which they run."""

from __future__ import annotations

from driver.pipeline.stage import Stage
from driver.results import merge, render
from driver.stages import (
    annotate,
    classify,
    cluster,
    count,
    duplicates,
    explore,
    extract,
    fetch,
    fit,
    index,
    ingest,
    plan,
    rank,
    recall,
    vectors,
)

__all__ = ["STAGE_TABLE"]

MODULES = (
    *(plan, ingest, fetch, extract, explore, annotate),
    *(fit, classify, vectors, cluster, index, recall, count, rank),
    *(duplicates, merge, render),
)
STAGE_TABLE: tuple[Stage, ...] = tuple(module.STAGE for module in MODULES)
