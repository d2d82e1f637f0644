"""Lists of URLs: text with one a line, or CSV and TSV with a column of them.

Rows are read as a stream. Memory: one record of at most MAX_RECORD characters.
"""

from __future__ import annotations

import csv
import io
import itertools
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsight.inputs import HEX_ID, resolve, safe_id
from mapsight.provenance import provenance_of, renamed

__all__ = ["chunks", "read_url_list"]

MAX_LINE = 1 << 16  # characters; a longer line is no row
MAX_RECORD = 4 * MAX_LINE  # of lines that quotes hold together
MAX_URL = 4096
MIN_ROWS, MEAN_MORE, MAX_ROWS = 128, 128, 384
"""A chunk ends after the first row past MIN_ROWS whose URL's checksum divides by MEAN_MORE."""

DELIMITERS = (",", "\t", ";", "|")
URL = re.compile(r"https?://", re.I)
NOT_UTF8 = re.compile("[\udc80-\udcff]")
IDS = ("image_id", "imageid")
HEX_IDS = ("id", "key")
"""Columns that are ids only where they look like those of Open Images: others count from 1."""

Row = dict[str, Any]


@dataclass(frozen=True)
class _Layout:
    """How a list is written: the delimiter ("" for plain lines) and where what is."""

    delimiter: str
    url: int = 0
    header: Sequence[str] = ()
    fields: dict[str, int] = field(default_factory=dict)

    def row(self, cells: Sequence[str], place: str) -> Row:
        known = {name: cells[at] for name, at in self.fields.items() if at < len(cells)}
        url = _url(cells[self.url]) if self.url < len(cells) else ""
        return {"url": url or place, "image_id": _image_id(known), **provenance_of(known)}


