"""Where pictures meet that may be copies of each other: the keys of buckets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mapsight.duplicates.rows import BYTES, SHA256, Row, tile_in, vector_in
from mapsight.duplicates.tiles import BANDS, FLAT, contrast, hashes_of
from mapsight.index.cosines import cosines_from, exact_type, squares
from mapsight.records import decode_vector

__all__ = ["CELL", "WHOLE", "Pivots", "bands_of", "is_flat", "is_pivot", "pivots_for"]

CELL = "cell"
WHOLE = 4096
"""Pictures that are compared all with all: they need no pivots."""
PER_PIVOT, MOST_PIVOTS = 512, 16_384
NEAREST = 3
BATCH = 64
ORDERS = 1 << 64

Bucketed = tuple[list[Any], list[Any]]


def is_flat(row: Row) -> bool:
    """Return whether a picture is nearly of one colour: only equal bytes are copies of it."""
    return bool(contrast(tile_in(row)[None])[0] < FLAT)


def bands_of(row: Row) -> Iterator[Bucketed]:
    """Yield (bucket, entry) for each band of a row's hash.

    A bucket is `[band, its four hex digits]`, of the view in which these are least: a picture
    and its views fall into the same. An entry is `[hash of that view, the view, *row]`, the hash
    turned so that the band comes first: sorted, entries alike beyond it lie side by side.
    """
    hashes = hashes_of(tile_in(row))
    digits = len(hashes[0]) // BANDS
    for band in range(BANDS):
        turned = [one[band * digits :] + one[: band * digits] for one in hashes]
        least = min(one[:digits] for one in turned)
        for number in sorted({turned.index(one) for one in turned if one[:digits] == least}):
            yield [band, least], [turned[number], number, *row]


def pivots_for(pictures: int) -> int:
    """Return how many pivots a number of pictures needs; 0 where all are compared with all.

    >>> pivots_for(4096), pivots_for(100_000), pivots_for(9_000_000)
    (0, 195, 16384)
    """
    return min(pictures // PER_PIVOT, MOST_PIVOTS) if pictures > WHOLE else 0


def is_pivot(row: Row, wanted: int, pictures: int) -> bool:
    """Return whether a picture is one of about `wanted` pivots, drawn by its SHA-256."""
    return int(row[SHA256][:16], 16) * pictures < wanted * ORDERS


class Pivots:
    """Puts rows into the cells of the NEAREST pivots next to their embeddings.

    Memory: the pivots as floats (4 bytes a number; 8 where there are over 1,040 a vector), and the
    cosines of a batch of rows with them.

    Args:
        pivots: vectors as rows have them; without any there is one cell.
    """

    def __init__(self, pivots: Sequence[str]) -> None:
        self._pivots: np.ndarray | None = None
        if pivots:
            whole = np.stack([decode_vector(one, BYTES) for one in pivots])
            self._pivots, self._lengths = whole.astype(exact_type(whole.shape[1])), squares(whole)
        self._waiting: list[Row] = []

    def add(self, row: Row) -> Iterator[Bucketed]:
        """Yield (bucket, row) for rows that have waited for a batch."""
        self._waiting.append(row)
        if self._pivots is None or len(self._waiting) == BATCH:
            yield from self.rest()

    def rest(self) -> Iterator[Bucketed]:
        """Yield (bucket, row) for the rows that wait."""
        rows, self._waiting = self._waiting, []
        for row, cells in zip(rows, self._cells(rows), strict=True):
            for cell in cells:
                yield [CELL, cell], list(row)

    def _cells(self, rows: Sequence[Row]) -> list[list[int]]:
        if self._pivots is None or not rows:
            return [[0] for _ in rows]
        vectors = np.stack([vector_in(row) for row in rows])
        dots = vectors.astype(self._pivots.dtype) @ self._pivots.T
        near = cosines_from(dots.astype(np.float64), squares(vectors), self._lengths)
        return _highest(near, NEAREST).tolist()


def _highest(scores: np.ndarray, most: int) -> np.ndarray:
    """Return the places of the highest scores of each row, the first of equal ones first: (n, k).

    Overwrites `scores`, (n, m) float64. A pass for each costs less than sorting all of a row.
    """
    rows, found = np.arange(len(scores)), []
    for _ in range(min(most, scores.shape[1])):
        found.append(scores.argmax(axis=1))
        scores[rows, found[-1]] = -np.inf
    return np.stack(found, axis=1)
