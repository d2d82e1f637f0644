"""Choosing in two rounds: a core of every block of the index, then the best of all cores.

Each block gives, of every group, the rows that farthest-first takes of it, as many as its share of
CORE; one reducer a group takes farthest-first of those (composable core-sets: P. Indyk and others,
PODS 2014; G. Malkomes and others, NeurIPS 2015). A group of
CORE rows or fewer is its own core: what is chosen of it is what one process would choose of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.choose.candidates import NO_GROUP, Candidates, drawn
from mapsight.choose.spread import farthest_first
from mapsight.index.rows import Block, orders, whole_vectors
from mapsight.records import decode_vector, encode_vector

__all__ = ["CORE", "MOST_SPREAD", "SpreadPlan", "core_rows", "spread_group"]

CORE = 16_384
"""Rows of a group that its reducer compares: 128 MiB of 1,024 dimensions."""
MOST_SPREAD = 8_192
"""Pictures to be chosen of a group."""

Row = list[Any]
"""Place in the random order as 20 digits, image_id, vector as text."""


@dataclass(frozen=True)
class SpreadPlan:
    """What is to be chosen.

    Args:
        quotas: of each group, by its number.
        sizes: candidates of each group.
        d: how many numbers of vectors count.
        seed: of the random order; the first in it of a group is chosen first.
    """

    quotas: Sequence[int]
    sizes: Sequence[int]
    d: int
    seed: int = 0

    def core_of(self, group: int, rows: int) -> int:
        """Return how many of so many rows of a group are compared with those of other blocks."""
        size = self.sizes[group]
        return rows if size <= CORE else -(-rows * CORE // size)


def core_rows(
    block: Block, batch: pa.RecordBatch, candidates: Candidates, plan: SpreadPlan
) -> Iterator[tuple[int, Row]]:
    """Yield (group, row) of the core of a block. Memory: the block, and 8 bytes a number."""
    places = orders(batch)
    groups = candidates.groups(block.cell, places)
    ranked = drawn(places, plan.seed)
    x = whole_vectors(batch)[:, : plan.d] if (groups != NO_GROUP).any() else np.zeros((0, 0))
    ids = batch.column("image_id")
    for group in np.unique(groups[groups != NO_GROUP]).tolist():
        rows = np.flatnonzero(groups == group)
        rows = rows[np.argsort(ranked[rows], kind="stable")]
        most = plan.core_of(group, len(rows))
        core = rows if most >= len(rows) else rows[farthest_first(x[rows], most)]
        for row in core.tolist():
            yield group, [f"{ranked[row]:020d}", ids[row].as_py(), encode_vector(x[row])]


def spread_group(group: int, rows: Iterable[Row], plan: SpreadPlan) -> list[str]:
    """Return the ids that are chosen of a group, in the order in which they were.

    Memory: its rows, CORE and one for each block that has some, 10 bytes a number.

    Args:
        rows: of the cores, sorted.
    """
    ids, vectors = [], []
    for _, image_id, vector in rows:
        ids.append(image_id)
        vectors.append(decode_vector(vector))
    return [ids[i] for i in farthest_first(np.stack(vectors), plan.quotas[group]).tolist()]
