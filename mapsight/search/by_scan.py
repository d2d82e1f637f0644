"""Searching all features or all labels: queries, and what a pass over all records finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from typing import Any

import numpy as np

from mapsight.index.collection import Collection as Parts
from mapsight.index.collection import collection_of
from mapsight.index.removed_ids import IdList
from mapsight.labels.classify import Classifier
from mapsight.labels.flags import ODD
from mapsight.labels.head import Head, load_head
from mapsight.labels.made_with import head_file, labeler_of, settings_of, why_foreign
from mapsight.records import OTHER, decode_embedding, encode_vector, is_picture
from mapsight.results.predictions import find_records, records_of
from mapsight.search.choices import INDEX_ONLY
from mapsight.search.credits import give_credit, known_predictions
from mapsight.search.exact import Answer, Query, Search
from mapsight.search.index_queries import REMOVED
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures, question_of
from mapsight.search.question import (
    FIELDS,
    Question,
    answer_rows,
    percent_of,
    raise_first,
    whole_numbers,
)
from mapsight.text_files import special_kind
from mapsight.workspace.workspace import Workspace

__all__ = [
    "NOTHING",
    "Scan",
    "Scanner",
    "addresses_of",
    "answer_by_scan",
    "embedding_length",
    "stage_of",
]

FEATURES = "features"
NOTHING = "no pictures have been classified; run the pipeline first"


@dataclass(frozen=True)
class Scan:
    """What a pass over all records is made by: jobs, or in this process.

    Args:
        find: returns (image_id, record) for some ids, in the order of their bytes.
        match: returns (number of the query, its best answers) for queries.
    """

    find: Callable[[Sequence[str]], Iterable[tuple[str, Any]]]
    match: Callable[[Sequence[Query]], Iterable[tuple[int, Sequence[Answer]]]]


def stage_of(by: str) -> str:
    """Return the stage whose records are read."""
    return "extract" if by == FEATURES else "classify"


def addresses_of(parts: Parts, by: str, options: SearchOptions) -> list[str]:
    """Return the addresses of the records that are compared, with what filters need of them."""
    if by == FEATURES and (options.license or options.subset):
        return parts.joined()
    return parts.addresses(stage_of(by))


def answer_by_scan(
    collection: Parts,
    questions: Sequence[Question],
    options: SearchOptions,
    by: str,
    labels: Collection[str],
    pictures: QueryPictures,
    scan: Scan,
) -> None:
    """Give each question its answers, or its error.

    Args:
        by: features or label.
        labels: that are no queries here, of which a message tells.
        pictures: what looks at pictures from outside.
        scan: of all records.
    """
    _place_numbers(collection, questions, by)
    _look_up(collection, questions, {label.casefold() for label in (*labels, OTHER)}, scan)
    pictures.look_at(questions, allow_private=options.allow_private)
    queries = [_query(n, q, options, by) for n, q in enumerate(questions) if not q.error]
    for number, answers in scan.match(queries) if queries else ():
        question = questions[number]
        question.answers = [
            {"query": question.typed, "rank": rank, "image_id": image_id, **fields}
            | _scores(score, fields, by)
            for rank, (score, image_id, fields) in enumerate(answers, 1)
        ]


def _place_numbers(collection: Parts, questions: Sequence[Question], by: str) -> None:
    """Make records of queries that are vectors from elsewhere.

    Raises:
        ValueError: one has not as many numbers as embeddings have, or labels are asked for.
    """
    vectors = [(q, q.numbers) for q in questions if q.numbers is not None and not q.error]
    if vectors and by != FEATURES:
        raise ValueError("a vector has no label: it is a query by index or by features")
    length = embedding_length(collection) if vectors else 0
    for question, numbers in vectors:
        question.vector = whole_numbers(numbers, [length])
        embedding = encode_vector(question.vector)
        question.record = {"embedding": embedding, "label": None, "sha256": None}


def embedding_length(collection: Parts) -> int:
    """Return how many numbers an embedding has: those of the first picture; 0 without one."""
    records = records_of(collection.addresses("extract"))
    first = next((record for _, record in records if is_picture(record)), None)
    return len(decode_embedding(first["embedding"])) if first else 0


def _scores(score: float, fields: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Return what is said of an answer's likeness: by label how sure its label is."""
    if by == FEATURES:
        return {"score": round(score, 6), "percent": percent_of(score)}
    return {"score": fields["label_score"], "percent": None}


def _look_up(
    collection: Parts, questions: Sequence[Question], labels: Collection[str], scan: Scan
) -> None:
    """Find the records of queries that are ids, all in one pass."""
    wanted = sorted({q.image_id for q in questions if q.image_id})
    records: dict[str, Any] = {}
    removed: set[str] = set()
    for image_id, record in scan.find(wanted) if wanted else ():
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


def _why_not(question: Question, labels: Collection[str]) -> str | None:
    if question.record is None:
        why = "no such file or image_id (results/predictions.parquet lists the ids)"
        if question.typed.casefold() in labels:
            return f"{why}; the name of a label is a query only --by index"
        looks_like_words = question.typed.replace(" ", "").isalpha()
        return f"{why}; words are a query only --by index" if looks_like_words else why
    if "error" in question.record:
        return f"this picture was rejected: {question.record['error']}, {question.record['detail']}"
    return None