def read_url_list(uri: bytes, source: str, url_column: str | None = None) -> Iterator[Row]:
    """The rows of a list of URLs: `url`, `image_id` (or None) and what is known of provenance.

    Plain lines may have a caption after a tab; blank lines and those that begin
    with # are passed over. The column of URLs is `url_column`, else the one that a
    header calls so, else the one that holds one in the first row. A row without
    a usable URL stands with its place, as `list.csv#17`, so that it is not lost.
    Compressed lists are told by their names (.gz, .bz2, .xz).

    Args:
        uri: what opens the list.
        source: what the user calls it.

    Raises:
        ValueError: there is no column of URLs, or no URL at all.
        OSError: it cannot be read.
    """
    found = False
    try:
        with _opened(uri) as handle:
            for row in _rows(_Lines(handle), source, url_column):
                found = found or bool(URL.match(row["url"]))
                yield row
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{source}: {error}") from error
    if not found:
        raise ValueError(f"{source}: holds no address that begins with http:// or https://")


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Consecutive rows, MAX_ROWS at most, in chunks whose borders depend on the rows alone.

    As in rsync, a border follows from the URL before it and not from the row's
    number: rows that are added or removed change the chunks they fall into and
    hardly any other. A chunk's rows give that chunk again.
    """
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == MAX_ROWS or (len(chunk) >= MIN_ROWS and _ends_chunk(row)):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _ends_chunk(row: Row) -> bool:
    return zlib.crc32(row["url"].encode("utf-8", "replace")) % MEAN_MORE == 0


def _opened(uri: bytes) -> io.TextIOWrapper:
    file_system, path = resolve(uri)
    handle = io.BufferedReader(file_system.open(path, "rb", compression="infer"))
    if handle.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):  # Excel's "Unicode text"
        return io.TextIOWrapper(handle, "utf-16", "replace", newline="")
    return io.TextIOWrapper(handle, "utf-8-sig", "surrogateescape", newline="")


class _Lines:
    """Lines of bounded length; csv.Error for one that is longer, which is passed over.

    `number` is that of the line that was read last.
    """

    def __init__(self, handle: io.TextIOWrapper) -> None:
        self._handle = handle
        self.number = 0
        self.record = 0  # characters since the record began

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._handle.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            while (rest := self._handle.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            raise csv.Error(f"longer than {MAX_LINE} characters")
        self.record += len(line)
        if self.record > MAX_RECORD:
            raise csv.Error(f"a record longer than {MAX_RECORD} characters")
        return line.replace("\0", "\ufffd")


def _rows(lines: _Lines, source: str, url_column: str | None) -> Iterator[Row]:
    first = _first(lines, source)
    if first is None:
        return
    layout = _layout(first, f"{source}, line {lines.number}", source, url_column)
    again: Iterable[str] = () if layout.header else (first,)
    read = _records(lines, again, layout.delimiter) if layout.delimiter else _plain(lines, again)
    for cells in read:
        if any(cells):
            yield layout.row(cells, f"{source}#{lines.number}")


def _first(lines: _Lines, source: str) -> str | None:
    """The first line that is neither blank nor a comment."""
    try:
        return next((line for line in lines if not _passed_over(line)), None)
    except csv.Error as error:
        raise ValueError(f"{source}, line {lines.number}: {error}, no list of URLs") from None


def _passed_over(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _plain(lines: _Lines, again: Iterable[str]) -> Iterator[list[str]]:
    """URL and caption of plain lines; quotes around them are taken off."""
    yield from (_unquoted(line) for line in again)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except csv.Error:
            yield ["", "?"]
            continue
        lines.record = 0
        if not _passed_over(line):
            yield _unquoted(line)


def _unquoted(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split("\t", 1)]


def _records(lines: _Lines, again: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of each record; none but a mark for one that is not CSV."""
    source = _Chained(again, lines)
    reader = csv.reader(source, delimiter=delimiter)
    while True:
        lines.record = 0
        try:
            yield [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:  # the reader goes on with the next line
            yield ["?"]


class _Chained:
    """Some lines, then others; unlike itertools.chain it outlives what they raise."""

    def __init__(self, first: Iterable[str], then: Iterator[str]) -> None:
        self._first, self._then = iter(first), then

    def __iter__(self) -> _Chained:
        return self

    def __next__(self) -> str:
        line = next(self._first, None)
        return next(self._then) if line is None else line


def _layout(line: str, where: str, source: str, url_column: str | None) -> _Layout:
    """What the first line says of the others.

    Raises:
        ValueError: nothing of where URLs are.
    """
    plain = _unquoted(line)
    if not url_column and URL.match(plain[0]) and not _is_table(line, source):
        return _Layout("", fields={"caption": 1})
    tables = [(delimiter, _cells(line, delimiter)) for delimiter in DELIMITERS]
    for delimiter, cells in tables:
        if (at := _url_place(cells, url_column)) is not None:
            alone = len(cells) == 1  # then a comma is part of a URL
            return _Layout("" if alone else delimiter, at, cells, _fields(cells, at))
    for delimiter, cells in tables:
        if not url_column and (at := _first_url(cells)) is not None:
            return _Layout(delimiter, at)
    columns = max((cells for _, cells in tables), key=len)
    what = f"no column {url_column!r}" if url_column else "no column of URLs"
    names = ", ".join(repr(cell[:40]) for cell in columns[:30])
    raise ValueError(f"{where}: {what}; it has {names}. Name one with --url-column")


def _is_table(line: str, source: str) -> bool:
    """Whether a line that begins with a URL goes on with other cells."""
    named = re.search(r"\.(csv|tsv)(\.\w+)?$", source, re.I)
    return bool(named) and any(len(_cells(line, d)) > 1 for d in DELIMITERS[:2])


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _url_place(header: Sequence[str], wanted: str | None) -> int | None:
    if wanted:
        return header.index(wanted) if wanted in header else None
    named = {name: column for column, name in renamed(header).items()}
    return header.index(named["original_url"]) if "original_url" in named else None


def _first_url(cells: Sequence[str]) -> int | None:
    return next((at for at, cell in enumerate(cells) if URL.match(cell)), None)


def _fields(header: Sequence[str], url: int) -> dict[str, int]:
    """Where the columns are that travel along, and those of ids."""
    others = [name for at, name in enumerate(header) if at != url]
    known = [*renamed(others), *(name for name in others if name.lower() in (*IDS, *HEX_IDS))]
    return {name: header.index(name) for name in known}


def _url(cell: str) -> str:
    """An address as text; bytes that are no UTF-8 are percent-encoded. "" if it is none."""
    url = NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", cell.strip())
    return url if len(url) <= MAX_URL else ""


def _image_id(known: dict[str, str]) -> str | None:
    """The id that a row gives, where it can be a key."""
    given = {name.lower(): text.strip() for name, text in known.items()}
    for text in itertools.chain(
        (given[name] for name in IDS if name in given),
        (given[name] for name in HEX_IDS if HEX_ID.fullmatch(given.get(name, ""))),
    ):
        if safe_id(text):
            return text.lower() if HEX_ID.fullmatch(text) else text
    return None
