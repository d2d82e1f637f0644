"""Queries that are vectors made elsewhere: rows of .npy files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from driver.errors import UsageError
from mapsight.npz import read_npy
from mapsight.search.question import Question, whole_numbers
from mapsight.text_files import special_kind

__all__ = ["check_lengths", "vector_questions"]

MOST_BYTES = 1 << 30


def vector_questions(files: Sequence[str]) -> list[Question]:
    """Return a query for each row of each file, called as numpy calls it: `words.npy[3]`.

    Raises:
        UsageError: a file is none of vectors that can be compared; names it and the reason.
    """
    questions: list[Question] = []
    for file in files:
        try:
            questions += _rows(file)
        except OSError as error:
            raise UsageError(f"--vector {file}: {error.strerror or error}") from None
        except ValueError as error:
            raise UsageError(f"--vector {file}: {error}") from None
    return questions


def _rows(file: str) -> Iterator[Question]:
    if kind := special_kind(file):
        raise ValueError(f"is {kind}, not a file")
    array = read_npy(Path(file), MOST_BYTES)
    if array.dtype.kind != "f" or array.ndim not in (1, 2) or not array.size:
        held = f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{held}; floats of shape (d,) or (n, d) are expected")
    for number, row in enumerate(np.atleast_2d(array)):
        name = file if array.ndim == 1 else f"{file}[{number}]"
        try:
            yield Question(name, numbers=whole_numbers(row, [len(row)]))
        except ValueError as error:
            raise ValueError(f"row {number}: {error}" if array.ndim == 2 else str(error)) from None


def check_lengths(questions: Sequence[Question], lengths: Sequence[int]) -> None:
    """Refuse vectors of another model.

    Args:
        lengths: how many numbers a vector may have, that of the embedding first.

    Raises:
        UsageError: one has not as many; names it.
    """
    for question in questions:
        if question.numbers is not None and len(question.numbers) not in lengths:
            also = "".join(f", or {n:,} with label scores" for n in lengths[1:])
            raise UsageError(
                f"--vector {question.typed}: {len(question.numbers):,} numbers; the embeddings of"
                f" this workspace have {lengths[0]:,}{also}"
            )
