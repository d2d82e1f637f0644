"""Queries of words: what they mean, the directions that find candidates, and how these rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mapsight.index.collection import OTHER_MODEL, is_comparable
from mapsight.index.cosines import squares
from mapsight.labels.head import UNIT, sigmoid
from mapsight.records import decode_vector
from mapsight.search.exact import Answer, best_first
from mapsight.search.index_queries import NOT_THERE, give_label
from mapsight.search.probe_plan import mean_vector
from mapsight.search.probe_rows import VECTOR
from mapsight.search.query_pictures import NO_QUERY, QueryPictures
from mapsight.search.question import Question
from mapsight.search.rerank import CANDIDATES, by_ppi, diverse
from mapsight.search.search_index import SearchIndex
from mapsight.words.directions import MOST_VECTORS, Directions
from mapsight.words.meaning import Meaning, Understood
from mapsight.words.understand import UnknownWordsError, understand
from mapsight.workspace.workspace import Workspace

__all__ = ["find_words", "ranked_by_words"]

NO_STYLES = "; of no use here, where no head knows styles"


def find_words(
    workspace: Workspace,
    index: SearchIndex,
    questions: Sequence[Question],
    pictures: QueryPictures,
    style: str | None,
) -> None:
    """Understand the queries that are nothing else as words; others keep their error.

    Args:
        pictures: knows the workspace's vocabulary and model.
        style: as --style says.
    """
    for question in questions:
        if question.error not in (NO_QUERY, NOT_THERE):
            continue
        try:
            words = understand(question.typed, pictures.vocabulary)
        except UnknownWordsError as error:
            question.error = f"{question.error}; {error}"
            continue
        question.image_id = question.error = None
        question.words, question.understood = words, words.told()
        if words.style and not index.cells.styles:
            question.understood += NO_STYLES
        question.style = words.style or None
        if words.label:
            give_label(index, question, words.label, style)
        else:
            _give_directions(workspace, index, question, words.things, pictures)


def _give_directions(
    workspace: Workspace,
    index: SearchIndex,
    question: Question,
    things: Sequence[Meaning],
    pictures: QueryPictures,
) -> None:
    """Give a query the directions of the classes that it names, and how pictures rank by them."""
    bare = [thing.label for thing in things if not thing.classes]
    if bare:
        question.error = f"no class of the model is the label {bare[0]}; ask for it alone"
        return
    if not is_comparable(workspace):
        question.error = OTHER_MODEL
        return
    try:
        known = pictures.directions
    except ValueError as error:
        question.error = f"words need classes: {error}"
        return
    plain = _vectors(known, things)
    question.directions = np.zeros((len(plain), index.facts.d), np.int16)
    question.directions[:, : plain.shape[1]] = plain
    question.vector = _mean(question.directions)
    question.odds = partial(_odds, known, [thing.classes for thing in things])


def _vectors(known: Directions, things: Sequence[Meaning]) -> np.ndarray:
    """Return what to look near for all of some things: (n, d) int16."""
    most = max(1, MOST_VECTORS // len(things))
    some = [known.vectors(thing.classes, most) for thing in things]
    middle = [_mean(np.stack([_mean(vectors) for vectors in some]))[None]] if some[1:] else []
    return np.concatenate([*some, *middle])


def _mean(vectors: np.ndarray) -> np.ndarray:
    return mean_vector(vectors, np.ones(len(vectors), np.int64))


def _odds(known: Directions, things: Sequence[Sequence[int]], x: np.ndarray) -> np.ndarray:
    """Return the logarithm of the odds that pictures show all of some things, the least of each."""
    lengths = np.sqrt(np.maximum(squares(x[:, : known.d]), 1))
    unit = np.rint(x[:, : known.d] * (UNIT / lengths)[:, None])
    return np.min([known.log_odds(unit, classes) for classes in things], axis=0)


def ranked_by_words(
    question: Question, lists: Iterable[Sequence[Answer]], top_k: int, rank_by: str | None
) -> list[Answer]:
    """Return the best of the candidates that directions found, each with its vector.

    The score of an answer is the probability that it shows what the words say.
    """
    assert question.odds is not None
    by_id = {image_id: fields for some in lists for _, image_id, fields in some}
    if not by_id:
        return []
    x = np.stack([decode_vector(fields.pop(VECTOR)) for fields in by_id.values()])
    odds = question.odds(x).tolist()
    places = {image_id: place for place, image_id in enumerate(by_id)}
    kept = top_k * (CANDIDATES if rank_by in ("ppi", "diverse") else 1)
    best = best_first(zip(odds, by_id, by_id.values(), strict=True), kept)
    answers: list[Answer] = [[sigmoid(score), name, fields] for score, name, fields in best]
    if rank_by == "ppi":
        return by_ppi(answers, top_k)
    if rank_by == "diverse":
        return diverse(answers, x[[places[name] for _, name, _ in answers]], top_k)
    return answers


def excluded(words: Understood | None, pictures: QueryPictures) -> dict[str, Any]:
    """Return the part of a filter that leaves out what words say is not wanted."""
    without = words.without if words else ()
    labels = tuple(sorted({thing.label for thing in without if thing.label}))
    titles = pictures.vocabulary.titles(thing.classes for thing in without) if without else ()
    return {"not_labels": labels, "not_classes": titles}
