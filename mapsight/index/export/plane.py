"""Two dimensions of each picture: its embedding along the first two principal components.

They are the first two axes of `projection.npy` where cells were chosen in fewer numbers; where
they were not, they are found in the same way, from the same rows: those of the lowest `order`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from mapsight.index.layout import PROJECTION
from mapsight.index.learn import principal_axes
from mapsight.index.lesson import AXES_ROWS, share_below
from mapsight.index.part import IndexPart
from mapsight.index.projection import AXIS
from mapsight.index.rows import orders, whole_vectors
from mapsight.labels.head import UNIT

__all__ = ["PLACES", "Plane", "plane_of"]

PLACES = (("x", pa.float32()), ("y", pa.float32()))


class Plane:
    """Turns rows into places.

    Args:
        axes: (2, plain_d) int16, rows of length AXIS.
    """

    def __init__(self, axes: np.ndarray) -> None:
        self._axes = axes.astype(np.float64)

    def columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Return x and y of each row, of embeddings of length 1: sums are exact, rounded once."""
        x = whole_vectors(batch)[:, : self._axes.shape[1]].astype(np.float64)
        places = (x @ self._axes.T / (AXIS * UNIT)).astype(np.float32)
        return [pa.array(np.ascontiguousarray(column)) for column in places.T]


def plane_of(part: IndexPart, batches: Iterable[pa.RecordBatch]) -> Plane:
    """Return the plane of an index. Memory: about AXES_ROWS embeddings, and a batch.

    Args:
        part: its base.
        batches: all of its rows, which are read where it has no projection.
    """
    if part.has(PROJECTION):
        return Plane(np.load(io.BytesIO(part.read(PROJECTION)), allow_pickle=False)[:2])
    below = share_below(AXES_ROWS, part.rows)
    chosen = [_first(batch, below)[:, : part.facts.plain_d] for batch in batches]
    return Plane(principal_axes(np.concatenate(chosen), 2))


def _first(batch: pa.RecordBatch, below: int) -> np.ndarray:
    places = [place for place, order in enumerate(orders(batch).tolist()) if order < below]
    return whole_vectors(batch.take(pa.array(places, pa.int64())))
