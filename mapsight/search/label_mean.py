"""What a label looks like: the mean of the pictures of the index that most surely have it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import pyarrow as pa

from mapsight.index.rows import Block, whole_vectors
from mapsight.search.filters import RowFilter
from mapsight.search.probe_plan import blocks_of, mean_vector

__all__ = ["MOST_BYTES", "MOST_CELLS", "MOST_PICTURES", "LabelMean", "blocks_of_label"]

MOST_CELLS = 16
MOST_BYTES = 64 << 20
MOST_PICTURES = 1024


def blocks_of_label(table: pa.Table, counts: np.ndarray) -> list[Block]:
    """The blocks to read for a label: those of the cells with most pictures of it.

    Of MOST_CELLS cells at most, one cell after the other, as far as MOST_BYTES reach; one
    block at least, unless no cell has any picture.

    Args:
        table: of all blocks.
        counts: (k,) pictures of the label in each cell; of equal ones the lower number first.
    """
    ranked = np.argsort(-counts, kind="stable")[:MOST_CELLS].tolist()
    place = {cell: rank for rank, cell in enumerate(ranked) if counts[cell]}
    blocks = sorted(blocks_of(table, place), key=lambda one: (place[one.cell], one.part))
    ends = list(accumulate(block.bytes for block in blocks))
    return blocks[: max(1, bisect_right(ends, MOST_BYTES))]


class LabelMean:
    """The mean of the MOST_PICTURES rows of a label with the highest `label_score`.

    Of equal scores the least `image_id` counts first, so that the order of batches does not
    matter. Memory: their vectors, and those of a batch.

    Args:
        wanted: label, and what else the rows must have.
    """

    def __init__(self, wanted: RowFilter) -> None:
        self._wanted = wanted
        self._rows: list[tuple[float, str, np.ndarray]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """See the rows of a block, of int16 or int8."""
        some = batch.take(pa.array(np.flatnonzero(self._wanted.mask(batch))))
        scores = some.column("label_score").fill_null(0.0).to_numpy()
        ids = some.column("image_id").to_pylist()
        # copies, as a row of a block would hold all of it
        vectors = (vector.copy() for vector in whole_vectors(some))
        found = zip((-scores).tolist(), ids, vectors, strict=True)
        self._rows = sorted([*self._rows, *found], key=lambda row: row[:2])[:MOST_PICTURES]

    def vector(self) -> np.ndarray | None:
        """The mean of the rows, exact and rounded once: (d,) int16; None without rows."""
        if not self._rows:
            return None
        vectors = np.stack([vector for *_, vector in self._rows])
        return mean_vector(vectors, np.ones(len(vectors), np.int64))
