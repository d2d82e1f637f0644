"""Naming the split and the picture at which a task died."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mapsight.records import Split

__all__ = ["TaskError", "at", "place_of"]


class TaskError(RuntimeError):
    """An error that says where in the input it happened; its cause is the error itself."""


@contextlib.contextmanager
def at(where: str) -> Iterator[None]:
    """Name a place in the message of every error that happens meanwhile; places may be nested.

    >>> with at("a.parquet"), at("picture 7"):
    ...     raise ValueError("too odd")
    Traceback (most recent call last):
    mapsight.task_errors.TaskError: a.parquet: picture 7: ValueError: too odd
    """
    try:
        yield
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from error.__cause__
    except Exception as error:
        raise TaskError(f"{where}: {type(error).__name__}: {error}") from error


def place_of(split: Split) -> str:
    """A split as people know it.

    >>> place_of(Split("hdfs://nn/x/a.parquet", "a.parquet", 4, 3, 300, 9000, 0))
    'a.parquet, row groups 4 to 6'
    """
    name = split.source or split.uri
    if split.kind == "tar" or not split.row_groups:
        return name
    last = split.row_group + split.row_groups - 1
    if last == split.row_group:
        return f"{name}, row group {last}"
    return f"{name}, row groups {split.row_group} to {last}"
