"""The command search by all features or labels: a job that reads every picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.stages.recall import removed_arguments
from mapsight.index.collection import Collection
from mapsight.labels.made_with import settings_of
from mapsight.records import OTHER
from mapsight.results.predictions import merged_records
from mapsight.search.exact import Query
from mapsight.search.index_queries import REMOVED
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question

__all__ = ["scan_answerer"]

FIND_IMAGES = Job("mr_jobs.find_images", reduces=False)
SEARCH_IMAGES = Job("mr_jobs.search_images")
ANSWER_BYTES = 500


def scan_answerer(
    run: Pipeline,
    collection: Collection,
    pictures: QueryPictures,
    label: str | None,
    head: Path | None,
) -> Callable[[list[Question]], list[Question]]:
    """Return what gives questions their answers: a job that finds the ids, and one that searches.

    Args:
        label: that answers must have; None for any.
        head: a file; None labels by the model's own classes.
    """
    settings, diagonal = settings_of(run.documents["classify"])
    allow_private = run.options_of(SearchOptions).allow_private
    arguments = ["--by", run.options_of(Asked).by, *removed_arguments(collection.removed)]
    arguments += ["--head", str(head)] if head else []
    arguments += ["--screen-diagonal", str(diagonal)] if diagonal else []

    def answer(questions: list[Question]) -> list[Question]:
        _look_up(run, collection, questions, settings["targets"])
        pictures.look_at(questions, allow_private=allow_private)
        targets = run.side_file("targets.json", json.dumps(settings))
        _answer(run, collection, questions, label, [*arguments, "--targets", targets])
        return questions

    return answer


def _stage(run: Pipeline) -> str:
    """Return the stage whose records are read."""
    return "extract" if run.options_of(Asked).by == "features" else "classify"


def _look_up(
    run: Pipeline, collection: Collection, questions: Sequence[Question], targets: Sequence[str]
) -> None:
    """Find the records of queries that are ids, all in one job."""
    wanted = sorted({q.image_id for q in questions if q.image_id})
    if not wanted:
        return
    ids = run.side_file("ids.json", json.dumps(wanted))
    addresses = collection.addresses(_stage(run))
    output = run.collect(FIND_IMAGES, addresses, ["--ids", ids])
    records: dict[str, Any] = {}
    removed: set[str] = set()
    labels = {label.casefold() for label in (*targets, OTHER)}
    for image_id, record in merged_records(output):
        if "error" in record:
            records.setdefault(image_id, record)
        elif collection.removed.hides(image_id, record.get("part", 0)):
            removed.add(image_id)
        else:
            records[image_id] = record
    for question in questions:
        if question.image_id:
            question.record = records.get(question.image_id)
            question.error = _why_not(question, labels)
            if question.error and question.image_id in removed:
                question.error = REMOVED


def _why_not(question: Question, labels: set[str]) -> str | None:
    if question.record is None:
        why = "no such file or image_id (results/predictions.parquet lists the ids)"
        is_label = question.typed.casefold() in labels
        return f"{why}; the name of a label is a query only --by index" if is_label else why
    if "error" in question.record:
        return f"this picture was rejected: {question.record['error']}, {question.record['detail']}"
    return None


def _answer(
    run: Pipeline,
    collection: Collection,
    questions: Sequence[Question],
    label: str | None,
    arguments: Sequence[str],
) -> None:
    """Run all queries as one job and give each question its answers."""
    options, by = run.options_of(SearchOptions), run.options_of(Asked).by
    queries = [_query(n, q, options, by, label) for n, q in enumerate(questions) if not q.error]
    if not queries:
        return
    lines = "".join(f"{query.to_json()}\n" for query in queries)
    arguments = ["--queries", run.side_file("queries.jsonl", lines), *arguments]
    answers_bytes = ANSWER_BYTES * options.top_k * len(queries)
    addresses = collection.addresses(_stage(run))
    output = run.collect(SEARCH_IMAGES, addresses, arguments, answers_bytes)
    for number, answers in merged_records(output):
        question = questions[int(number)]
        question.answers = [
            {"query": question.typed, "rank": rank, "image_id": image_id, **fields}
            | {"score": fields["label_score"] if by == "label" else round(score, 6)}
            for rank, (score, image_id, fields) in enumerate(answers, 1)
        ]


def _query(
    number: int, question: Question, options: SearchOptions, by: str, label: str | None
) -> Query:
    assert question.record is not None
    question.filter = label or (question.label if by == "label" else None)
    exclude, digest = options.exclude_self, question.sha256 or question.record["sha256"]
    return Query(
        number=number,
        top_k=options.top_k,
        embedding=question.record.get("embedding", ""),
        label=question.filter,
        min_ppi=options.min_ppi,
        exclude_id=question.image_id if exclude else None,
        exclude_sha256=digest if exclude else None,
    )
