"""An iteration of k-means on whole-number vectors: exact sums, centres in whole numbers.

Lloyd's iterations (Lloyd 1982). All sums are whole numbers, so that the centres do not
depend on how the pictures are split.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.index.nearest import Centres
from mapsight.index.projection import load_projection
from mapsight.records import decode_vector, encode_vector
from mapsight.workspace.index_facts import KMeansStep

__all__ = [
    "FAR",
    "CellSums",
    "farthest",
    "improved",
    "load_centres",
    "moved",
    "refill",
    "summed",
]

FAR = 64
"""How many of the vectors farthest from their centres a task remembers, for empty cells."""


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


def improved(
    old: np.ndarray, records: Iterable[tuple[str, Any]]
) -> tuple[np.ndarray, list[int], KMeansStep]:
    """Return what an iteration makes of centres.

    Args:
        old: (k, d) int16.
        records: what `summed` returns for each key.

    Returns:
        New centres (k, d) int16, the pictures of each cell, and what the iteration was.
    """
    new, counts = old.copy(), np.zeros(len(old), np.int64)
    far: list[tuple[int, str]] = []
    shifted = rows = inertia = 0
    for kind, value in records:
        if kind == "cell":
            cell, counts[cell], text, shift = value
            new[cell] = decode_vector(text)
            shifted += shift
        elif kind == "far":
            far = [(gap, vector) for gap, vector in value]
        else:
            rows, inertia = value
    step = KMeansStep(inertia, rows, shifted, empty=int((counts == 0).sum()))
    return refill(new, counts, far), counts.tolist(), step


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


def load_centres(path: str | Path, projection: str | Path | None = None) -> Centres:
    """The centres in a .npy file: (k, d) int16.

    Args:
        projection: the file of that of the vectors, if they have one.

    Raises:
        ValueError: a file holds something else; names it.
    """
    array = np.load(path, allow_pickle=False)
    if array.dtype != np.int16 or array.ndim != 2 or not len(array):
        raise ValueError(f"{path}: not centres of cells ({array.dtype} {array.shape})")
    return Centres(array, load_projection(projection) if projection else None)


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
