"""Searching by the index: cells to probe, all queries together, and their answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mapsight.index.rows import BLOCK_ROWS
from mapsight.labels.head import DRAWING, PHOTO
from mapsight.search.by_words.find import find_words
from mapsight.search.by_words.rank import likeliest, ranked_by_words
from mapsight.search.filters import RowFilter
from mapsight.search.index_queries import (
    find_labels,
    find_rows,
    give_vectors,
    mean_question,
    place_numbers,
)
from mapsight.search.options import SearchOptions
from mapsight.search.probe import Probe, merged
from mapsight.search.probe_plan import Choice, choose_nearest, queries_by_cell
from mapsight.search.queries import WORDS, GivenQueries, ProbeQuery, at_once
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question, percent_of
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.workspace import Workspace

__all__ = ["Rounds", "Scorer", "answer_by_index", "probe_here"]

Scorer = Callable[
    [SearchIndex, np.ndarray, Sequence[ProbeQuery], Sequence[np.ndarray], int],
    Iterable[tuple[int, list[Any]]],
]
"""What scores cells: `probe_here` in this process, or a job."""
WORDS_PROBE = 2
"""How many times the usual number of cells a direction of words needs: it is like no picture."""
TOGETHER = 8 * BLOCK_ROWS
"""Rows scored together by `probe_here`: those of several cells for one query."""


def answer_by_index(
    workspace: Workspace,
    index: SearchIndex,
    questions: Sequence[Question],
    options: SearchOptions,
    labels: Sequence[str],
    pictures: QueryPictures,
    scorer: Scorer,
) -> tuple[list[Question], Rounds | None]:
    """Give each question its answers; with `mean`, one question, or those that keep it away.

    Args:
        labels: whose names are queries; other words are understood by the model's classes.
        pictures: what looks at pictures from outside.
        scorer: of cells.

    Returns:
        The questions that were asked, and what was read for them; None where all have an error.
    """
    options = place_numbers(workspace, index, questions, options, pictures)
    find_labels(index, questions, labels, options.style)
    find_rows(workspace, index, questions)
    find_words(workspace, index, questions, labels, pictures, options.style)
    pictures.look_at(questions, allow_private=options.allow_private)
    give_vectors(questions, pictures)
    asked = mean_question(questions) if options.mean else list(questions)
    good = [question for question in asked if not question.error]
    if not good:
        return asked, None
    rounds = Rounds(options, index, good, scorer)
    rounds.to_the_end()
    return asked, rounds


class Rounds:
    """Probes for all queries together, and more for those that filters leave short of answers.

    A round probes twice the cells of the one before, all over again: its answers need no
    merging, and all rounds together read at most twice what the last one does.
    """

    def __init__(
        self,
        options: SearchOptions,
        index: SearchIndex,
        questions: Sequence[Question],
        scorer: Scorer,
    ) -> None:
        self._options, self._index, self._questions = options, index, questions
        self._scorer = scorer
        styled = bool(index.cells.styles)
        self._queries = [_query(question, options, styled) for question in questions]
        known, wanted = index.features(), options.features
        self._features = wanted if wanted in known else next(iter(known))
        self._d = known[self._features]
        self._read: set[int] = set()
        self._seen: dict[int, int] = {}
        self._best: dict[int, Any] = {}

    def to_the_end(self) -> None:
        """Probe until every query has its answers or no cell is left that may have more."""
        usual = self._index.probe_for(self._features, self._options.recall)
        probe = self._options.probe or usual
        pending = list(range(len(self._questions)))
        while pending:
            self._best = {i: [] for i in pending}
            self._chosen: dict[int, list[Choice]] = {i: [] for i in pending}
            asks = [(i, vector) for i in pending for vector in _vectors(self._questions[i])]
            sizes = [self._queries[i].bytes_for(self._d) for i, _ in asks]
            for some in at_once(asks, sizes):
                self._probe(some, probe)
            for i in pending:
                self._settle(i)
            pending = [i for i in pending if self._short(i)]
            probe *= 2
        least = self._options.min_score
        if least is not None:
            for question in self._questions:
                question.answers = [one for one in question.answers if one["score"] >= least]

    def summary(self) -> str:
        """Return what was read of the index, in a line."""
        index, cells = self._index, sorted(self._read)
        rows, size = int(index.cells.rows[cells].sum()), index.bytes_of(cells)
        return (
            f"index: {len(cells):,} of {len(index.centres):,} cells read,"
            f" {rows / int(index.cells.rows.sum()):.1%} of {index.rows:,} pictures,"
            f" {size / 1e6:,.1f} MB"
        )

    def _probe(self, asks: Sequence[tuple[int, np.ndarray]], probe: int) -> None:
        """Probe for some queries, each with a vector: those of words come once a direction."""
        vectors = np.stack([vector for _, vector in asks])
        asked = [i for i, _ in asks]
        choices = list(self._choices(vectors, asked, probe))
        queries, chosen = [self._queries[i] for i in asked], [cells for cells, _ in choices]
        for number, answers in self._scorer(self._index, vectors, queries, chosen, self._d):
            i, options = asked[number], self._options
            if self._questions[i].odds:
                answers = likeliest(self._questions[i], self._best[i], answers, options)
            self._best[i] = answers
        for i, choice in zip(asked, choices, strict=True):
            self._chosen[i].append(choice)

    def _settle(self, number: int) -> None:
        """Give a query its answers, and note in it what was read for them."""
        question, counts = self._questions[number], self._index.cells.rows
        choices, best = self._chosen[number], self._best[number]
        cells = np.unique(np.concatenate([cells for cells, _ in choices]))
        question.probed, question.exhausted = len(cells), all(done for _, done in choices)
        question.share = int(counts[cells].sum()) / int(counts.sum())
        self._read.update(cells.tolist())
        self._seen[number] = len(best)
        if question.odds:
            best = ranked_by_words(best, self._options)
        question.answers = list(_ranked(question.typed, best))

    def _choices(self, vectors: np.ndarray, asked: Sequence[int], probe: int) -> Iterator[Choice]:
        for nearest, number in zip(self._index.rankings(vectors, self._d), asked, strict=True):
            query, shares = self._queries[number], len(_vectors(self._questions[number]))
            fitting = self._index.cells.fitting(query.filter.label, query.filter.style)
            least = query.candidates + len(query.exclude_ids)
            each = probe
            if self._questions[number].odds and not self._options.probe:
                each = math.ceil(WORDS_PROBE * probe / math.sqrt(shares))
            yield choose_nearest(nearest, fitting, each, least)

    def _short(self, number: int) -> bool:
        question, query = self._questions[number], self._queries[number]
        if query.min_score is not None and query.filter.told_by_cells:
            return False  # pictures below it were seen, and those of other cells are less alike
        found = sum(1 + answer.get("copies", 0) for answer in question.answers)
        if question.odds and self._options.min_score is not None:
            found = self._seen[number]
        return found < query.top_k and not question.exhausted


def _vectors(question: Question) -> np.ndarray:
    """Return what a query is compared by: (n, d) int16."""
    assert question.vector is not None
    return question.vector[None] if question.directions is None else question.directions


def _query(question: Question, options: SearchOptions, styled: bool) -> ProbeQuery:
    """Return a question as tasks read it; `styled`: pictures of the index have styles."""
    question.filter = options.label
    style = question.style if options.style in (None, "same") else options.style
    question.only_style = style if styled and style in (PHOTO, DRAWING) else ""
    for member in question.members:
        member.only_style = question.only_style
    members = (question.members or [question]) if options.exclude_self else []
    digests = (q.sha256 or (q.record or {}).get("sha256") for q in members)
    return ProbeQuery(
        top_k=options.top_k,
        filter=RowFilter(
            label=options.label or "",
            style=question.only_style,
            min_ppi=options.min_ppi,
            license=options.license or "",
            subset=options.subset or "",
            not_labels=question.not_labels,
            not_classes=question.not_classes,
            **options.flag_bits,
        ),
        exclude_ids=tuple(q.image_id for q in members if q.image_id),
        exclude_sha256=tuple(digest for digest in digests if digest),
        rank_by=WORDS if question.odds else options.rank_by or "score",
        fold=options.is_folded and not question.odds,
        min_score=options.min_score if options.cuts_early and not question.odds else None,
    )


def _ranked(typed: str, answers: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for rank, (score, image_id, fields) in enumerate(answers, 1):
        place = {"query": typed, "rank": rank, "image_id": image_id}
        yield {**place, **fields, "score": round(score, 6), "percent": percent_of(score)}


def probe_here(
    index: SearchIndex,
    vectors: np.ndarray,
    queries: Sequence[ProbeQuery],
    cells: Sequence[np.ndarray],
    d: int,
) -> Iterator[tuple[int, list[Any]]]:
    """Score cells for all queries in this process, each cell once; (number, answers) by number.

    Memory: what the index holds while it reads, TOGETHER rows, and the answers so far.

    Args:
        vectors: (n, d) int16.
        d: how many numbers of vectors count.
    """
    given = GivenQueries(vectors, queries)
    probe = Probe(given, d, TOGETHER)
    probe.add_blocks(index.wanted(queries_by_cell(cells)))
    for number, best in probe.answers():
        yield number, merged(given[number], [best])
