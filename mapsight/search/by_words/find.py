"""What the words of queries mean in a workspace, and the directions that find candidates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np

from mapsight.errors import Failure
from mapsight.index.collection import OTHER_MODEL, is_comparable
from mapsight.index.cosines import squares
from mapsight.labels.head import UNIT
from mapsight.labels.labeler import near_labels
from mapsight.search.index_queries import NOT_THERE, give_label
from mapsight.search.probe_plan import mean_vector
from mapsight.search.query_pictures import NO_QUERY, QueryPictures
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.words.directions import MOST_VECTORS, Directions
from mapsight.words.meaning import Meaning
from mapsight.words.understand import UnknownWordsError, understand
from mapsight.workspace.workspace import Workspace

__all__ = ["find_words"]

NO_STYLES = "; of no use here, where no head knows styles"


def find_words(
    workspace: Workspace,
    index: SearchIndex,
    questions: Sequence[Question],
    labels: Collection[str],
    pictures: QueryPictures,
    style: str | None,
) -> None:
    """Understand the queries that are nothing else as words; others keep their error.

    Args:
        labels: of which near ones are named where words are not understood.
        pictures: knows the workspace's vocabulary and model.
        style: as --style says.
    """
    for question in questions:
        if question.error not in (NO_QUERY, NOT_THERE):
            continue
        try:
            words = understand(question.typed, pictures.vocabulary)
        except Failure:  # what the workspace's classes are is not there any more
            continue
        except UnknownWordsError as error:
            question.error += _hint(question.typed, labels) or error.hint
            continue
        question.image_id = question.error = None
        question.understood = words.told()
        _exclude(question, words.without, pictures)
        if words.style and not index.cells.styles:
            question.understood += NO_STYLES
        question.style = words.style or None
        if words.label:
            give_label(index, question, words.label, style)
        else:
            _give_directions(workspace, index, question, words.things, pictures)


def _exclude(question: Question, without: Sequence[Meaning], pictures: QueryPictures) -> None:
    """Leave out pictures that have a label that is not wanted, or are most like such a class."""
    question.not_labels = tuple(sorted({thing.label for thing in without if thing.label}))
    question.not_classes = pictures.vocabulary.titles(thing.classes for thing in without)


def _hint(typed: str, labels: Collection[str]) -> str:
    near = near_labels(typed, labels)
    return f"; did you mean the label {', '.join(near)}?" if near else ""


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
