"""Standard streams that may be closed, full or broken: a command does its work all the same."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from driver.errors import Failure

__all__ = ["closed_streams", "finish_output", "mend_streams"]

NAMES = ("standard input", "standard output", "standard error")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters (C0, C1) but tab, line feed and carriage return, and what turns writing."""
_closed: set[str] = set()


class _Output(io.FileIO):
    """Standard output: what cannot be written is told, except that nobody reads any more."""

    written = 0

    def write(self, data: Any, /) -> int:
        """Write bytes; how many.

        Raises:
            BrokenPipeError: the reader has gone.
            Failure: they cannot be written; the message says why.
        """
        try:
            count = super().write(data)
            _Output.written += count
            return count
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Failure(f"{NAMES[1]}: {error.strerror}") from None


class _Messages(io.FileIO):
    """Standard error: what cannot be written is let go, for there is nowhere to tell of it."""

    def write(self, data: Any, /) -> int:
        """Write bytes, or drop them."""
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data))


class _Harmless(io.TextIOWrapper):
    """Text for people: whoever wrote a name or a label in it gives no orders to a terminal."""

    def write(self, text: str) -> int:
        """Write text without control characters but line ends and tabs."""
        super().write(CONTROLS.sub("", text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Write some lines, as `write` does."""
        for line in lines:
            self.write(line)


def mend_streams() -> None:
    """Make the descriptors 0, 1 and 2 and the streams over them usable.

    Closed ones are opened on the null device, before another file gets their numbers.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            _closed.add(name)
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _text(_Output(1, "wb", closefd=False), sys.stdout)
    sys.stderr = _text(_Messages(2, "wb", closefd=False), sys.stderr, by_line=True)


def _text(raw: io.FileIO, before: object, *, by_line: bool = False) -> io.TextIOWrapper:
    """Return a text stream as the one before it; what its encoding lacks is written as escapes."""
    encoding = getattr(before, "encoding", None) or "utf-8"
    errors = getattr(before, "errors", None) or "strict"
    return _Harmless(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors="backslashreplace" if errors == "strict" else errors,
        line_buffering=by_line or raw.isatty(),
    )


def closed_streams() -> set[str]:
    """Return the names of the standard streams that were closed when the process began."""
    return _closed


def finish_output(*, needed: bool) -> int:
    """Write what is still to be written to standard output; the exit status.

    Args:
        needed: what was to be written is all that the command was for.

    Raises:
        BrokenPipeError, Failure: as _Output.
    """
    sys.stdout.flush()
    if NAMES[1] not in _closed or not _Output.written:
        return 0
    sys.stderr.write("mapsight: standard output is closed: what was to be written there is lost\n")
    return 1 if needed else 0
