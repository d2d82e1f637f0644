"""Threads that do what takes time, and a bounded queue before them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mapsight.serve.errors import Refusal

__all__ = ["Pool"]

Got = TypeVar("Got")
RETRY_SECONDS = 1
END = object()


class Pool:
    """Threads of one kind of work.

    Work that nobody waits for any more is not begun; what has begun ends, and counts so long.

    Args:
        waiting: how many may wait for a thread.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most, self._lock, self.taken = threads + waiting, threading.Lock(), 0

    async def run(self, work: Callable[..., Got], *arguments: Any) -> Got:
        """Return what a function returns, called in a thread.

        Raises:
            Refusal: too many wait (503).
        """
        self._take()
        try:
            future = self._executor.submit(work, *arguments)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place in the queue for work that comes in pieces.

        Raises:
            Refusal: too many wait (503).
        """
        self._take()
        try:
            yield
        finally:
            self._leave()

    async def each(self, values: Iterator[Got]) -> AsyncIterator[Got]:
        """Yield what an iterator yields, each taken in a thread; whoever asks has a `place`."""
        while True:
            value: Any = await asyncio.wrap_future(self._executor.submit(next, values, END))
            if value is END:
                return
            yield value

    def close(self) -> None:
        """Begin no more work."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> None:
        with self._lock:
            if self.taken >= self._most:
                why = "too many requests wait; try again"
                raise Refusal(503, why, headers={"Retry-After": str(RETRY_SECONDS)})
            self.taken += 1

    def _leave(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self.taken -= 1
