"""Searching by the index: rows of queries, cells to probe, one job for all, and its answers."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from driver.answers import Question
from driver.index_files import SearchIndex
from driver.pipeline import Pipeline
from mapsight.head import Head
from mapsight.index_filter import RowFilter
from mapsight.new_features import vectors_for
from mapsight.probe_plan import Choice, blocks_of, choose, in_order, probe_lines, usual_probe
from mapsight.probe_queries import ProbeQuery, write_queries
from mapsight.records import decode_embedding
from mapsight.results import merged_records

__all__ = ["answer_by_index", "counted_d", "find_rows", "probe_cells"]

ANSWER_BYTES = 600
QUERIES = "queries.arrow"


def find_rows(index: SearchIndex, questions: Sequence[Question]) -> None:
    """The rows of queries that are ids: of each, a file of ids and the blocks of a cell."""
    rows = index.rows_of([q.image_id for q in questions if q.image_id])
    for question in questions:
        if question.image_id:
            question.record = rows.get(question.image_id)
            if question.record is None:
                question.error = "no such file, and no picture with this image_id in the index"
            else:
                question.vector = question.record["vector"]


def vectors_of(questions: Sequence[Question], head: Head | None) -> np.ndarray:
    """The new features of all queries: (n, d) int16."""
    return np.stack([_vector(question, head) for question in questions])


def _vector(question: Question, head: Head | None) -> np.ndarray:
    if question.vector is not None:
        return question.vector
    assert question.record is not None
    return vectors_for(decode_embedding(question.record["embedding"])[None], head)[0]


def answer_by_index(
    run: Pipeline,
    index: SearchIndex,
    questions: Sequence[Question],
    head: Head | None,
    label: str | None,
) -> None:
    """Give each question its answers: one job, and more for those that filters leave short."""
    options = run.options
    asked = [question for question in questions if not question.error]
    if not asked:
        return
    vectors = vectors_of(asked, head)
    queries = [_query(question, options, label) for question in asked]
    probe = options.probe or usual_probe(len(index.centres))
    read: set[int] = set()
    pending = list(range(len(asked)))
    while pending:
        some = [queries[i] for i in pending]
        choices = _choices(index, vectors[pending], some, probe)
        found = probe_cells(run, index, vectors[pending], some, [cells for cells, _ in choices])
        for question in (asked[i] for i in pending):
            question.answers = []
        for number, answers in found:
            question = asked[pending[number]]
            question.answers = list(_told(question.typed, answers))
        for i, (cells, exhausted) in zip(pending, choices, strict=True):
            asked[i].probed, asked[i].exhausted = len(cells), exhausted
            asked[i].share = int(index.cells.rows[cells].sum()) / index.rows
            read.update(cells.tolist())
        pending = [i for i in pending if _goes_on(asked[i], options.top_k)]
        probe *= 2
    rows = int(index.cells.rows[sorted(read)].sum())
    sys.stderr.write(
        f"index: {len(read):,} of {len(index.centres):,} cells read, {rows / index.rows:.1%} of"
        f" {index.rows:,} pictures\n"
    )


def _goes_on(question: Question, top_k: int) -> bool:
    return len(question.answers) < top_k and not question.exhausted


def _choices(
    index: SearchIndex, vectors: np.ndarray, queries: Sequence[ProbeQuery], probe: int
) -> list[Choice]:
    return [
        choose(ranked, index.cells.fitting(query.filter), probe, query.candidates + 1)
        for ranked, query in zip(in_order(index.centres, vectors), queries, strict=True)
    ]


def probe_cells(
    run: Pipeline,
    index: SearchIndex,
    vectors: np.ndarray,
    queries: Sequence[ProbeQuery],
    cells: Sequence[np.ndarray],
    d: int | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """Run all queries as one job, each over its cells; (number, answers) by number.

    Args:
        vectors: (n, d) int16.
        d: how many numbers of vectors count; None as --features says.
    """
    wants: dict[int, list[int]] = {}
    for number, chosen in enumerate(cells):
        for cell in chosen.tolist():
            wants.setdefault(cell, []).append(number)
    if not wants:
        return
    path = run.scratch / QUERIES
    write_queries(path, vectors, queries)
    blocks = blocks_of(index.blocks, wants)
    lines = list(probe_lines(blocks, wants, index.folder))
    arguments = ["--queries", str(path)]
    counted = d or counted_d(run.options, index.facts)
    if counted < index.facts["d"]:
        arguments += ["--plain-d", str(counted)]
    size = ANSWER_BYTES * sum(query.candidates for query in queries) * min(len(lines), 8)
    output = run.collect("probe", run.manifest(lines), arguments, size)
    for number, answers in merged_records(output):
        yield int(number), answers


def counted_d(options: Namespace, facts: Mapping[str, Any]) -> int:
    """How many numbers of stored vectors count, by --features."""
    return int(facts["plain_d"] if options.features == "plain" else facts["d"])


def _query(question: Question, options: Namespace, label: str | None) -> ProbeQuery:
    assert question.record is not None
    question.filter = label
    exclude, digest = options.exclude_self, question.sha256 or question.record["sha256"]
    return ProbeQuery(
        top_k=options.top_k,
        filter=RowFilter(label=label or "", min_ppi=options.min_ppi),
        exclude_id=question.image_id if exclude else None,
        exclude_sha256=digest if exclude else None,
    )


def _told(typed: str, answers: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for rank, (score, image_id, fields) in enumerate(answers, 1):
        yield {
            "query": typed,
            "rank": rank,
            "image_id": image_id,
            **fields,
            "score": round(score, 6),
        }
