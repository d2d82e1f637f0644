"""How cells are learned: how many, of how many pictures, in how many numbers, and in which tasks.

Needs no numpy: a run that has nothing to do asks it too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mapsight.workspace.index_facts import KMeansStep

__all__ = [
    "AXES_ROWS",
    "MAX_CELLS",
    "PROJECTED",
    "PROJECT_FROM",
    "SAMPLE_BYTES",
    "TRAIN_PER_CELL",
    "Lesson",
    "cells_for",
    "converging",
    "share_below",
]

MAX_CELLS = 16_384
"""More would need more memory in a task: 200 MB for 16,384 cells of 1,032 dimensions."""
TRAIN_PER_CELL = 128
"""Pictures a cell that k-means learns from; faiss warns below 39 and takes 256 at most."""
CELLS_PER_ROOT = 6.0
LEAST_PER_CELL = 16
SAMPLE_BYTES = 192 << 20
"""Of the sample in a task that makes all iterations: 2,048 cells of up to 384 numbers."""
PROJECT_FROM = 4096
"""Fewer pictures have few cells: finding the axes would take longer than it saves."""
AXES_ROWS = 8192
PROJECTED = 256
"""Numbers that are left of an embedding: recall is that of all 1,024 from 8 cells on."""
ORDERS = 1 << 64


def cells_for(pictures: int) -> int:
    """k: the power of two nearest to 6·√n, at most MAX_CELLS, and n / 16 or more pictures a cell.

    >>> cells_for(10), cells_for(983), cells_for(100_000), cells_for(9_000_000)
    (1, 32, 2048, 16384)
    """
    most = min(MAX_CELLS, pictures // LEAST_PER_CELL)
    if most < 1:
        return 1
    wanted = round(math.log2(CELLS_PER_ROOT * math.sqrt(pictures)))
    return 2 ** min(wanted, most.bit_length() - 1)


def converging(history: Sequence[KMeansStep], iterations: int, tolerance: float) -> bool:
    """Return whether k-means goes on: neither settled nor at the last iteration.

    Args:
        history: of all iterations so far.
        tolerance: share by which the inertia has to improve.
    """
    if len(history) >= iterations:
        return False
    if len(history) < 2:
        return not history or history[-1].shift > 0
    before, after = history[-2].inertia, history[-1].inertia
    return history[-1].shift > 0 and before - after > tolerance * before


@dataclass(frozen=True)
class Lesson:
    """How many cells are made of how many pictures.

    Args:
        rows: pictures.
        cells: k.
        d: numbers of a vector. plain_d: of them those of the embedding, which come first.
    """

    rows: int
    cells: int
    d: int
    plain_d: int

    @property
    def projected(self) -> int:
        """Return how many numbers are left of an embedding; 0 where it stays as it is."""
        few = self.rows < PROJECT_FROM or self.plain_d <= PROJECTED
        return 0 if few else PROJECTED

    @property
    def sample(self) -> int:
        """Return about how many pictures are learned from."""
        return min(self.rows, max(TRAIN_PER_CELL * self.cells, AXES_ROWS))

    @property
    def in_one_task(self) -> bool:
        """Return whether the sample fits into the memory of a task."""
        numbers = self.d - self.plain_d + self.projected if self.projected else self.d
        return 2 * numbers * self.sample <= SAMPLE_BYTES

    @property
    def below(self) -> int:
        """Return the order below which the sample is."""
        return share_below(self.sample, self.rows)

    @property
    def seeds_below(self) -> int:
        """Return the order below which seeds are found."""
        wanted = max(2 * self.cells + 64, AXES_ROWS)
        return min(self.below, share_below(wanted, self.rows))

    @property
    def axes_below(self) -> int:
        """Return the order below which the rows are that axes are found from; 0 for none."""
        return share_below(AXES_ROWS, self.rows) if self.projected else 0


def share_below(wanted: int, pictures: int) -> int:
    """Return the `order` below which about `wanted` of so many pictures are; 2**64 for all."""
    return ORDERS if wanted >= pictures else ORDERS * wanted // pictures
