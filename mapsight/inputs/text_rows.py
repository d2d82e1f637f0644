"""Lines and CSV records of text that anybody may have written, in bounded memory."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from typing import Any

from mapsight.inputs.decompress import ByteStream, StreamError
from mapsight.storage.uri import resolve

__all__ = ["Lines", "cells_of", "csv_records", "is_passed_over", "opened_text", "plain_rows"]

MAX_LINE = 1 << 16  # characters; a longer line is no row
MAX_LINES = 64  # that quotes hold together; more, and a quote was forgotten
FREE_LINES = 1_000_000  # more than these need a byte of a compressed file each


def opened_text(uri: bytes) -> io.TextIOWrapper:
    """Open a text file whose lines keep their ends; UTF-8, or UTF-16 with a byte order mark.

    Bytes that are no UTF-8 become surrogates, as `surrogateescape` makes them.
    Compressed files are unpacked, and end with StreamError where they grow as no text does.
    """
    file_system, path = resolve(uri)
    handle = io.BufferedReader(_opened(file_system, path))
    if handle.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):  # Excel's "Unicode text"
        return io.TextIOWrapper(handle, "utf-16", "replace", newline="")
    return io.TextIOWrapper(handle, "utf-8-sig", "surrogateescape", newline="")


def _opened(file_system: Any, path: str) -> Any:
    """A file that is unpacked within the bounds of `ByteStream`, whatever its name."""
    handle = file_system.open(path, "rb")
    stream = ByteStream(handle)
    return _Unpacked(stream) if stream.compressed else handle


class _Unpacked(io.RawIOBase):
    """A stream as a file."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__()
        self._stream = stream

    @property
    def packed(self) -> int:
        """Return how many bytes of the compressed file were read."""
        return self._stream.packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Lines:
    """Lines of a file that can be given back, a record at a time.

    Iterating raises csv.Error for a line that is longer than MAX_LINE, and for
    the line after MAX_LINES of one record; StreamError for one that is more than `most`, or
    than a compressed file of its size holds.
    """

    def __init__(self, handle: io.TextIOWrapper) -> None:
        self._handle = handle
        self._unpacked = getattr(handle.buffer, "raw", None)
        self.most = sys.maxsize
        self._number = 0
        self._back: list[tuple[int, str | None]] = []  # the next one last
        self._taken: list[tuple[int, str | None]] = []  # of this record

    @property
    def place(self) -> int:
        """Return the number of the record's first line, from 1."""
        return self._taken[0][0] if self._taken else self._number

    @property
    def taken(self) -> int:
        """Return how many lines the record has so far."""
        return len(self._taken)

    def begin(self) -> None:
        """Let the next line begin a record."""
        self._taken = []

    def keep_first(self) -> str | None:
        """Return the record's first line, None if it is too long; the others will come again."""
        self._back += reversed(self._taken[1:])
        del self._taken[1:]
        return self._taken[0][1]

    def give_back(self) -> None:
        """Give the whole record back: it will come again."""
        self._back += reversed(self._taken)
        self._taken = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        number, line = self._back.pop() if self._back else self._read()
        self._taken.append((number, line))
        if line is None:
            raise csv.Error(f"longer than {MAX_LINE} characters")
        if len(self._taken) > MAX_LINES:
            raise csv.Error(f"a record of more than {MAX_LINES} lines")
        return line

    def _read(self) -> tuple[int, str | None]:
        line = self._handle.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self._number += 1
        self._check()
        if len(line) < MAX_LINE or line.endswith(("\n", "\r")):
            return self._number, line.replace("\0", "\ufffd")
        while (rest := self._handle.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
            pass
        return self._number, None

    def _check(self) -> None:
        if self._number > self.most:
            raise StreamError(f"{self._number:,} lines, and nearly none with an address")
        if self._number > FREE_LINES and isinstance(self._unpacked, _Unpacked):
            packed = self._unpacked.packed
            if self._number > packed:
                raise StreamError(f"{packed:,} bytes have grown to {self._number:,} lines")


def is_passed_over(line: str) -> bool:
    """Return whether a line is blank or a comment."""
    return not line.strip() or line.lstrip().startswith("#")


def plain_rows(lines: Lines) -> Iterator[list[str] | None]:
    """Yield what stands before and after the first tab of each line, without quotes around it.

    Blank lines and comments are left out; None stands for a line that is too long.
    """
    while True:
        lines.begin()
        try:
            line = next(lines, None)
        except csv.Error:
            yield None
            continue
        if line is None:
            return
        if not is_passed_over(line):
            yield [cell.strip().strip('"') for cell in line.split("\t", 1)]


def csv_records(lines: Lines, delimiter: str, columns: int) -> Iterator[list[str] | None]:
    """Yield the cells of each record; None stands for a line that is none.

    Quotes may hold lines together, but only to a record with the right number of
    columns: a quote that is never closed costs its own line and no other.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            cells = next(reader, None)
        except csv.Error:
            yield cells_of(lines.keep_first(), delimiter)
            continue
        if cells is None:
            return
        whole = lines.taken == 1 or len(cells) == columns
        yield _stripped(cells) if whole else cells_of(lines.keep_first(), delimiter)


def cells_of(line: str | None, delimiter: str) -> list[str] | None:
    """Return the cells of a line alone; None if there are none to be had."""
    try:
        return (
            None if line is None else _stripped(next(csv.reader([line], delimiter=delimiter), []))
        )
    except csv.Error:
        return None


def _stripped(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells]
