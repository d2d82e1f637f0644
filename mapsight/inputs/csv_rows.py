"""Records of a byte range of a CSV file, the same however the file is cut.

Whether a line begins a record or goes on with a quoted text cannot be told in the
middle of a file. What can be told is whether it looks like the begin of a row of
Open Images: sixteen hex digits and a comma. Such a line, and the first of the
file, is an *anchor*: it begins a record even when a quote is open, which is then
one that was forgotten. A range has the records from its first anchor on up to the
first anchor at or after its end, so ranges need to know nothing of each other, and
a forgotten quote costs its own row only.

Within these borders records are those of Python's csv module with its default
dialect, except that a carriage return alone ends no row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from mapsight.storage.uri import open_uri

__all__ = ["Row", "read_rows"]

ANCHOR = re.compile(rb'(?:\xef\xbb\xbf)?"?[0-9a-fA-F]{16}"?,')
BOM = b"\xef\xbb\xbf"
LINE_BYTES = 1 << 20
RECORD_LINES = 64
FIELD_CHARACTERS = 1 << 17  # as the csv module has it
READ_BYTES = 1 << 20
TOO_LONG = f"a line longer than {LINE_BYTES} bytes"
OPEN_QUOTE = "a quote is not closed"


class Row(NamedTuple):
    """A record: where it begins in its file (bytes), its cells, or why it has none.

    Cells are text; bytes that are no UTF-8 are in it as surrogates, as
    `surrogateescape` makes them.
    """

    offset: int
    cells: list[str]
    problem: str = ""


class _Line(NamedTuple):
    offset: int
    data: bytes
    whole: bool = True


def read_rows(uri: str, start: int = 0, end: int | None = None) -> Iterator[Row]:
    """Yield the records of a range, the header among them; blank lines are left out.

    Memory: RECORD_LINES lines of at most LINE_BYTES.

    Args:
        uri: a CSV file.
        start: where the range begins, in bytes; 0 has the file's first line.
        end: where it ends; None is the end of the file.
    """
    # files far away have no readline with a limit
    with open_uri(uri) as file, io.BufferedReader(file, READ_BYTES) as handle:
        yield from _Records(handle, start, end).rows()


class _Records:
    def __init__(self, handle: io.BufferedReader, start: int, end: int | None) -> None:
        self._handle, self._end = handle, end
        self._offset = start
        self._back: list[_Line] = []  # lines that come again, the next one last
        self._skip_to_anchor = start > 0
        if start:
            self._seek(start)

    def _seek(self, start: int) -> None:
        """To the first line that begins at `start` or later."""
        self._offset = start - 1
        self._handle.seek(self._offset)
        self._rest_of_line()

    def _rest_of_line(self) -> None:
        while piece := self._handle.readline(LINE_BYTES):
            self._offset += len(piece)
            if piece.endswith(b"\n"):
                return

    def _next(self) -> _Line | None:
        if self._back:
            return self._back.pop()
        data, offset = self._handle.readline(LINE_BYTES), self._offset
        if not data:
            return None
        self._offset += len(data)
        if len(data) < LINE_BYTES or data.endswith(b"\n"):
            return _Line(offset, data)
        self._rest_of_line()
        return _Line(offset, data, whole=False)

    def _past(self, line: _Line) -> bool:
        """Return whether a line is behind the range."""
        return self._end is not None and line.offset >= self._end

    def rows(self) -> Iterator[Row]:
        while line := self._next():
            if ANCHOR.match(line.data):
                if self._past(line):
                    return
                self._skip_to_anchor = False
            elif self._skip_to_anchor and self._past(line):
                return
            if not self._skip_to_anchor and (row := self._row(line)):
                yield row

    def _row(self, first: _Line) -> Row | None:
        if not first.whole:
            return Row(first.offset, [], TOO_LONG)
        data = first.data[3:] if not first.offset and first.data.startswith(BOM) else first.data
        text = _text(data)
        bare = text.rstrip("\r\n")
        if '"' in bare or "\r" in bare or len(bare) > FIELD_CHARACTERS:
            return self._quoted(first.offset, text)
        return Row(first.offset, bare.split(",")) if bare else None

    def _quoted(self, offset: int, text: str) -> Row | None:
        """The record that begins with a line; others of its lines come again if it is none."""
        taken: list[_Line] = []

        def lines() -> Iterator[str]:
            yield text
            while (line := self._next()) and len(taken) < RECORD_LINES:
                if not line.whole or ANCHOR.match(line.data):
                    break
                taken.append(line)
                yield _text(line.data)
            if line:
                self._back.append(line)
            raise csv.Error(OPEN_QUOTE)

        try:
            cells = next(csv.reader(lines()))
        except csv.Error as error:
            self._back.extend(reversed(taken))
            return Row(offset, [], str(error))
        return Row(offset, cells)


def _text(data: bytes) -> str:
    """UTF-8, with surrogates for what is none; NUL, which not every csv module takes, is U+FFFD."""
    return data.decode("utf-8", "surrogateescape").replace("\0", "\ufffd")
