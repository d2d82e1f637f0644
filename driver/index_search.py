"""Searching by the index: cells to probe, one job for all queries, and its answers."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from driver.answers import Question
from driver.index_files import SearchIndex
from driver.index_queries import find_labels, find_rows, give_vectors, mean_question
from driver.pipeline import Pipeline
from driver.probe_run import at_once, probe_cells
from driver.queries import look_at
from driver.recall_stage import default_probe
from mapsight.classify import Classifier
from mapsight.head import DRAWING, PHOTO
from mapsight.index_filter import RowFilter
from mapsight.probe_plan import Choice, blocks_of, choose
from mapsight.probe_queries import ProbeQuery

__all__ = ["answer_by_index"]


def answer_by_index(
    run: Pipeline,
    index: SearchIndex,
    questions: Sequence[Question],
    classifier: Classifier,
    label: str | None,
) -> list[Question]:
    """Give each question its answers; with --mean, the questions that are left.

    Args:
        label: that answers must have; None for any.
    """
    find_labels(index, questions, classifier.labeler.targets, run.options.style)
    find_rows(run.workspace, index, questions)
    look_at(run, questions, classifier)
    give_vectors(questions, classifier.head)
    asked = mean_question(questions) if run.options.mean else list(questions)
    good = [question for question in asked if not question.error]
    if good:
        _Rounds(run, index, good, label).to_the_end()
    return asked


class _Rounds:
    """One job for all queries, and more for those that filters leave short of answers.

    A round probes twice the cells of the one before, all over again: its answers need no
    merging, and all rounds together read at most twice what the last one does.
    """

    def __init__(
        self,
        run: Pipeline,
        index: SearchIndex,
        questions: Sequence[Question],
        label: str | None,
    ) -> None:
        self._run, self._index, self._questions = run, index, questions
        self._queries = [_query(question, run.options, label) for question in questions]
        known, wanted = index.features(), run.options.features
        self._features = wanted if wanted in known else next(iter(known))
        self._d = known[self._features]
        self._read: set[int] = set()

    def to_the_end(self) -> None:
        """Probe until every query has its answers or no cell is left that may have more."""
        options, index = self._run.options, self._index
        k = len(index.centres)
        usual = default_probe(self._run.workspace, k, self._features, options.recall)
        probe = options.probe or usual
        pending = list(range(len(self._questions)))
        while pending:
            for some in at_once(pending, self._queries[0], self._d):
                self._probe(some, probe)
            pending = [i for i in pending if self._short(i)]
            probe *= 2
        blocks = blocks_of(index.blocks, self._read)
        rows, size = (sum(getattr(b, unit) for b in blocks) for unit in ("rows", "bytes"))
        share = rows / int(index.cells.rows.sum())
        sys.stderr.write(
            f"index: {len(self._read):,} of {k:,} cells read, {share:.1%} of"
            f" {index.rows:,} pictures, {size / 1e6:,.1f} MB\n"
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
        for number, answers in probe_cells(
            self._run, self._index, vectors, queries, chosen, self._d
        ):
            some[number].answers = list(_told(some[number].typed, answers))

    def _choices(
        self, vectors: np.ndarray, queries: Sequence[ProbeQuery], probe: int
    ) -> Iterator[Choice]:
        for ranked, query in zip(self._index.in_order(vectors, self._d), queries, strict=True):
            fitting = self._index.cells.fitting(query.filter.label, query.filter.style)
            least = query.candidates + len(query.exclude_ids)
            yield choose(ranked, fitting, probe, least)

    def _short(self, number: int) -> bool:
        question, query = self._questions[number], self._queries[number]
        found = sum(1 + answer.get("copies", 0) for answer in question.answers)
        return found < query.top_k and not question.exhausted


def _query(question: Question, options: Namespace, label: str | None) -> ProbeQuery:
    question.filter = label
    style = question.style if options.style in (None, "same") else options.style
    question.only_style = style if style in (PHOTO, DRAWING) else ""
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
