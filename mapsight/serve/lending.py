"""Things that threads borrow, one each at a time, until they are closed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from mapsight.serve.errors import Refusal

__all__ = ["Lending"]

Thing = TypeVar("Thing")
AGAIN = {"Retry-After": "1"}


class Lending(Generic[Thing]):
    """Searchers or lookers of one state.

    Args:
        end: is called with each when all are closed; with one that is lent when it comes back.
    """

    def __init__(self, end: Callable[[Thing], Any] = id) -> None:
        self._free, self._end = list[Thing](), end
        self._changed, self._closed = threading.Condition(), False

    def add(self, one: Thing) -> None:
        """Have one more to lend."""
        with self._changed:
            if not self._closed:
                self._free.append(one)
                self._changed.notify()
                return
        self._end(one)

    @contextlib.contextmanager
    def lent(self) -> Iterator[Thing]:
        """Lend one to a thread, which waits for it.

        Raises:
            Refusal: they are closed (503).
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._closed)
            if self._closed:
                raise Refusal(503, "the server ends, or has a newer state", headers=AGAIN)
            one = self._free.pop()
        try:
            yield one
        finally:
            self.add(one)

    def close(self) -> None:
        """End those that are here; the others when they come back."""
        with self._changed:
            self._closed = True
            ended, self._free = self._free, []
            self._changed.notify_all()
        for one in ended:
            self._end(one)
