"""Searching by the index: cells to probe, one job for all queries, and its answers."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from driver.pipeline.pipeline import Pipeline
from driver.search.answers import Question
from driver.search.index_queries import find_labels, find_rows, give_vectors, mean_question
from driver.search.queries import look_at
from driver.stages.recall import at_once, probe_cells
from mapsight.labels.classify import Classifier
from mapsight.labels.head import DRAWING, PHOTO
from mapsight.records import OTHER
from mapsight.search.filters import RowFilter
from mapsight.search.probe_plan import Choice, choose_nearest
from mapsight.search.queries import ProbeQuery
from mapsight.search.search_index import SearchIndex

__all__ = ["Rounds", "Scorer", "answer_by_index"]

Scorer = Callable[
    [SearchIndex, np.ndarray, Sequence[ProbeQuery], Sequence[np.ndarray], int],
    Iterable[tuple[int, list[Any]]],
]
"""What scores cells, as `probe_run.probe_cells` does by a job."""


def answer_by_index(
    run: Pipeline,
    index: SearchIndex,
    questions: Sequence[Question],
    classifier: Classifier,
    label: str | None,
    scorer: Scorer | None = None,
) -> list[Question]:
    """Give each question its answers; with --mean, one question, or those that keep it away.

    Args:
        label: that answers must have; None for any.
        scorer: of cells; None runs a job.
    """
    labels = [*classifier.labeler.targets, OTHER]
    find_labels(index, questions, labels, run.options.style)
    find_rows(run.workspace, index, questions, labels)
    look_at(run, questions, classifier)
    give_vectors(questions, classifier.head)
    asked = mean_question(questions) if run.options.mean else list(questions)
    good = [question for question in asked if not question.error]
    if good:
        scorer = scorer or partial(probe_cells, run)
        rounds = Rounds(run.options, index, good, label, scorer)
        rounds.to_the_end()
        if not (run.options.each or _says_it(run.options, asked)):
            sys.stderr.write(f"{rounds.summary()}\n")
    return asked


def _says_it(options: Namespace, asked: Sequence[Question]) -> bool:
    """Whether the table on standard output ends with what was read, so that nobody else need."""
    return len(asked) == 1 and options.format == "table" and not options.out


class Rounds:
    """One job for all queries, and more for those that filters leave short of answers.

    A round probes twice the cells of the one before, all over again: its answers need no
    merging, and all rounds together read at most twice what the last one does.
    """

    def __init__(
        self,
        options: Namespace,
        index: SearchIndex,
        questions: Sequence[Question],
        label: str | None,
        scorer: Scorer,
    ) -> None:
        self._options, self._index, self._questions = options, index, questions
        self._scorer = scorer
        styled = bool(index.cells.styles)
        self._queries = [_query(question, options, label, styled) for question in questions]
        known, wanted = index.features(), options.features
        self._features = wanted if wanted in known else next(iter(known))
        self._d = known[self._features]
        self._read: set[int] = set()

    def to_the_end(self) -> None:
        """Probe until every query has its answers or no cell is left that may have more."""
        usual = self._index.probe_for(self._features, self._options.recall)
        probe = self._options.probe or usual
        pending = list(range(len(self._questions)))
        while pending:
            for some in at_once(pending, self._queries[0], self._d):
                self._probe(some, probe)
            pending = [i for i in pending if self._short(i)]
            probe *= 2

    def summary(self) -> str:
        """What was read of the index, in a line."""
        index, cells = self._index, sorted(self._read)
        rows, size = int(index.cells.rows[cells].sum()), int(index.cell_bytes[cells].sum())
        return (
            f"index: {len(cells):,} of {len(index.centres):,} cells read,"
            f" {rows / int(index.cells.rows.sum()):.1%} of {index.rows:,} pictures,"
            f" {size / 1e6:,.1f} MB"
        )

    def _probe(self, numbers: Sequence[int], probe: int) -> None:
        some = [self._questions[i] for i in numbers]
        queries = [self._queries[i] for i in numbers]
        vectors = np.stack([question.vector for question in some if question.vector is not None])
        choices = list(self._choices(vectors, queries, probe))
        counts = self._index.cells.rows
        for question, (cells, exhausted) in zip(some, choices, strict=True):
            question.answers = []
            question.probed, question.exhausted = len(cells), exhausted
            question.share = int(counts[cells].sum()) / int(counts.sum())
            self._read.update(cells.tolist())
        chosen = [cells for cells, _ in choices]
        for number, answers in self._scorer(self._index, vectors, queries, chosen, self._d):
            some[number].answers = list(_told(some[number].typed, answers))

    def _choices(
        self, vectors: np.ndarray, queries: Sequence[ProbeQuery], probe: int
    ) -> Iterator[Choice]:
        for nearest, query in zip(self._index.rankings(vectors, self._d), queries, strict=True):
            fitting = self._index.cells.fitting(query.filter.label, query.filter.style)
            least = query.candidates + len(query.exclude_ids)
            yield choose_nearest(nearest, fitting, probe, least)

    def _short(self, number: int) -> bool:
        question, query = self._questions[number], self._queries[number]
        found = sum(1 + answer.get("copies", 0) for answer in question.answers)
        return found < query.top_k and not question.exhausted


def _query(question: Question, options: Namespace, label: str | None, styled: bool) -> ProbeQuery:
    """A question as tasks read it; `styled` tells whether pictures of the index have styles."""
    question.filter = label
    style = question.style if options.style in (None, "same") else options.style
    question.only_style = style if styled and style in (PHOTO, DRAWING) else ""
    members = (question.members or [question]) if options.exclude_self else []
    digests = (q.sha256 or (q.record or {}).get("sha256") for q in members)
    return ProbeQuery(
        top_k=options.top_k,
        filter=RowFilter(
            label=label or "",
            style=question.only_style,
            min_ppi=options.min_ppi,
            license=options.license or "",
            subset=options.subset or "",
        ),
        exclude_ids=tuple(q.image_id for q in members if q.image_id),
        exclude_sha256=tuple(digest for digest in digests if digest),
        rank_by=options.rank_by or "score",
    )


def _told(typed: str, answers: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for rank, (score, image_id, fields) in enumerate(answers, 1):
        place = {"query": typed, "rank": rank, "image_id": image_id}
        yield {**place, **fields, "score": round(score, 6)}
