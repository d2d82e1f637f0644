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

from mapsight.index_rows import vectors_of
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
"""Score, image_id, and fields as JSON text: a tenth of the memory that a dict takes."""


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

    Memory: a block of rows, QUERIES × its rows scores, and top_k answers a query.

    Args:
        queries: all of a search; only those asked for are read.
        d: how many numbers of a vector count; None for all.
    """

    def __init__(self, queries: Queries, d: int | None = None) -> None:
        self._queries, self._d = queries, d
        self._best: dict[int, list[Found]] = {}

    def add(self, batch: pa.RecordBatch, cell: int, numbers: Sequence[int]) -> None:
        """Consider the rows of a block of a cell for the queries of these numbers."""
        xb = vectors_of(batch)[:, : self._d]
        block = _Block(batch, xb, cell)
        for first in range(0, len(numbers), QUERIES):
            some = numbers[first : first + QUERIES]
            self._score(block, some, self._queries.vectors(some)[:, : self._d])

    def _score(self, block: _Block, numbers: Sequence[int], xq: np.ndarray) -> None:
        doubt = error_share(xq.shape[1])
        rough = rough_cosines(xq, block.xb)
        most = rough.max(axis=1, initial=-np.inf)
        for i, number in enumerate(numbers):
            query, best = self._queries[number], self._best.setdefault(number, [])
            kept = query.candidates
            floor = best[-1][0] if len(best) == kept else -np.inf
            if most[i] < floor - doubt:
                continue
            places = block.admitted(query)
            places = places[contenders(rough[i, places], kept, floor, doubt)]
            if len(places):
                found = block.found(xq[i], places, floor, query)
                self._best[number] = best_first([*best, *found], kept)

    def answers(self) -> Iterator[tuple[int, list[Found]]]:
        """(query number, its best so far) by number; queries without any are left out."""
        yield from ((number, self._best[number]) for number in sorted(self._best))


class _Block:
    """Some rows of a cell, and which of them a query admits."""

    def __init__(self, batch: pa.RecordBatch, xb: np.ndarray, cell: int) -> None:
        self.batch, self.xb, self.cell = batch, xb, cell
        self._masks: dict[Any, np.ndarray] = {}

    def admitted(self, query: ProbeQuery) -> np.ndarray:
        """Places of the rows that may answer: (m,) int64."""
        if query.filter not in self._masks:
            self._masks[query.filter] = query.filter.mask(self.batch)
        mask = self._masks[query.filter] & query.others(self.batch)
        return np.flatnonzero(mask)

    def found(
        self, q: np.ndarray, places: np.ndarray, floor: float, query: ProbeQuery
    ) -> list[Found]:
        scores = exact_cosines(q, self.xb[places])
        chosen = scores >= floor
        places, scores = places[chosen], scores[chosen]
        names = [name for name in SHOWN if name in self.batch.schema.names]
        rows = self.batch.select(["image_id", *names]).take(pa.array(places)).to_pylist()
        if query.rank_by == "diverse":
            for row, place in zip(rows, places, strict=True):
                row[VECTOR] = encode_vector(self.xb[place].astype(np.int16))
        return [
            (score, row.pop("image_id"), self._text(row))
            for score, row in zip(scores.tolist(), rows, strict=True)
        ]

    def _text(self, row: dict[str, Any]) -> str:
        known = {k: v for k, v in row.items() if v is not None or k in ALWAYS}
        return json.dumps({**known, "cell": self.cell})


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
