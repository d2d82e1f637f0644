"""Errors for people, and a time in which nobody is stopped."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from mapsight.redaction import without_secrets
from mapsight.text import plain

__all__ = ["Failure", "UsageError", "undisturbed"]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and the like are passed over: what is being taken away costs money if it stays.

    Only for the main thread, and for what ends by itself.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    known = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, known, strict=True):
            signal.signal(number, handler)


class Failure(Exception):  # noqa: N818
    """Something went wrong: one line for the user, and where to look closer.

    `detail` (a traceback, a task's log) is shown with --debug.
    """

    exit_status = 1

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(plain(without_secrets(message)))
        self.detail = detail


class UsageError(Failure):
    """The command line or the configuration cannot be understood."""

    exit_status = 2
