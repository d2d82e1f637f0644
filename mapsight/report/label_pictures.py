"""The pictures that show what a label is: the best, the most typical and the least sure ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.cosines import squares
from mapsight.index.rows import FIELDS, Block, whole_vectors

__all__ = ["LabelPictures", "Least", "label_pictures", "spread_blocks"]

NAMES = ("image_id", *(name for name, _ in FIELDS))
Batches = Callable[[], Iterable[pa.RecordBatch]]


class Least:
    """The rows with the least values, of equal ones those with the least `image_id`.

    The order of batches does not matter. Memory: `most` rows, and those of a batch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[tuple[float, str, dict[str, Any]]] = []

    def add(self, values: np.ndarray, batch: pa.RecordBatch) -> None:
        """Consider the rows of a batch by a value (n,) of each; NaN is passed over."""
        bound = self._rows[-1][0] if len(self._rows) == self._most else np.inf
        places = np.flatnonzero(values <= bound)
        if len(places) > self._most:
            bound = np.partition(values[places], self._most - 1)[self._most - 1]
            places = places[values[places] <= bound]
        names = [name for name in NAMES if name in batch.schema.names]
        rows = batch.select(names).take(pa.array(places)).to_pylist()
        found = zip(values[places].tolist(), (row["image_id"] for row in rows), rows, strict=True)
        self._rows = sorted([*self._rows, *found], key=lambda one: one[:2])[: self._most]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows, least value first, each with its `value`."""
        return [{**row, "value": value} for value, _, row in self._rows]


@dataclass(frozen=True)
class LabelPictures:
    """Rows of a label: highest score, nearest the mean of all, lowest score."""

    best: list[dict[str, Any]]
    typical: list[dict[str, Any]]
    unsure: list[dict[str, Any]]


def label_pictures(batches: Batches, labels: Iterable[str], most: int) -> dict[str, LabelPictures]:
    """Choose pictures of each label; those of a label without any are left out.

    Rows are read twice: a label's centre is the mean of its unit vectors, whose sums are exact.
    Memory: a vector of float64 and three times `most` rows a label, and a batch.

    Args:
        batches: returns rows of the index, the same each time.
        labels: that are wanted.
        most: pictures of each kind.
    """
    sums: dict[str, np.ndarray] = {}
    chosen = {label: [Least(most) for _ in range(3)] for label in labels}
    for label, rows in _by_label(batches(), chosen):
        x = whole_vectors(rows).astype(np.float64)
        sums[label] = sums.get(label, 0.0) + x.sum(axis=0)
        scores = rows.column("label_score").cast(pa.float64()).to_numpy(zero_copy_only=False)
        best, _, unsure = chosen[label]
        best.add(-scores, rows)
        unsure.add(scores, rows)
    for label, rows in _by_label(batches(), sums):
        chosen[label][1].add(-_cosines(whole_vectors(rows), sums[label]), rows)
    return {label: LabelPictures(*(one.rows() for one in chosen[label])) for label in sums}


def _cosines(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return each row's cosine with a centre, to the 9 digits that no order of sums changes."""
    lengths = np.sqrt(squares(x)) * (np.linalg.norm(centre) or 1.0)
    products = x.astype(np.float64) @ centre
    return np.divide(products, lengths, out=np.zeros(len(x)), where=lengths > 0).round(9)


def _by_label(
    batches: Iterable[pa.RecordBatch], labels: Mapping[str, Any]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the rows of each label in each batch."""
    for batch in batches:
        names = np.array(batch.column("label").to_pylist(), object)
        for label in sorted({name for name in names.tolist() if name in labels}):
            yield label, batch.take(pa.array(np.flatnonzero(names == label)))


def spread_blocks(blocks: Iterable[Block], most_bytes: int) -> list[Block]:
    """Return all blocks, or of many more bytes than `most_bytes` every n-th one."""
    every = list(blocks)
    total = sum(block.bytes for block in every)
    return every[:: max(1, -(-total // most_bytes))]
