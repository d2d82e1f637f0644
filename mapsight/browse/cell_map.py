"""A map of the collection: the cells of the index laid out by likeness."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.discs import apart
from mapsight.browse.filter_values import Point
from mapsight.browse.likeness import GOLDEN_ANGLE, likeness_places
from mapsight.files import fingerprint
from mapsight.index.copies import Copies, Copy
from mapsight.index.layout import NEAREST
from mapsight.index.mapped import MappedBatches, write_batches
from mapsight.index.rows import whole_vectors
from mapsight.search.search_index import SearchIndex

__all__ = ["CellMap", "inside", "nearest_ids", "open_map", "spiral"]

FORM = 1
PLACES = "places.arrow"
ROW_BYTES = 24


class CellMap:
    """Where each cell is on the map.

    Args:
        places: (k, 2) in 0 to 1. radii: (k,) of discs around them that do not overlap.
        typical: ids of pictures by cell, those nearest its centre first.
    """

    def __init__(
        self, places: np.ndarray, radii: np.ndarray, typical: dict[int, list[str]]
    ) -> None:
        self.places, self.radii, self.typical = places, radii, typical

    def __len__(self) -> int:
        return len(self.places)

    def cells_in(self, region: Sequence[Point]) -> np.ndarray:
        """Return which cells lie in a polygon: (k + 1,) bool, the last for pictures of no cell."""
        return np.append(inside(self.places, region), False)


def open_map(index: SearchIndex, copies: Copies) -> CellMap:
    """Return the map of an index, made once for its base: additions have the same cells.

    Raises:
        Failure: there is no room for it, or the index has been made anew.
    """
    state = fingerprint([FORM, index.parts[0].digest])
    size = ROW_BYTES * len(index.centres)
    copy = Copy(
        partial(
            copies.opened, "map", state, size, partial(_write, index), doing="laying out cells:"
        )
    )
    batch = copy.read(lambda folder: MappedBatches(folder / PLACES).get_batch(0))
    x, y, r = (column.to_numpy() for column in batch.columns)
    return CellMap(np.stack([x, y], axis=1), r, dict(_typical(index)))


def _write(index: SearchIndex, folder: Path) -> dict[str, Any]:
    cells = index.parts[0].cells
    sizes = np.zeros(len(index.centres), np.int64)
    sizes[cells.column("cell").to_numpy()] = cells.column("rows").to_numpy()
    places, radii = apart(likeness_places(index.centres.centres), sizes)
    arrays = [pa.array(column) for column in (*places.T.copy(), radii)]
    write_batches(folder / PLACES, [pa.record_batch(arrays, ["x", "y", "r"])])
    return {"cells": len(places)}


def _typical(index: SearchIndex) -> Iterator[tuple[int, list[str]]]:
    """Yield (cell, ids of pictures nearest its centre first, those of the base before others)."""
    every: dict[int, list[str]] = {}
    for part in index.parts:
        for cell, pictures in json.loads(part.read(NEAREST)).items():
            every.setdefault(int(cell), []).extend(one["image_id"] for one in pictures)
    yield from every.items()


def spiral(n: int, x: float, y: float, r: float) -> np.ndarray:
    """Return n places in a disc, the first in its middle, evenly spread: (n, 2)."""
    k = np.arange(n)
    out = r * np.sqrt(k / max(n, 1))
    return np.stack([x + out * np.cos(k * GOLDEN_ANGLE), y + out * np.sin(k * GOLDEN_ANGLE)], 1)


def nearest_ids(index: SearchIndex, cell: int) -> list[str]:
    """Return the ids of the pictures of a cell, those nearest its centre first.

    Memory: 8 bytes a number of a block's vectors, and the ids.
    """
    centre = index.centres.centres[cell].astype(np.float64)
    gaps: list[tuple[float, str]] = []
    for batch, _, _ in index.wanted({cell: [0]}):
        away = whole_vectors(batch) - centre
        squares = np.einsum("nd,nd->n", away, away).tolist()
        gaps += zip(squares, batch.column("image_id").to_pylist(), strict=True)
    return [image_id for _, image_id in sorted(gaps)]


def inside(places: np.ndarray, polygon: Sequence[Point]) -> np.ndarray:
    """Return which places a polygon has an odd number of edges to the right of: (k,) bool.

    That is inside, also for one that crosses itself (then as in the even-odd rule of SVG).

    Args:
        places: (k, 2). polygon: its corners; the last is joined to the first.
    """
    x, y = places.T
    odd = np.zeros(len(places), bool)
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if ay == by:
            continue
        crossing = ax + (y - ay) / (by - ay) * (bx - ax)
        odd ^= ((ay > y) != (by > y)) & (x < crossing)
    return odd
