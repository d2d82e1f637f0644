"""What cells are learned from: a sample by hash, its projection, and seeds; whole, in one process.

Where the sample fits into the memory of a task, all iterations are made there, by the sums of
`mapsight.index.kmeans` that tasks make together where it does not: the centres are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from mapsight.index.kmeans import CellSums, improved, summed
from mapsight.index.lesson import converging
from mapsight.index.nearest import Centres
from mapsight.index.projection import AXIS, Projection
from mapsight.index.rows import vectors_below
from mapsight.labels.head import UNIT
from mapsight.labels.solve import principal
from mapsight.records import decode_vector, encode_vector
from mapsight.workspace.index_facts import KMeansStep

__all__ = ["Training", "learned", "principal_axes", "sample_of"]

BLOCK = 2048

Batch = tuple[str, str, str]
"""FIRST or OTHERS, and orders (uint64) and vectors (int16) of some rows, by `encode_vector`."""
FIRST, OTHERS = "1", "2"
"""Rows that axes are found from, which sort before those that are projected at once."""


def sample_of(uri: str, below: int, axes_below: int) -> Iterator[Batch]:
    """Yield the rows of a file whose order is lower, batch by batch; first or others by theirs."""
    for orders, x in vectors_below(uri, below):
        first = np.array([order < axes_below for order in orders.tolist()])
        for kind, chosen in ((FIRST, first), (OTHERS, ~first)):
            if chosen.any():
                yield kind, encode_vector(orders[chosen]), encode_vector(x[chosen])


def principal_axes(x: np.ndarray, p: int) -> np.ndarray:
    """Return the first p principal components of embeddings: (p, d) int16, of length AXIS.

    Args:
        x: (n, d) int16, up to some ten thousand; their sums are exact in float64.
    """
    real = x.astype(np.float64)
    gram, total = real.T @ real, real.sum(axis=0)
    rows, _ = principal(gram / (len(x) * UNIT**2), total / (len(x) * UNIT), p)
    return np.rint(rows * AXIS).astype(np.int16)


@dataclass(frozen=True)
class Training:
    """The rows of a sample, in fewer numbers where they are projected.

    Memory: these, and while they are read those that axes are found from.

    Args:
        orders: (n,) uint64, of all rows.
        blocks: rows: (BLOCK or more, d) int16 each; the last may have fewer.
    """

    orders: np.ndarray
    blocks: Sequence[np.ndarray]
    projection: Projection | None

    @classmethod
    def of(cls, batches: Iterable[Batch], projected: int, plain_d: int) -> Training:
        """Return what is trained with of batches that are sorted.

        Args:
            projected: numbers that are left of an embedding; 0 for all.
            plain_d: numbers of an embedding.
        """
        orders: list[np.ndarray] = []
        projection: Projection | None = None
        gathered = _Blocks()
        for kind, some in groupby(batches, key=lambda batch: batch[0]):
            parts: Iterable[tuple[np.ndarray, np.ndarray]] = map(_decoded, some)
            if kind == FIRST:
                parts = list(parts)
                first = np.concatenate([x[:, :plain_d] for _, x in parts])
                projection = Projection(principal_axes(first, projected))
            for numbers, x in parts:
                orders.append(numbers)
                gathered.add(projection(x) if projection else x)
        return cls(np.concatenate(orders), gathered.all(), projection)

    def axes(self) -> Iterator[tuple[str, str]]:
        """Yield ("axis", vector) of each row of the projection."""
        for axis in self.projection.axes if self.projection else ():
            yield "axis", encode_vector(axis)

    def seeds(self, k: int) -> np.ndarray:
        """Return the k rows of lowest order that differ: (k or fewer, d) int16."""
        ends = np.cumsum([len(x) for x in self.blocks])
        seeds: dict[bytes, np.ndarray] = {}
        for place in np.argsort(self.orders, kind="stable").tolist():
            block = int(np.searchsorted(ends, place, side="right"))
            vector = self.blocks[block][place - ends[block]]
            seeds.setdefault(vector.tobytes(), vector)
            if len(seeds) == k:
                break
        return np.stack(list(seeds.values()))


def _decoded(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    _, orders, vectors = batch
    numbers = decode_vector(orders, "<u8")
    return numbers, decode_vector(vectors).reshape(len(numbers), -1)


class _Blocks:
    """Joins parts to blocks: many rows are compared at once sooner than few."""

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._parts: list[np.ndarray] = []

    def add(self, x: np.ndarray) -> None:
        self._parts.append(x)
        if sum(map(len, self._parts)) >= BLOCK:
            self._join()

    def _join(self) -> None:
        self._blocks.append(np.concatenate(self._parts))
        self._parts = []

    def all(self) -> list[np.ndarray]:
        if self._parts:
            self._join()
        return self._blocks


@dataclass
class _Progress:
    centres: np.ndarray
    history: list[KMeansStep] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def iterate(self, blocks: Iterable[np.ndarray]) -> None:
        sums = CellSums(Centres(self.centres))
        for x in blocks:
            sums.add(x)
        records = (summed(sums.centres, key, [value]) for key, value in sums.items())
        self.centres, self.counts, step = improved(self.centres, records)
        self.history.append(step)


def learned(
    training: Training, k: int, iterations: int, tolerance: float
) -> Iterator[tuple[str, Any]]:
    """Make all iterations in this process.

    Yields:
        ("step", fields of a KMeansStep) after each, then ("centre",
        vector) of each cell by number, and ("counts", pictures of each).

    Memory: the sample, and k × d sums.
    """
    progress = _Progress(training.seeds(k))
    while converging(progress.history, iterations, tolerance):
        progress.iterate(training.blocks)
        yield "step", asdict(progress.history[-1])
    yield from (("centre", encode_vector(centre)) for centre in progress.centres)
    yield "counts", progress.counts
