"""The best answers among the rows of some cells, exact at the speed of float32.

A block's cosines are taken in float32, whose error is bounded (see `mapsight.index.nearest`).
Whatever may be among the best is computed again from whole numbers in float64, as
`mapsight.index.cosines` does. Results do not depend on how cells are split over tasks.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.blocks import read_blocks
from mapsight.index.nearest import error_share
from mapsight.index.removed_ids import IdList
from mapsight.index.rows import BLOCK_ROWS, Block
from mapsight.records import decode_vector
from mapsight.search.exact import Answer, best_first
from mapsight.search.probe_rows import VECTOR, ProbeRows
from mapsight.search.queries import WORDS, GivenQueries, ProbeQuery, Queries
from mapsight.search.rerank import arranged

__all__ = ["Probe", "merged"]

QUERIES = 256
"""Queries that are scored at once: 4 MiB of scores for a block."""
FEW_QUERIES = 4

Wanted = Sequence[tuple[Block, Sequence[int]]]
"""Blocks, each with the numbers of the queries that want it."""
Found = Sequence[Any]
"""Score, image_id, and fields as JSON text, which takes a tenth of the memory of a dict."""


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
        rows: so many are scored together, if their blocks are small.
    """

    def __init__(
        self, queries: Queries | GivenQueries, d: int | None = None, rows: int = BLOCK_ROWS
    ) -> None:
        self._queries, self._d, self._rows = queries, d, rows
        self._best: dict[int, list[Found]] = {}

    def read(self, wanted: Wanted, removed: IdList) -> None:
        """Read blocks and consider them, but for rows that are removed."""
        read = read_blocks(block for block, _ in wanted)
        shown = (
            (removed.shown(batch, block.part), block, numbers)
            for (block, numbers), batch in zip(wanted, read, strict=True)
        )
        self.add_blocks(rows for rows in shown if rows[0].num_rows)

    def add_blocks(self, blocks: Iterable[tuple[pa.RecordBatch, Block, Sequence[int]]]) -> None:
        """Consider blocks: (rows, where they were, numbers of queries that want it).

        Small ones that the same queries want are scored together.
        """
        for numbers, group in itertools.groupby(blocks, key=lambda block: block[2]):
            some: list[tuple[pa.RecordBatch, Block]] = []
            rows = 0
            for batch, place, _ in group:
                if some and rows + batch.num_rows > self._rows:
                    self._add(some, numbers)
                    some, rows = [], 0
                some.append((batch, place))
                rows += batch.num_rows
            self._add(some, numbers)

    def _add(self, some: Sequence[tuple[pa.RecordBatch, Block]], numbers: Sequence[int]) -> None:
        rows = ProbeRows(some, self._d, joined=len(numbers) > FEW_QUERIES)
        for first in range(0, len(numbers), QUERIES):
            few = numbers[first : first + QUERIES]
            self._score(rows, few, self._queries.vectors(few)[:, : self._d])

    def _score(self, rows: ProbeRows, numbers: Sequence[int], xq: np.ndarray) -> None:
        doubt = error_share(xq.shape[1])
        rough = rows.rough(xq)
        most = rough.max(axis=1, initial=-np.inf)
        for i, number in enumerate(numbers):
            query, best = self._queries[number], self._best.get(number, [])
            kept = query.candidates
            floor = best[-1][0] if len(best) == kept else -np.inf
            if most[i] < floor - doubt:
                continue
            places = rows.admitted(query)
            places = places[contenders(rough[i, places], kept, floor, doubt)]
            if len(places):
                best = best_first([*best, *rows.scored(xq[i], places)], kept)
                self._best[number] = rows.told(best, with_vector=query.with_vectors)

    def answers(self) -> Iterator[tuple[int, list[Found]]]:
        """(query number, its best so far) by number; queries without any are left out."""
        yield from ((number, self._best[number]) for number in sorted(self._best))


def merged(query: ProbeQuery, lists: Iterable[Sequence[Found]]) -> list[Answer]:
    """The answers `[score, image_id, fields]` to a query, of what several tasks found."""
    best = best_first(itertools.chain.from_iterable(lists), query.candidates)
    least = -math.inf if query.min_score is None else query.min_score
    answers: list[Answer] = [
        [score, name, json.loads(text)] for score, name, text in best if score >= least
    ]
    if query.rank_by == WORDS or not answers:
        return answers
    x = None
    if query.with_vectors:
        x = np.stack([decode_vector(fields.pop(VECTOR)) for *_, fields in answers])
    return arranged(answers, x, query.rank_by, query.top_k, fold=query.fold)
