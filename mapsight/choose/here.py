"""Choosing in this process what a job would choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from mapsight.choose.candidates import Candidates
from mapsight.choose.cores import Row, SpreadPlan, core_rows, spread_group
from mapsight.index.rows import Block
from mapsight.search.probe_plan import blocks_of
from mapsight.search.search_index import SearchIndex

__all__ = ["blocks_with", "plain_d", "spread_here"]


def plain_d(index: SearchIndex) -> int:
    """Return how many numbers of vectors are the embedding's, which are compared."""
    return index.facts.plain_d


def blocks_with(index: SearchIndex, candidates: pa.Table) -> list[Block]:
    """Return the blocks of the cells that have candidates, as they lie in files."""
    return blocks_of(index.blocks, np.unique(candidates.column("cell").to_numpy()).tolist())


def spread_here(
    index: SearchIndex, candidates: pa.Table, quotas: Sequence[int], sizes: Sequence[int], seed: int
) -> Mapping[int, Sequence[str]]:
    """Return the ids that are chosen of each group. Memory: the cores of all groups."""
    plan = SpreadPlan(quotas, sizes, plain_d(index), seed)
    among = Candidates(candidates)
    cores: dict[int, list[Row]] = {}
    for block, batch in index.batches(blocks_with(index, candidates)):
        for group, row in core_rows(block, batch, among, plan):
            cores.setdefault(group, []).append(row)
    return {group: spread_group(group, sorted(rows), plan) for group, rows in cores.items()}
