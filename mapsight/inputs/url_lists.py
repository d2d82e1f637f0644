"""Lists of URLs: text with one a line, or CSV and TSV with a column of them.

Rows are read as a stream. Memory: one record, at most `text_rows.MAX_LINES` lines.
"""

from __future__ import annotations

import csv
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsight.inputs.decompress import StreamError
from mapsight.inputs.image_ids import HEX_ID, safe_id
from mapsight.inputs.provenance import MAX_TEXT, renamed
from mapsight.inputs.text_rows import (
    Lines,
    cells_of,
    csv_records,
    is_passed_over,
    opened_text,
    plain_rows,
)
from mapsight.redaction import public_address, without_secrets
from mapsight.web.checksums import md5_of

__all__ = ["Licensed", "chunks", "read_url_list"]

MAX_URL = 4096
MOST_ROWS = 100_000_000  # of one list
LINES_WITHOUT, LINES_EACH = 1_000_000, 100
"""How many lines a list may have without an address, and how many more for each with one."""

MIN_ROWS, MEAN_MORE, MAX_ROWS = 128, 128, 384
"""A chunk ends after the first row past MIN_ROWS whose URL's checksum divides by MEAN_MORE."""

DELIMITERS = (",", "\t", ";", "|")
URL = re.compile(r"https?://", re.I)
SIZE = re.compile(r"[1-9][0-9]{0,17}")
NOT_UTF8 = re.compile("[\udc80-\udcff]")
IDS = ("image_id", "imageid")
HEX_IDS = ("id", "key")
"""Columns that are ids only where they look like those of Open Images: others count from 1."""

Row = dict[str, Any]


