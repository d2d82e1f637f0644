"""The best answers among the rows of some cells, exact at the speed of float32.

A block's cosines are taken in float32, whose error is bounded (see `mapsight.nearest`).
Whatever may be among the best is computed again from whole numbers in float64, as
`mapsight.search.cosines` does. Results do not depend on how cells are split over tasks.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index_filter import RowFilter
from mapsight.index_rows import BLOCK_ROWS, Block, vectors_of
from mapsight.kmeans import decode_vector, encode_vector
from mapsight.nearest import error_share
from mapsight.probe_queries import ProbeQuery, Queries
from mapsight.rerank import by_ppi, diverse
from mapsight.search import KEPT, TEXT, Answer, best_first

__all__ = ["Probe", "exact_cosines", "merged", "rough_cosines"]

QUERIES = 256
"""Queries that are scored at once: 4 MiB of scores for a block."""
SHOWN = (*KEPT, *TEXT, "subset", "dhash", "label_score")
ALWAYS = ("label_score",)
VECTOR = "vector"

Found = Sequence[Any]
"""Score, image_id, and fields as JSON text, which takes a tenth of the memory of a dict."""


def squares(x: np.ndarray) -> np.ndarray:
    """The squared length of each row of whole numbers, exact: (n,) float64."""
    return np.einsum("nd,nd->n", x, x, dtype=np.float64)


def rough_cosines(xq: np.ndarray, xb: np.ndarray) -> np.ndarray:
    """Cosines to within `error_share(d)`; a zero vector is like nothing (0).

    Args:
        xq: (nq, d) int16.
        xb: (nb, d) int16 or int8.

    Returns:
        (nq, nb) float64.
    """
    norms = np.sqrt(np.multiply.outer(squares(xq), squares(xb)))
    dots = xq.astype(np.float32) @ xb.astype(np.float32).T
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)


def exact_cosines(q: np.ndarray, xb: np.ndarray) -> np.ndarray:
    """Cosines of one (d,) int16 with (nb, d) rows, as `mapsight.search.cosines` has them."""
    norms = np.sqrt(squares(q[None]) * squares(xb))
    dots = xb.astype(np.float64) @ q.astype(np.float64)
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)


def contenders(rough: np.ndarray, top_k: int, floor: float, doubt: float) -> np.ndarray:
    """Which of some rough scores may be among the top_k, and not below a floor: positions."""
    if len(rough) > top_k:
        floor = max(floor, float(np.partition(rough, -top_k)[-top_k]) - doubt)
    return np.flatnonzero(rough >= floor - doubt)


class Probe:
    """The best answers so far to several queries.

    Memory: some blocks of rows, QUERIES × their rows scores, and top_k answers a query.

    Args:
        queries: all of a search; only those asked for are read.
        d: how many numbers of a vector count; None for all.
    """

    def __init__(self, queries: Queries, d: int | None = None) -> None:
        self._queries, self._d = queries, d
        self._best: dict[int, list[Found]] = {}

    def add_blocks(self, blocks: Iterable[tuple[pa.RecordBatch, Block, Sequence[int]]]) -> None:
        """Consider blocks: (rows, where they were, numbers of queries that want it).

        Small ones that the same queries want are scored together.
        """
        for numbers, group in itertools.groupby(blocks, key=lambda block: block[2]):
            some: list[tuple[pa.RecordBatch, Block]] = []
            for batch, place, _ in group:
                if some and sum(b.num_rows for b, _ in some) + batch.num_rows > BLOCK_ROWS:
                    self._add(some, numbers)
                    some = []
                some.append((batch, place))
            self._add(some, numbers)

    def _add(self, some: Sequence[tuple[pa.RecordBatch, Block]], numbers: Sequence[int]) -> None:
        block = _Block(some, self._d)
        for first in range(0, len(numbers), QUERIES):
            few = numbers[first : first + QUERIES]
            self._score(block, few, self._queries.vectors(few)[:, : self._d])

    def _score(self, block: _Block, numbers: Sequence[int], xq: np.ndarray) -> None:
        doubt = error_share(xq.shape[1])
        rough = rough_cosines(xq, block.xb)
        most = rough.max(axis=1, initial=-np.inf)
        for i, number in enumerate(numbers):
            query, best = self._queries[number], self._best.get(number, [])
            kept = query.candidates
            floor = best[-1][0] if len(best) == kept else -np.inf
            if most[i] < floor - doubt:
                continue
            places = block.admitted(query)
            places = places[contenders(rough[i, places], kept, floor, doubt)]
            if len(places):
                best = best_first([*best, *block.scored(xq[i], places)], kept)
                self._best[number] = block.told(best, with_vector=query.rank_by == "diverse")

    def answers(self) -> Iterator[tuple[int, list[Found]]]:
        """(query number, its best so far) by number; queries without any are left out."""
        yield from ((number, self._best[number]) for number in sorted(self._best))


class _Block:
    """Some rows of some cells, and which of them a query admits.

    Args:
        some: rows with where they were.
        d: how many numbers of a vector count.
    """

    def __init__(self, some: Sequence[tuple[pa.RecordBatch, Block]], d: int | None) -> None:
        table = pa.Table.from_batches([batch for batch, _ in some]).combine_chunks()
        (self._batch,) = table.to_batches()
        lengths = [b.num_rows for b, _ in some]
        self._cells = np.repeat([block.cell for _, block in some], lengths)
        self._parts = np.repeat([block.part for _, block in some], lengths)
        self.xb = vectors_of(self._batch)[:, :d]
        self._ids: list[str] = self._batch.column("image_id").to_pylist()
        self._masks: dict[RowFilter, np.ndarray] = {}
        self._places: dict[str, dict[str, list[int]]] = {}
        self._rows: dict[int, dict[str, Any]] = {}

    def admitted(self, query: ProbeQuery) -> np.ndarray:
        """Places of the rows that may answer: (m,) int64."""
        if query.filter not in self._masks:
            self._masks[query.filter] = query.filter.mask(self._batch)
        mask = self._masks[query.filter]
        excluded = [*self._having("image_id", query.exclude_ids)]
        excluded += self._having("sha256", query.exclude_sha256)
        if excluded:
            mask = mask.copy()
            mask[excluded] = False
        return np.flatnonzero(mask)

    def _having(self, name: str, values: Sequence[str]) -> list[int]:
        """Places of the rows that have one of some values."""
        if not values:
            return []
        if name not in self._places:
            places = self._places[name] = {}
            for place, value in enumerate(self._batch.column(name).to_pylist()):
                places.setdefault(value, []).append(place)
        return [place for value in values for place in self._places[name].get(value, ())]

    def scored(self, q: np.ndarray, places: np.ndarray) -> list[Found]:
        """Score, image_id and place of some rows."""
        scores = exact_cosines(q, self.xb[places]).tolist()
        rows = zip(scores, places.tolist(), strict=True)
        return [(score, self._ids[place], place) for score, place in rows]

    def told(self, best: Sequence[Found], *, with_vector: bool) -> list[Found]:
        """The same with fields as text where the place of a row of this block was."""
        places = [told for *_, told in best if isinstance(told, int)]
        self._read([place for place in places if place not in self._rows])
        return [
            (score, image_id, self._text(told, with_vector) if isinstance(told, int) else told)
            for score, image_id, told in best
        ]

    def _read(self, places: list[int]) -> None:
        names = [name for name in SHOWN if name in self._batch.schema.names]
        if places:
            rows = self._batch.select(names).take(pa.array(places)).to_pylist()
            self._rows |= zip(places, rows, strict=True)

    def _text(self, place: int, with_vector: bool) -> str:
        row = self._rows[place]
        known = {k: v for k, v in row.items() if v is not None or k in ALWAYS}
        known["cell"] = int(self._cells[place])
        if self._parts[place]:
            known["part"] = int(self._parts[place])
        if with_vector:
            known[VECTOR] = encode_vector(self.xb[place].astype(np.int16))
        return json.dumps(known)


def merged(query: ProbeQuery, lists: Iterable[Sequence[Found]]) -> list[Answer]:
    """The answers `[score, image_id, fields]` to a query, of what several tasks found."""
    best = best_first(itertools.chain.from_iterable(lists), query.candidates)
    answers: list[Answer] = [[score, name, json.loads(text)] for score, name, text in best]
    if query.rank_by == "ppi":
        return by_ppi(answers, query.top_k)
    if query.rank_by == "diverse":
        x = np.stack([decode_vector(fields.pop(VECTOR)) for *_, fields in answers])
        return diverse(answers, x, query.top_k)
    return answers
