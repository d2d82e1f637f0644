"""A query as typed, what was found out about it, and its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mapsight.search.credits import CREDITS

__all__ = [
    "BY_INDEX",
    "FIELDS",
    "Question",
    "answer_rows",
    "percent_of",
    "raise_first",
    "whole_numbers",
]

UNIT = 32767

FIELDS = (
    *("query", "rank", "image_id", "score", "percent"),
    *("label", "style", "ppi", "width", "height", "source"),
    *CREDITS,
)
BY_INDEX = ("cell", "subset", "copies", "probed", "exhausted", "understood")


@dataclass
class Question:
    """A query as typed and what has been found out about it.

    A picture from outside is read when it is needed and let go of again: there
    may be thousands of queries. `typed` is shown, so it is without passwords and
    signatures; what opens the picture is `address`, where it is another.

    A vector made elsewhere is in `numbers`, (n,) int16, until the index gives it a `vector`.
    What words mean is told as `understood`. Where they are no label alone there are `directions`,
    (n, d) int16, and `odds` of pictures: (m, d) int16 to (m,) float64.
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
    numbers: np.ndarray | None = None
    understood: str | None = None
    directions: np.ndarray | None = None
    odds: Callable[[np.ndarray], np.ndarray] | None = None
    not_labels: tuple[str, ...] = ()
    not_classes: tuple[str, ...] = ()
    probed: int = 0
    exhausted: bool = False
    share: float = 0.0
    filter: str | None = None
    error: str | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_outside(self) -> bool:
        """Return whether it is a picture that is to be looked at: no id, no vector, no error."""
        has_vector = self.vector is not None or self.numbers is not None
        return self.image_id is None and not (has_vector or self.error)


def percent_of(score: float) -> float:
    """Return a cosine or a probability as a per cent; nothing is less than 0 % alike.

    >>> percent_of(0.8956), percent_of(-0.1)
    (89.6, 0.0)
    """
    return round(100 * max(score, 0.0), 1)


def answer_rows(questions: Sequence[Question], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the answers to questions with these fields, None where nothing is known."""
    for question in questions:
        for answer in question.answers:
            asked = ("probed", "exhausted", "understood")
            row = answer | {name: getattr(question, name) for name in asked}
            yield {name: row.get(name) for name in names}


def raise_first(questions: Sequence[Question]) -> None:
    """Raise ValueError for the first question that has an error."""
    for question in questions:
        if question.error:
            raise ValueError(f"{question.typed}: {question.error}")


def whole_numbers(vector: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """Return a vector of any length but 0 in whole numbers: int16, which int16 ones are already.

    Args:
        lengths: how many numbers it may have, the usual last.

    Raises:
        ValueError: it has not as many, or is zero or not finite.
    """
    if vector.ndim != 1 or len(vector) not in lengths:
        others = sorted({length for length in lengths if length != lengths[-1]})
        also = "".join(f", or ({length},)" for length in others)
        raise ValueError(f"a vector of shape {vector.shape}: ({lengths[-1]},) is expected{also}")
    if vector.dtype != np.int16:
        real = vector.astype(np.float64)
        length = float(np.sqrt(real @ real))
        if not np.isfinite(length):
            raise ValueError("a vector with numbers that are not finite")
        vector = np.rint(real * (UNIT / length if length else 0.0)).astype(np.int16)
    if not vector[: lengths[-1]].any():
        raise ValueError("a vector of zeros is like no picture")
    return vector