@dataclass
class Licensed:
    """Keeps the rows of lists whose licence may be the one that is asked for.

    Where a list does not say the licence, what is known of the picture later decides. `left_out`
    counts the others.

    Args:
        text: a part of the licence's address, in any case; "" for any licence.
    """

    text: str = ""
    left_out: int = 0

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield those that are to be fetched."""
        for row in rows:
            if self.text.lower() in row.get("license", self.text).lower():
                yield row
            else:
                self.left_out += 1


@dataclass(frozen=True)
class _Layout:
    """How a list is written: the delimiter ("" for plain lines) and where what is."""

    delimiter: str
    url: int = 0
    columns: int = 0
    header: Sequence[str] = ()
    fields: dict[str, int] = field(default_factory=dict)  # of provenance
    ids: Sequence[tuple[int, bool]] = ()  # with whether it must be as those of Open Images
    size: int = -1  # of the original, and its MD5: -1 where the list does not say it
    md5: int = -1

    def row(self, cells: Sequence[str], place: str) -> Row:
        url = _url(cells[self.url]) if self.url < len(cells) else ""
        if self.columns and any(cells[self.columns :]):  # a comma that is part of the URL, perhaps
            url = ""
        row: Row = {"url": url or place, "image_id": self._image_id(cells)}
        for name, at in self.fields.items():
            if at < len(cells) and (text := cells[at][:MAX_TEXT]):
                row[name] = without_secrets(text if text.isascii() else _valid(text))
        return row | self._original(cells)

    def _original(self, cells: Sequence[str]) -> Row:
        """Return what the list says of the bytes at the URL."""
        size, md5 = (cells[at] if 0 <= at < len(cells) else "" for at in (self.size, self.md5))
        row: Row = {"original_bytes": int(size)} if SIZE.fullmatch(size) else {}
        if digest := md5_of(md5):
            row["original_md5"] = digest
        return row

    def _image_id(self, cells: Sequence[str]) -> str | None:
        """The id that a row gives, where it can be a key."""
        for at, as_hex in self.ids:
            given = cells[at] if at < len(cells) else ""
            if HEX_ID.fullmatch(given):
                return given.lower()
            if not as_hex and safe_id(given):
                return given
        return None


def read_url_list(uri: bytes, source: str, url_column: str | None = None) -> Iterator[Row]:
    """Yield the rows of a list of URLs: `url`, `image_id` (or None) and known provenance.

    Of an image list of Open Images also `original_bytes` and `original_md5` (hex) of what is at
    OriginalURL, where the list says them.

    Plain lines may have a caption after a tab; blank lines and those that begin
    with # are passed over. The column of URLs is `url_column`, else the one that a
    header calls so, else the one that holds one in the first row. A row without
    a usable URL, or with more cells than the first row, stands with its place, as
    `list.csv#17`, so that it is not lost.
    Compressed lists are unpacked (gzip, bzip2, xz, zstd), up to 64 MiB or 100 times what
    was read of them; a list has MOST_ROWS rows at most.

    Args:
        uri: what opens the list.
        source: what the user calls it.

    Raises:
        ValueError: there is no column of URLs, or no URL at all.
        OSError: it cannot be read.
    """
    found = False
    try:
        with opened_text(uri) as handle:
            lines = Lines(handle)
            lines.most = LINES_WITHOUT
            for number, (cells, row) in enumerate(_rows(lines, source, url_column)):
                if number == MOST_ROWS:
                    raise StreamError(f"more than {number:,} rows; give several lists")
                if _first_url([row["url"], *cells]) is not None:
                    found = True
                    lines.most += LINES_EACH
                yield row
    except (EOFError, zlib.error, lzma.LZMAError, StreamError) as error:
        raise ValueError(f"{source}: {error}") from error
    if not found:
        raise ValueError(f"{source}: holds no address that begins with http:// or https://")


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield consecutive rows, MAX_ROWS at most, in chunks whose borders depend on the rows alone.

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
    # an address that is signed anew changes no border
    return zlib.crc32(public_address(row["url"]).encode("utf-8", "replace")) % MEAN_MORE == 0


def _rows(lines: Lines, source: str, url_column: str | None) -> Iterator[tuple[Sequence[str], Row]]:
    first = _first(lines, source)
    if first is None:
        return
    layout = _layout(first, f"{source}, line {lines.place}", source, url_column)
    if not layout.header:
        lines.give_back()
    read = plain_rows(lines)
    if layout.delimiter:
        read = csv_records(lines, layout.delimiter, layout.columns)
    for cells in read:
        if cells is None or any(cells):
            yield cells or (), layout.row(cells or (), f"{source}#{lines.place}")


def _first(lines: Lines, source: str) -> str | None:
    """The first line that is neither blank nor a comment."""
    while True:
        lines.begin()
        try:
            line = next(lines, None)
        except csv.Error as error:
            raise ValueError(f"{source}, line {lines.place}: {error}, no list of URLs") from None
        if line is None or not is_passed_over(line):
            return line


def _layout(line: str, where: str, source: str, url_column: str | None) -> _Layout:
    """Return what the first line says of the others.

    Raises:
        ValueError: nothing of where URLs are.
    """
    begins = URL.match(line.strip().strip('"'))
    if begins and not url_column and not _is_table(line, source):
        return _Layout("", fields={"caption": 1})
    tables = [(delimiter, cells_of(line, delimiter) or []) for delimiter in DELIMITERS]
    for delimiter, cells in tables:
        if (at := _url_place(cells, url_column)) is not None:
            alone = len(cells) == 1  # then a comma is part of a URL
            delimiter = "" if alone else delimiter
            fields, ids = _fields(cells, at), _ids(cells)
            return _Layout(delimiter, at, len(cells), cells, fields, ids, *_originals(cells, at))
    for delimiter, cells in tables:
        if not url_column and (at := _first_url(cells)) is not None:
            return _Layout(delimiter, at, len(cells))
    columns = max((cells for _, cells in tables), key=len)
    what = f"no column {url_column!r}" if url_column else "no column of URLs"
    names = ", ".join(repr(cell[:40]) for cell in columns[:30])
    raise ValueError(f"{where}: {what}; it has {names}. Name one with --url-column")


def _is_table(line: str, source: str) -> bool:
    """Return whether a line that begins with a URL goes on with other cells."""
    named = re.search(r"\.(csv|tsv)(\.\w+)?$", source, re.I)
    return bool(named) and any(len(cells_of(line, d) or []) > 1 for d in DELIMITERS[:2])


def _url_place(header: Sequence[str], wanted: str | None) -> int | None:
    if wanted:
        return header.index(wanted) if wanted in header else None
    named = {name: column for column, name in renamed(header).items()}
    return header.index(named["original_url"]) if "original_url" in named else None


def _originals(header: Sequence[str], url: int) -> tuple[int, int]:
    """Where size and MD5 of what is at the URL are; they are those of the original alone."""
    names = [_plain_name(name) for name in header]
    if names[url] != "originalurl":
        return -1, -1
    size, md5 = (names.index(n) if n in names else -1 for n in ("originalsize", "originalmd5"))
    return size, md5


def _plain_name(name: str) -> str:
    return name.strip().lower().replace("_", "")


def _first_url(cells: Sequence[str]) -> int | None:
    return next((at for at, cell in enumerate(cells) if URL.match(cell)), None)


def _fields(header: Sequence[str], url: int) -> dict[str, int]:
    """Where the columns are that travel along, by the name of their field."""
    others = [name for at, name in enumerate(header) if at != url]
    return {name: header.index(column) for column, name in renamed(others).items()}


def _ids(header: Sequence[str]) -> list[tuple[int, bool]]:
    names = [name.lower() for name in header]
    return [(names.index(name), name in HEX_IDS) for name in (*IDS, *HEX_IDS) if name in names]


def _url(cell: str) -> str:
    """An address as text; bytes that are no UTF-8 are percent-encoded. "" if it is none."""
    url = NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", cell)
    return url if len(url) <= MAX_URL else ""


def _valid(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
