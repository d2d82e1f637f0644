"""Steps that need each other, done side by side where they do not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["side_by_side"]

PATIENCE = 10.0
"""Seconds for a step that was told to stop; one that writes for longer is left behind."""


def side_by_side(
    names: Sequence[str],
    needs: Mapping[str, Collection[str]],
    perform: Callable[[str], None],
    at_once: int,
    stopping: threading.Event,
) -> None:
    """Perform each step when those that it needs are done, the earlier ones first.

    Args:
        names: the steps, none before one that it needs.
        needs: of each step others of `names`.
        perform: called with a step's name, in a thread of its own where `at_once` is above 1.
        at_once: how many may run at the same time.
        stopping: set when one has failed or this thread was interrupted: the others are to end.

    Raises:
        BaseException: what the first step that failed has raised, when the others have ended.
    """
    if at_once == 1:
        for name in names:
            perform(name)
        return
    _Graph(names, needs, perform, at_once, stopping).run()


class _Graph:
    def __init__(
        self,
        names: Sequence[str],
        needs: Mapping[str, Collection[str]],
        perform: Callable[[str], None],
        at_once: int,
        stopping: threading.Event,
    ) -> None:
        self._waiting, self._needs = list(names), needs
        self._perform, self._at_once, self._stopping = perform, at_once, stopping
        self._done: set[str] = set()
        self._running: dict[str, threading.Thread] = {}
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def run(self) -> None:
        try:
            with self._changed:
                while (self._waiting or self._running) and not self._error:
                    self._start_ready()
                    self._changed.wait()
        finally:
            self._stopping.set()
            for thread in list(self._running.values()):
                thread.join(PATIENCE)
            self._stopping.clear()
        if self._error:
            raise self._error

    def _start_ready(self) -> None:
        ready = [name for name in self._waiting if self._done.issuperset(self._needs[name])]
        for name in ready[: self._at_once - len(self._running)]:
            self._waiting.remove(name)
            thread = threading.Thread(target=self._work, args=[name], name=name, daemon=True)
            self._running[name] = thread
            thread.start()

    def _work(self, name: str) -> None:
        error: BaseException | None = None
        try:
            self._perform(name)
        except BaseException as raised:
            error = raised
        with self._changed:
            del self._running[name]
            self._done.add(name)
            self._error = self._error or error
            self._changed.notify()
