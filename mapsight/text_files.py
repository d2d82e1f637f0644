"""Small text files of the user's: queries, ids, configuration; however an editor wrote them."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

__all__ = ["decoded", "read_text", "special_kind"]

WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
PASSED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell puts the output of a program (`<(program)`): it ends when that does."""


def special_kind(path: str | Path) -> str:
    """Return what a path is that is neither a file nor a folder, as "a named pipe"; else "".

    Opening one may wait for ever.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return ""
    return next((name for test, name in KINDS if test(mode)), "")


def read_text(path: str | Path) -> str:
    """Read a file of UTF-8 text, with or without a byte order mark.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such text, or no file; the message says what it is.
    """
    if not str(path).startswith(PASSED) and (kind := special_kind(path)):
        raise ValueError(f"is {kind}, not a file")
    return decoded(Path(path).read_bytes())


def decoded(data: bytes) -> str:
    r"""Decode UTF-8 text, with or without a byte order mark.

    >>> decoded(b"\xef\xbb\xbflion.jpg\r\n")
    'lion.jpg\r\n'

    Raises:
        ValueError: it is no UTF-8; names UTF-16 and UTF-32 by their marks.
    """
    name = encoding_of(data)
    if name:
        raise ValueError(f"is {name} text; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def encoding_of(data: bytes) -> str:
    """Return "UTF-16" or "UTF-32" where data begins as such text does, else ""."""
    named = next((name for mark, name in WIDE if data.startswith(mark)), "")
    if not named and len(data) > 1 and 0 in data[:2] and data[:2] != b"\0\0":
        return "UTF-16"
    return named
