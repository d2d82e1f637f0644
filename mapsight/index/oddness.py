"""Which pictures are odd for their label: far from all of its kind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mapsight.index.cosines import squares
from mapsight.labels.flags import ODD, bits_of
from mapsight.records import OTHER, decode_vector, encode_vector

__all__ = ["ENOUGH", "ODD_BIT", "TIMES", "Kinds", "LabelSums", "kinds_of", "summed"]

ENOUGH = 20
"""Pictures of a label without which none of it is odd."""
TIMES, LEAST_GAP = 1.5, 0.01
"""So many times as far from the mean of its label as its pictures are on average, and no less
than that 1 - cosine: odd. Of copies none is.
"""
ODD_BIT = bits_of([ODD])
UNIT = 32767


class LabelSums:
    """Sums of the vectors of each label, in whole numbers. Memory: a vector a label.

    Of `other`, which is no kind, there is none.
    """

    def __init__(self) -> None:
        self._sums: dict[str, list[Any]] = {}

    def add(self, labels: Sequence[str], x: np.ndarray) -> None:
        """Add rows: their labels, and vectors (n, d) int16."""
        names = np.array(labels, object)
        for label in sorted(set(labels) - {OTHER}):
            rows = x[names == label]
            n, lengths, total = self._sums.get(label, (0, 0, 0))
            lengths += int(squares(rows).sum())
            self._sums[label] = [n + len(rows), lengths, total + rows.sum(axis=0, dtype=np.int64)]

    def items(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield (label, [rows, sum of squared lengths, sum as text]), sorted."""
        for label, (n, lengths, total) in sorted(self._sums.items()):
            yield label, [n, lengths, encode_vector(total)]


def summed(parts: Iterable[Sequence[Any]]) -> list[Any]:
    """Return one of what several tasks say of a label. Memory: a vector."""
    counts, lengths, total = 0, 0, np.zeros((), np.int64)
    for n, squared, text in parts:
        counts, lengths, total = counts + n, lengths + squared, total + decode_vector(text, "<i8")
    return [counts, lengths, encode_vector(total)]


def kinds_of(sums: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return for each label with ENOUGH rows the direction of its mean, and the mean gap to it.

    A gap is 1 - cosine. That of all rows on average follows from their sum, for all vectors of
    an index have about the same length.

    Args:
        sums: of each label as `summed` returns it.

    Returns:
        [(d,) int16 as text, the gap beyond which a row is odd].
    """
    kinds = {}
    for label, (n, lengths, text) in sorted(sums.items()):
        total = decode_vector(text, "<i8").astype(np.float64)
        length = math.sqrt(float(total @ total))
        if n >= ENOUGH and length:
            mean_gap = 1 - length / (n * math.sqrt(lengths / n))
            mean = np.rint(total * (UNIT / length)).astype(np.int16)
            kinds[label] = [encode_vector(mean), round(max(TIMES * mean_gap, LEAST_GAP), 6)]
    return kinds


class Kinds:
    """Tells which rows are odd.

    Args:
        kinds: as `kinds_of` returns them; where there are none no row is odd.
    """

    def __init__(self, kinds: Mapping[str, Sequence[Any]]) -> None:
        self._kinds = {
            label: (decode_vector(text).astype(np.float64), gap)
            for label, (text, gap) in kinds.items()
        }

    def odd(self, labels: Sequence[str | None], x: np.ndarray) -> np.ndarray:
        """Return which rows are: (n,) bool, of labels and vectors (n, d) int16."""
        odd = np.zeros(len(x), bool)
        names = np.array(labels, object)
        for label in sorted({one for one in labels if one in self._kinds}):
            mean, gap = self._kinds[label]
            places = np.flatnonzero(names == label)
            rows = x[places].astype(np.float64)
            lengths = np.sqrt(squares(x[places]) * float(mean @ mean))
            cosines = np.divide(rows @ mean, lengths, out=np.zeros(len(rows)), where=lengths > 0)
            odd[places] = 1 - cosines.round(9) > gap
        return odd
