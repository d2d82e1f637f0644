"""The queries of a request, wherever they stand: its address, a form, or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from starlette.datastructures import UploadFile

from mapsight.search.question import Question
from mapsight.serve.errors import Refusal
from mapsight.serve.looking import FETCH_SECONDS, fetched, question_of, uploaded
from mapsight.serve.query import Words, words_of
from mapsight.serve.searching import WORDS
from mapsight.serve.settings import Settings
from mapsight.serve.state import State

__all__ = ["Outside", "Queries", "json_object", "json_queries"]

MOST_NUMBERS = 8_192


@dataclass
class Outside:
    """Queries whose pictures come from outside, and the files of those that were sent."""

    questions: list[Question] = field(default_factory=list)
    files: list[tuple[Question, Any]] = field(default_factory=list)

    @property
    def has_urls(self) -> bool:
        """Return whether something is to be fetched."""
        return len(self.questions) > len(self.files)

    def __bool__(self) -> bool:
        return bool(self.questions)

    def look(self, state: State, settings: Settings) -> None:
        """Read, fetch and measure the pictures.

        Memory: `upload_bytes` of those that are sent, and as many of those that are fetched.

        Raises:
            Refusal: one cannot be had or used (422).
        """
        if state.lookup is None:
            raise Refusal(404, "the workspace has no index of its pictures", "q")
        ends = time.monotonic() + FETCH_SECONDS
        for question, file in self.files:
            question.data = file.read()
        left = settings.limits.upload_bytes
        for question in self.questions:
            if question.data is None:
                left -= fetched(question, ends, left, settings.allow_private)
        with state.lookers.lent() as looker:
            looker.look(self.questions)


@dataclass
class Queries:
    """What a search is asked: words, files and vectors."""

    words: Words
    files: Sequence[UploadFile] = ()
    vectors: Sequence[np.ndarray] = ()
    outside: Outside = field(default_factory=Outside)

    def questions(self, labels: Collection[str], most: int) -> list[Any]:
        """Return the queries: Questions, and vectors; `outside` has those to be looked at.

        Args:
            labels: in lower case.

        Raises:
            Refusal: there are none, or more than `most`, or one is nothing that can be asked.
        """
        texts = self.words.values.get("q", ())
        count = len(texts) + len(self.files) + len(self.vectors)
        if not 1 <= count <= most:
            raise Refusal(400, f"{count} queries: 1 to {most} of q, file and vectors", "q")
        named = [question_of(text, labels) for text in texts]
        sent = [(uploaded(file.filename or "", b""), file.file) for file in self.files]
        self.outside.files = sent
        self.outside.questions = [
            *(one for one in named if one.image_id is None and not one.error),
            *(one for one, _ in sent),
        ]
        return [*named, *(one for one, _ in sent), *self.vectors]


def json_queries(body: bytes) -> Queries:
    """Return the queries of a JSON object; its other names are as in an address.

    Raises:
        Refusal: it is none (400).
    """
    given = json_object(body)
    texts = _list(given.pop("queries", []), "queries")
    if not all(isinstance(text, str) for text in texts):
        raise Refusal(400, "queries: a list of texts", "queries")
    vectors = [_vector(one) for one in _list(given.pop("vectors", []), "vectors")]
    pairs = [(name, word) for name, value in given.items() for word in _words(name, value)]
    return Queries(words_of([*pairs, *(("q", text) for text in texts)], WORDS), vectors=vectors)


def json_object(body: bytes) -> dict[str, Any]:
    """Return the object that a body is.

    Raises:
        Refusal: it is none (400).
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is no JSON") from None
    if not isinstance(given, dict):
        raise Refusal(400, "the body is no JSON object")
    return given


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(400, f"{name}: a list is expected", name)
    return value


def _vector(value: Any) -> np.ndarray:
    numbers = _list(value, "vectors")
    if len(numbers) > MOST_NUMBERS or not all(type(one) in (int, float) for one in numbers):
        raise Refusal(400, f"vectors: lists of up to {MOST_NUMBERS:,} numbers", "vectors")
    try:
        return np.array(numbers, np.float64)
    except OverflowError:
        raise Refusal(400, "vectors: a number is too large", "vectors") from None


def _words(name: str, value: Any) -> list[str]:
    """Return a value of JSON as an address would have it."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(int(value))]
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return [word for one in value for word in _words(name, one)]
    raise Refusal(400, f"{name}: a text, a number, or a list of them", name[:50])
