"""The command search by all features or labels: a job that reads every picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.search.vectors import check_lengths
from driver.stages.recall import removed_arguments
from mapsight.index.collection import Collection
from mapsight.labels.made_with import settings_of, targets_of
from mapsight.results.predictions import merged_records
from mapsight.search.by_scan import (
    Scan,
    addresses_of,
    answer_by_scan,
    embedding_length,
    stage_of,
)
from mapsight.search.exact import Answer, Query
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question

__all__ = ["FIND_IMAGES", "scan_answerer"]

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
    options, by = replace(run.options_of(SearchOptions), label=label), run.options_of(Asked).by
    labels = targets_of(run.documents["classify"])
    scan = _by_jobs(run, collection, options, by, head)

    def answer(questions: list[Question]) -> list[Question]:
        if any(question.numbers is not None for question in questions):
            check_lengths(questions, [embedding_length(collection)])
        answer_by_scan(collection, questions, options, by, labels, pictures, scan)
        return questions

    return answer


def _by_jobs(
    run: Pipeline, collection: Collection, options: SearchOptions, by: str, head: Path | None
) -> Scan:
    labels, diagonal = settings_of(run.documents["classify"])
    usual = ["--by", by, *removed_arguments(collection.removed)]
    usual += ["--head", str(head)] if head else []
    usual += ["--screen-diagonal", str(diagonal)] if diagonal else []

    def find(wanted: Sequence[str]) -> Iterator[tuple[str, Any]]:
        ids = run.side_file("ids.json", json.dumps(wanted))
        addresses = collection.addresses(stage_of(by))
        yield from merged_records(run.collect(FIND_IMAGES, addresses, ["--ids", ids]))

    def match(queries: Sequence[Query]) -> Iterator[tuple[int, Sequence[Answer]]]:
        lines = "".join(f"{query.to_json()}\n" for query in queries)
        arguments = ["--queries", run.side_file("queries.jsonl", lines), *usual]
        arguments += ["--targets", run.side_file("targets.json", labels.to_json())]
        answers_bytes = ANSWER_BYTES * sum(query.top_k for query in queries)
        addresses = addresses_of(collection, by, options)
        output = run.collect(SEARCH_IMAGES, addresses, arguments, answers_bytes)
        for number, answers in merged_records(output):
            yield int(number), answers

    return Scan(find, match)
