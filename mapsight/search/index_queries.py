"""Queries of the index that are no picture from outside: ids, labels, and the mean of several."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from mapsight.index.collection import OTHER_MODEL, is_comparable
from mapsight.index.vectors import vectors_for
from mapsight.labels.head import DRAWING, PHOTO
from mapsight.records import decode_embedding
from mapsight.search.choices import NEW, PLAIN
from mapsight.search.filters import RowFilter
from mapsight.search.label_mean import LabelMean, blocks_of_label
from mapsight.search.options import SearchOptions
from mapsight.search.probe_plan import mean_vector
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.storage.uri import open_uri
from mapsight.workspace.workspace import Workspace, is_current

__all__ = [
    "NOT_THERE",
    "REMOVED",
    "find_labels",
    "find_rows",
    "give_label",
    "give_vectors",
    "mean_question",
    "place_numbers",
    "vector_lengths",
]

NOT_THERE = "no such file, label or image_id (results/predictions.parquet lists the ids)"
REMOVED = "this picture was removed; `add` puts it back"


def find_rows(workspace: Workspace, index: SearchIndex, questions: Sequence[Question]) -> None:
    """Find the rows of queries that are ids: of each, a file of ids and the blocks of a cell."""
    asked = [question for question in questions if question.image_id]
    rows = index.rows_of([question.image_id or "" for question in asked])
    for question in asked:
        question.record = rows.get(question.image_id or "")
        if question.record is not None:
            question.vector = question.record["vector"]
    missing = [question for question in asked if question.record is None]
    if not missing:
        return
    why = _rejections(workspace, {q.image_id or "" for q in missing})
    for question in missing:
        image_id = question.image_id or ""
        gone = index.removed.before([image_id])[0] > 0
        question.error = REMOVED if gone else why.get(image_id, NOT_THERE)


def _rejections(workspace: Workspace, image_ids: Collection[str]) -> dict[str, str]:
    """Return why pictures are not in the index, as far as results tell. Memory: a line."""
    merged = workspace.sound("merge")
    if not (merged and is_current(workspace, merged)):
        return {}
    (table,) = workspace.sound_parts("merge", "/rejected.csv")
    with io.TextIOWrapper(open_uri(table), encoding="utf-8", newline="") as file:
        return {
            row["image_id"]: f"this picture was rejected: {row['error']}, {row['detail']}"
            for row in csv.DictReader(file)
            if row["image_id"] in image_ids
        }


def find_labels(
    index: SearchIndex, questions: Sequence[Question], labels: Collection[str], style: str | None
) -> None:
    """Make a vector of each query that is the name of a label: the mean of pictures of it.

    Args:
        style: as --style says: of which pictures; None and "same" for the style that most
            of the label have.
    """
    names = {label.casefold(): label for label in labels}
    vectors: dict[RowFilter, np.ndarray | None] = {}
    for question in questions:
        label = names.get(question.typed.casefold())
        if label is None or not (question.image_id or question.error):
            continue
        question.image_id = question.error = None
        give_label(index, question, label, style, vectors)


def give_label(
    index: SearchIndex,
    question: Question,
    label: str,
    style: str | None,
    vectors: dict[RowFilter, np.ndarray | None] | None = None,
) -> None:
    """Give a query the vector of a label, or its error.

    Args:
        question: whose style is taken where `style` names none.
        style: as `find_labels` has it.
        vectors: those of other queries.
    """
    vectors = {} if vectors is None else vectors
    if not index.cells.styles:
        style = "any"
    styles = index.cells.kinds(label)
    usual = question.style or max(styles, key=lambda one: (styles[one], one), default="")
    question.label = label
    question.style = style if style in (PHOTO, DRAWING) else usual
    wanted = RowFilter(label=label, style="" if style == "any" else question.style)
    if wanted not in vectors:
        vectors[wanted] = _label_vector(index, wanted)
    question.vector = vectors[wanted]
    if question.vector is None:
        question.error = _none_of(wanted.style, sum(styles.values()))


def _none_of(style: str, others: int) -> str:
    """Return why a label is no query; `others` are its pictures of any style."""
    if not (style and others):
        return "no picture of the index has this label"
    have = "1 picture has" if others == 1 else f"{others:,} pictures have"
    return f"no {style} of the index has this label, but {have} it (--style any)"


def _label_vector(index: SearchIndex, wanted: RowFilter) -> np.ndarray | None:
    """Return (d,) int16; None if no picture fits. Memory: see LabelMean."""
    mean = LabelMean(wanted)
    counts = index.cells.fitting(wanted.label, wanted.style)
    for _, batch in index.batches(blocks_of_label(index.blocks, counts)):
        mean.add(batch)
    return mean.vector()


def give_vectors(questions: Sequence[Question], pictures: QueryPictures) -> None:
    """Give queries from outside their new features, (d,) int16, by the head of the workspace."""
    for question in questions:
        if question.vector is None and not question.error:
            assert question.record is not None
            x = decode_embedding(question.record["embedding"])
            question.vector = vectors_for(x[None], pictures.classifier.head)[0]


def vector_lengths(index: SearchIndex, features: str | None) -> tuple[int, int]:
    """Return how many numbers a vector from elsewhere may have, the usual last."""
    d, plain_d = index.facts.d, index.facts.plain_d
    return (d, plain_d) if features == PLAIN else (plain_d, d)


def place_numbers(
    workspace: Workspace,
    index: SearchIndex,
    questions: Sequence[Question],
    options: SearchOptions,
    pictures: QueryPictures,
) -> SearchOptions:
    """Give vectors from elsewhere their place in the index; return by what all are compared.

    An embedding alone says nothing of label scores: beside one, all queries are compared by plain
    features, whose order is that of the embeddings' cosines. Where new ones are asked for, the
    workspace's head gives it the scores that it gives a picture with that embedding.
    """
    d, asked = index.facts.d, [q for q in questions if q.numbers is not None and not q.error]
    short = [q for q in asked if q.numbers is not None and len(q.numbers) < d]
    if short and options.features is None:
        options = replace(options, features=PLAIN)
    for question in asked:
        assert question.numbers is not None
        question.vector = np.zeros(d, np.int16)
        question.vector[: len(question.numbers)] = question.numbers
    for question in short if options.features == NEW else ():
        assert question.numbers is not None
        if is_comparable(workspace):
            head = pictures.classifier.head
            question.vector = vectors_for(question.numbers[None], head)[0]
        else:
            question.error = OTHER_MODEL
    return options


def mean_question(questions: Sequence[Question]) -> list[Question]:
    """Return one query for the mean of all; where some cannot be had, only those."""
    bad = [question for question in questions if question.error]
    if bad:
        for question in bad:
            question.error = f"{question.error}; --mean answers for all queries or for none"
        return bad
    good = questions
    vectors = np.stack([question.vector for question in good if question.vector is not None])
    names = ", ".join(question.typed for question in good[:3]) + (", …" if len(good) > 3 else "")
    return [
        Question(
            f"mean of {names}" if len(good) > 1 else good[0].typed,
            vector=mean_vector(vectors, np.ones(len(vectors), np.int64)),
            label=_same(question.label for question in good),
            style=_most(question.style for question in good) or None,
            members=list(good),
        ),
    ]


def _same(values: Iterable[str | None]) -> str:
    """Return the value that all have, or nothing."""
    distinct = {value or "" for value in values}
    return distinct.pop() if len(distinct) == 1 else ""


def _most(values: Iterable[str | None]) -> str:
    """Return the value that most have; of equally frequent ones the first by name."""
    counts = Counter(value or "" for value in values)
    return min(counts, key=lambda value: (-counts[value], value))
