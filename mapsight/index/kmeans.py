"""k-means on whole-number vectors: seeds by hash, exact sums, centres in whole numbers.

Lloyd's iterations (Lloyd 1982). All sums are whole numbers, so that the centres do not
depend on how the pictures are split.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.index.nearest import Centres
from mapsight.index.rows import vectors_below
from mapsight.records import decode_vector, encode_vector

__all__ = [
    "FAR",
    "MAX_CELLS",
    "TRAIN_PER_CELL",
    "CellSums",
    "cells_for",
    "farthest",
    "first_distinct",
    "load_centres",
    "moved",
    "refill",
    "seed_rows",
    "share_below",
    "summed",
]

MAX_CELLS = 16_384
"""More would need more memory in a task: 200 MB for 16,384 cells of 1,032 dimensions."""
TRAIN_PER_CELL = 128
"""Pictures a cell that k-means learns from; faiss warns below 39 and takes 256 at most."""
CELLS_PER_ROOT = 6.0
LEAST_PER_CELL = 16
FAR = 64
"""How many of the vectors farthest from their centres a task remembers, for empty cells."""
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


def share_below(wanted: int, pictures: int) -> int:
    """The `order` below which about `wanted` of so many pictures are; 2**64 for all."""
    return ORDERS if wanted >= pictures else ORDERS * wanted // pictures


@dataclass
class CellSums:
    """What one task adds up over its vectors.

    Memory: k × d int64, and FAR vectors.
    """

    centres: Centres
    inertia: int = 0
    rows: int = 0
    far: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.centres), np.int64)
        self.sums = np.zeros(self.centres.centres.shape, np.int64)

    def add(self, x: np.ndarray) -> None:
        """Add (n, d) int16 vectors."""
        cells, gaps = self.centres.nearest(x)
        order = np.argsort(cells, kind="stable")
        found, starts = np.unique(cells[order], return_index=True)
        self.sums[found] += np.add.reduceat(x[order].astype(np.int64), starts, axis=0)
        self.counts[found] += np.diff([*starts, len(x)])
        self.inertia += sum(gaps.tolist())
        self.rows += len(x)
        floor = self.far[-1][0] if len(self.far) == FAR else 1
        new = [(int(gaps[i]), encode_vector(x[i])) for i in np.flatnonzero(gaps >= floor)]
        self.far = farthest([*self.far, *new]) if new else self.far

    def cells(self) -> Iterator[tuple[int, int, str]]:
        """(cell, pictures, sums as `encode_vector` writes int64) of each cell that has any."""
        for cell in np.flatnonzero(self.counts).tolist():
            yield cell, int(self.counts[cell]), encode_vector(self.sums[cell])

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield what `summed` takes: sums by cell (six digits), `far` and `inertia`."""
        for cell, pictures, sums in self.cells():
            yield f"{cell:06d}", [pictures, sums]
        yield "far", self.far
        yield "inertia", [self.rows, self.inertia]


def summed(centres: Centres, key: str, parts: Iterable[Any]) -> tuple[str, Any]:
    """Return what the values that tasks have for a key of `CellSums.items` make together.

    Returns:
        ("far", the farthest rows), ("inertia", [pictures, inertia]) or ("cell", [cell, pictures,
        new centre, squared distance from the old one]).
    """
    if key == "far":
        return key, farthest(row for part in parts for row in part)
    if key == "inertia":
        return key, [sum(column) for column in zip(*parts, strict=True)]
    pictures, centre, shift = moved(centres, int(key), parts)
    return "cell", [int(key), pictures, encode_vector(centre), shift]


def seed_rows(uri: str, below: int) -> Iterator[tuple[str, str]]:
    """Yield (order as 20 digits, which sort as numbers do; vector) of rows of lower order."""
    for orders, x in vectors_below(uri, below):
        for order, vector in zip(orders.tolist(), x, strict=True):
            yield f"{order:020d}", encode_vector(vector)


def first_distinct(rows: Iterable[tuple[str, str]], k: int) -> Iterator[tuple[str, str]]:
    """Yield the first k (order, vector) whose vectors differ; reads all of `rows`.

    >>> list(first_distinct([("1", "a"), ("2", "a"), ("3", "b"), ("4", "c")], 2))
    [('1', 'a'), ('3', 'b')]
    """
    seeds: set[str] = set()
    for order, vector in rows:
        if vector not in seeds and len(seeds) < k:
            seeds.add(vector)
            yield order, vector


def farthest(rows: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The FAR different rows (squared distance, vector) of most distance, ties by vector."""
    return heapq.nsmallest(
        FAR, {(gap, vector) for gap, vector in rows}, key=lambda r: (-r[0], r[1])
    )


def moved(
    centres: Centres, cell: int, parts: Iterable[tuple[int, str]]
) -> tuple[int, np.ndarray, int]:
    """The new centre of a cell, from its pictures and sums in some tasks.

    Returns:
        Pictures; the mean (d,) int16, rounded to whole numbers, halves up; and the squared
        distance from the old centre.
    """
    count, total = 0, np.zeros(centres.centres.shape[1], np.int64)
    for n, text in parts:
        total += decode_vector(text, "<i8")
        count += n
    centre = ((2 * total + count) // (2 * count)).astype(np.int16)
    shift = centre.astype(np.int64) - centres.centres[cell]
    return count, centre, int(shift @ shift)


def load_centres(path: str | Path) -> Centres:
    """The centres in a .npy file: (k, d) int16.

    Raises:
        ValueError: it holds something else; names the file.
    """
    array = np.load(path, allow_pickle=False)
    if array.dtype != np.int16 or array.ndim != 2 or not len(array):
        raise ValueError(f"{path}: not centres of cells ({array.dtype} {array.shape})")
    return Centres(array)


def refill(centres: np.ndarray, counts: np.ndarray, far: Iterable[tuple[int, str]]) -> np.ndarray:
    """Give cells without pictures the vectors farthest from their centres, in order.

    Args:
        centres: (k, d) int16.
        counts: (k,) pictures.
        far: (squared distance, vector). Cells for which there is none keep their centres.
    """
    filled = centres.copy()
    for cell, (_, vector) in zip(np.flatnonzero(counts == 0).tolist(), farthest(far), strict=False):
        filled[cell] = decode_vector(vector)
    return filled
