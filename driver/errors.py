"""Errors for people, and a time in which nobody is stopped."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from mapsight.errors import Failure, UsageError

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
