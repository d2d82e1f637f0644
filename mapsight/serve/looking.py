"""Queries that come over HTTP: what each is, and the vectors of pictures from outside."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from mapsight.errors import Failure
from mapsight.index.collection import OTHER_MODEL, is_comparable
from mapsight.inputs.image_ids import HEX_ID, safe_id
from mapsight.redaction import public_address
from mapsight.search.index_queries import give_vectors
from mapsight.search.query_pictures import NO_QUERY, URL, QueryPictures
from mapsight.search.question import Question
from mapsight.serve.errors import Refusal
from mapsight.text import shorten
from mapsight.web.fetch import FetchError, fetch
from mapsight.workspace.workspace import Workspace

__all__ = ["NAME", "Looker", "fetched", "question_of", "understood", "uploaded"]

LONGEST = 4096
NAME = 100
FETCH_SECONDS = 20.0
"""For all URLs of a request together."""


def question_of(text: str, labels: Collection[str]) -> Question:
    """Return what a text asks for: a URL, an id, the name of a label, or words.

    No file is looked for. Words have the error NO_QUERY until a search understands them.

    Args:
        labels: in lower case.

    Raises:
        Refusal: it is too long.
    """
    if len(text) > LONGEST:
        raise Refusal(400, f"q: of more than {LONGEST:,} characters", "q")
    if URL.match(text):
        return Question(public_address(text), text)
    if text.casefold() in labels or safe_id(text):
        return Question(text, text, image_id=text.lower() if HEX_ID.fullmatch(text) else text)
    return Question(text, error=NO_QUERY)


def uploaded(name: str, data: bytes) -> Question:
    """Return a query that is a picture's bytes."""
    return Question(shorten(name, NAME) or "picture", data=data)


def understood(query: Question | np.ndarray, labels: Collection[str]) -> dict[str, str]:
    """Return what a query is taken for: url, upload, vector, label, id or words."""
    if isinstance(query, np.ndarray):
        return {"query": "vector", "kind": "vector"}
    if query.error:
        return {"query": query.typed, "kind": "words"}
    if query.image_id is None:
        return {"query": query.typed, "kind": "url" if query.address else "upload"}
    kind = "label" if query.typed.casefold() in labels else "id"
    return {"query": query.typed, "kind": kind}


def fetched(question: Question, ends: float, most: int, allow_private: bool) -> int:
    """Give a query that is a URL the bytes of its picture, and return how many.

    Args:
        ends: when it must be there, by time.monotonic.
        most: bytes that it may have.

    Raises:
        Refusal: they cannot be had (422).
    """
    seconds = max(ends - time.monotonic(), 0.1)
    try:
        question.data = fetch(
            question.address, seconds=seconds, max_bytes=most, allow_private=allow_private
        )
    except FetchError as error:
        raise Refusal(422, str(error), "q") from error
    return len(question.data)


class Looker:
    """Measures the pictures of queries by the model and the head of a state.

    The model, and a process that decodes, come with the first picture. One thread at a time.

    Args:
        workspace: that keeps the model.
    """

    def __init__(self, workspace: Workspace) -> None:
        documents: dict[str, dict[str, Any]] = {
            name: workspace.required(name) for name in ("extract", "classify")
        }
        self._pictures = QueryPictures(workspace, workspace.scratch, documents)
        self._why_not = "" if is_comparable(workspace) else OTHER_MODEL
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(self._pictures.kept())

    def look(self, questions: Sequence[Question]) -> None:
        """Give queries with a picture's bytes their vectors, labels and styles.

        Raises:
            Refusal: one cannot be used (422), or the model is another one by now.
        """
        if self._why_not:
            raise Refusal(422, self._why_not, "q")
        try:
            self._pictures.look_at(questions)
            good = [question for question in questions if not question.error]
            give_vectors(good, self._pictures)
        except Failure as error:
            raise Refusal(422, str(error), "q") from error
        for question in questions:
            if question.error:
                raise Refusal(422, f"{question.typed}: {question.error}", "file")

    def close(self) -> None:
        """End its process."""
        self._stack.close()
