"""A query as typed, what was found out about it, and its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mapsight.search.credits import CREDITS

__all__ = ["BY_INDEX", "FIELDS", "Question", "answer_rows"]

FIELDS = (
    *("query", "rank", "image_id", "score", "label", "style", "ppi", "width", "height", "source"),
    *CREDITS,
)
BY_INDEX = ("cell", "subset", "copies", "probed", "exhausted")


@dataclass
class Question:
    """A query as typed and what has been found out about it.

    A picture from outside is read when it is needed and let go of again: there
    may be thousands of queries. `typed` is shown, so it is without passwords and
    signatures; what opens the picture is `address`, where it is another.
    """

    typed: str
    address: str = ""
    image_id: str | None = None
    sha256: str | None = None
    data: bytes | None = None
    thumbnail: bytes | None = None
    record: dict[str, Any] | None = None
    label: str | None = None
    style: str | None = None
    members: list[Question] = field(default_factory=list)
    only_style: str = ""
    vector: np.ndarray | None = None
    probed: int = 0
    exhausted: bool = False
    share: float = 0.0
    filter: str | None = None
    error: str | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)


def answer_rows(questions: Sequence[Question], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the answers to questions with these fields, None where nothing is known."""
    for question in questions:
        for answer in question.answers:
            row = {**answer, "probed": question.probed, "exhausted": question.exhausted}
            yield {name: row.get(name) for name in names}