def _query(number: int, question: Question, options: SearchOptions, by: str) -> Query:
    assert question.record is not None
    question.filter = options.label or (question.label if by == "label" else None)
    exclude, digest = options.exclude_self, question.sha256 or question.record["sha256"]
    return Query(
        number=number,
        top_k=options.top_k,
        embedding=question.record.get("embedding", ""),
        label=question.filter,
        min_ppi=options.min_ppi,
        style=_style(question, options),
        license=options.license or "",
        subset=options.subset or "",
        min_score=options.min_score,
        **options.flag_bits,
        exclude_id=question.image_id if exclude else None,
        exclude_sha256=digest if exclude else None,
    )


def _style(question: Question, options: SearchOptions) -> str:
    """Return the style that answers must have; "" for any, which is usual here."""
    if options.style == "same":
        return question.style or ""
    return "" if options.style in (None, "any") else options.style


class Scanner:
    """Answers queries in this process by a pass over the records of all pictures.

    The answers are those of `mapsight search --by features` and `--by label` for the same
    options. Each call reads all features (for label all predictions), and twice where ids are
    among the queries: 4 kB and 1 kB a picture. Memory: a block of records, and `top_k` answers
    a query.

    Raises:
        Failure: no pictures have been classified, or a part has changed.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        stages = ("extract", "classify")
        self._documents = {stage: workspace.required(stage, NOTHING) for stage in stages}
        self._labels, self._diagonal = settings_of(self._documents["classify"])

    def search_many(
        self,
        queries: Sequence[Any],
        top_k: int = 10,
        *,
        by: str = FEATURES,
        head: str | PathLike[str] | None = None,
        **others: Any,
    ) -> list[list[dict[str, Any]]]:
        """Return the answers to each query: the objects that the command writes as JSON.

        Args:
            queries: each a path, a URL, an image_id, or by features an embedding: (d,) numbers.
            top_k: 1 to 10,000.
            by: features, or label.
            head: file of a head that labels pictures; None for the workspace's own.
            others: label, style (None for any), min_ppi, min_score, license, subset, flag,
                without_flag, no_flags, exclude_self and allow_private, as `Searcher` has them.

        Raises:
            ValueError: a query cannot be answered, or an option is not one that is allowed.
        """
        if isinstance(queries, str | PathLike):
            raise ValueError(f"{fspath(queries)}: a list of queries is expected; search takes one")
        for name in INDEX_ONLY:
            if others.get(name):
                raise ValueError(f"{name}={others[name]!r} needs by='index'")
        options = SearchOptions(top_k, **others).checked(self._labels.targets)
        if ODD in (*options.flag, *options.without_flag):
            raise ValueError(f"the flag {ODD} needs by='index'")
        classifier = Classifier(labeler_of(self._labels), self._head(head), self._diagonal)
        parts = collection_of(self._workspace)
        questions = [self._question(query) for query in queries]
        pictures = QueryPictures(
            self._workspace, self._workspace.scratch, self._documents, classifier
        )
        compared = addresses_of(parts, by, options)
        match = partial(_match, compared, parts.removed, by, classifier)
        scan = Scan(partial(_find, parts, by), match)
        labels = self._labels.targets
        answer_by_scan(parts, questions, options, by, labels, pictures, scan)
        raise_first(questions)
        lookup = partial(known_predictions, self._workspace)
        give_credit([row for question in questions for row in question.answers], lookup)
        return [list(answer_rows([question], FIELDS)) for question in questions]

    def _head(self, given: str | PathLike[str] | None) -> Head | None:
        if given is None:
            own = head_file(self._workspace, self._workspace.scratch)
            return load_head(own) if own else None
        path = fspath(given)
        try:
            if kind := special_kind(path):
                raise ValueError(f"{path}: {kind}, not a class head")
            head = load_head(path)
        except OSError as error:
            raise ValueError(f"head {path}: {error.strerror or error}") from None
        except ValueError as error:
            raise ValueError(f"head {error}") from None
        if reason := why_foreign(head, self._documents["extract"]["options"]):
            raise ValueError(f"head {path} {reason}")
        return head

    def _question(self, query: Any) -> Question:
        if isinstance(query, Question):
            return query
        if isinstance(query, bytes):
            return Question("picture", data=query)
        if isinstance(query, str | PathLike):
            return question_of(fspath(query))
        return Question("vector", numbers=np.asarray(query))


def _find(parts: Parts, by: str, wanted: Sequence[str]) -> Iterable[tuple[str, Any]]:
    return find_records(parts.addresses(stage_of(by)), frozenset(wanted))


def _match(
    addresses: Sequence[str],
    removed: IdList,
    by: str,
    classifier: Classifier,
    queries: Sequence[Query],
) -> Iterable[tuple[int, Sequence[Answer]]]:
    search = Search(queries, by, classifier)
    for image_id, record in records_of(addresses):
        if not removed.hides(image_id, record.get("part", 0)):
            search.add(image_id, record)
    return search.answers()
