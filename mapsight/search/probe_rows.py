"""Rows of the index as they are scored: which a query admits, how like they are, what is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.index.cosines import cosines, cosines_from, squares, squares_name
from mapsight.index.nearest import products
from mapsight.index.rows import Block, vectors_of
from mapsight.records import encode_vector
from mapsight.search.exact import KEPT, TEXT
from mapsight.search.filters import RowFilter
from mapsight.search.queries import ProbeQuery

__all__ = ["VECTOR", "ProbeRows"]

SHOWN = (*KEPT, *TEXT, "subset", "dhash", "label_score")
ALWAYS = ("label_score",)
VECTOR = "vector"
FEW = 64
"""Up to so many rows are read value by value, which is faster than taking them from columns."""


class ProbeRows:
    """Some rows of some cells; a place is the number of a row among them.

    Lengths are taken from the rows where these say them.

    Args:
        some: rows with where they were.
        d: how many numbers of a vector count; None for all.
        joined: make one batch of them, which many queries are compared with sooner; else nothing
            is copied.
    """

    def __init__(
        self, some: Sequence[tuple[pa.RecordBatch, Block]], d: int | None, *, joined: bool
    ) -> None:
        self._batches = [batch for batch, _ in some]
        lengths = [batch.num_rows for batch in self._batches]
        self._cells = np.repeat([block.cell for _, block in some], lengths)
        self._parts = np.repeat([block.part for _, block in some], lengths)
        if joined:
            self._batches = pa.Table.from_batches(self._batches).combine_chunks().to_batches()
        self._joined = joined
        self._x = [vectors_of(batch)[:, :d] for batch in self._batches]
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])
        self._table = pa.Table.from_batches(self._batches)
        self._masks: dict[RowFilter, np.ndarray] = {}
        self._places: dict[str, dict[str, list[int]]] = {}
        self._ids: dict[int, str] = {}
        self._rows: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def rough(self, xq: np.ndarray) -> np.ndarray:
        """Cosines with (nq, d) int16 queries to within `error_share(d)`: (nq, n) float64."""
        real = xq.astype(np.float32)
        dots = [products(real, x) for x in self._x]
        lengths = [self._squares(*pair) for pair in zip(self._batches, self._x, strict=True)]
        return cosines_from(np.concatenate(dots, axis=1), squares(xq), np.concatenate(lengths))

    @staticmethod
    def _squares(batch: pa.RecordBatch, x: np.ndarray) -> np.ndarray:
        place = batch.schema.get_field_index(squares_name(x.shape[1]))
        return squares(x) if place < 0 else batch.column(place).to_numpy()

    def admitted(self, query: ProbeQuery) -> np.ndarray:
        """Places of the rows that may answer: (m,) int64."""
        if query.filter not in self._masks:
            self._masks[query.filter] = query.filter.mask(self._table)
        mask = self._masks[query.filter]
        for name, values in (("image_id", query.exclude_ids), ("sha256", query.exclude_sha256)):
            if values and self._joined:
                mask = mask.copy()
                mask[self._having(name, values)] = False
            elif values:
                known = pc.is_in(self._table.column(name), pa.array(values, pa.string()))
                mask = mask & ~known.to_numpy()
        return np.flatnonzero(mask)

    def _having(self, name: str, values: Sequence[str]) -> list[int]:
        """Places of the rows that have one of some values."""
        if name not in self._places:
            places = self._places[name] = {}
            for place, value in enumerate(self._table.column(name).to_pylist()):
                places.setdefault(value, []).append(place)
        return [place for value in values for place in self._places[name].get(value, ())]

    def scored(self, q: np.ndarray, places: np.ndarray) -> list[tuple[float, str, int]]:
        """Score, image_id and place of some rows.

        Args:
            places: rising.
        """
        scores = cosines(q[None], self._vectors(places))[0].tolist()
        return [
            (score, self._id(place), place)
            for score, place in zip(scores, places.tolist(), strict=True)
        ]

    def _vectors(self, places: np.ndarray) -> np.ndarray:
        if self._joined:
            return self._x[0][places]
        bounds = np.searchsorted(places, self._starts)
        return np.concatenate(
            [
                x[places[first:last] - start]
                for x, start, first, last in zip(
                    self._x, self._starts, bounds, bounds[1:], strict=False
                )
                if first < last
            ]
        )

    def _piece(self, place: int) -> tuple[int, int]:
        """(number of the batch, row in it) of a place."""
        if self._joined:
            return 0, place
        piece = int(np.searchsorted(self._starts, place, side="right")) - 1
        return piece, place - int(self._starts[piece])

    def _id(self, place: int) -> str:
        if self._joined and not self._ids:
            self._ids = dict(enumerate(self._batches[0].column("image_id").to_pylist()))
        if place not in self._ids:
            piece, row = self._piece(place)
            self._ids[place] = self._batches[piece].column("image_id")[row].as_py()
        return self._ids[place]

    def told(self, best: Sequence[Sequence[Any]], *, with_vector: bool) -> list[Sequence[Any]]:
        """The same with fields as text where the place of one of these rows was."""
        places = [told for *_, told in best if isinstance(told, int)]
        self._read([place for place in places if place not in self._rows])
        return [
            (score, image_id, self._text(told, with_vector) if isinstance(told, int) else told)
            for score, image_id, told in best
        ]

    def _read(self, places: list[int]) -> None:
        if not places:
            return
        known = set(self._table.schema.names)
        names = [name for name in SHOWN if name in known]
        if self._joined or len(places) > FEW:
            rows = self._table.select(names).take(pa.array(places)).to_pylist()
            self._rows |= zip(places, rows, strict=True)
            return
        for place in places:
            piece, row = self._piece(place)
            batch = self._batches[piece]
            self._rows[place] = {name: batch.column(name)[row].as_py() for name in names}

    def _text(self, place: int, with_vector: bool) -> str:
        row = self._rows[place]
        known = {k: v for k, v in row.items() if v is not None or k in ALWAYS}
        known["cell"] = int(self._cells[place])
        if self._parts[place]:
            known["part"] = int(self._parts[place])
        if with_vector:
            piece, number = self._piece(place)
            known[VECTOR] = encode_vector(self._x[piece][number].astype(np.int16))
        return json.dumps(known)
