"""Listing many folders: those that come next are asked for while one is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["AT_ONCE", "Listings"]

AT_ONCE = 16
"""Folders that are listed at a time, where the file system does not say how many are best."""
Entries = list[dict[str, Any]]


class Listings:
    """Lists folders of a file system, several at a time; what comes out is as if it were one.

    Memory: the entries of AT_ONCE folders that lie beside each other, about 1 kB each, on every
    level of folders.

    Args:
        file_system: of fsspec; `lists_at_once` says how many listings it bears.
    """

    def __init__(self, file_system: Any) -> None:
        self._file_system = file_system
        self._at_once: int = getattr(file_system, "lists_at_once", AT_ONCE)
        self._begun: dict[str, Future[Entries]] = {}
        self._pool = ThreadPoolExecutor(self._at_once, "listing")

    def __enter__(self) -> Listings:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def of(self, folder: str) -> Entries:
        """Return the entries of a folder, in whatever order.

        Raises:
            OSError: it cannot be listed.
        """
        begun = self._begun.pop(folder, None)
        return begun.result() if begun else self._list(folder)

    def in_turn(self, folders: Iterable[str]) -> Iterator[str]:
        """Yield folders in their order, while those after each are listed."""
        waiting: list[str] = []
        for folder in folders:
            waiting.append(folder)
            self._begun[folder] = self._pool.submit(self._list, folder)
            if len(waiting) == self._at_once:
                yield waiting.pop(0)
        yield from waiting

    def _list(self, folder: str) -> Entries:
        return self._file_system.ls(folder, detail=True)
