"""What a Parquet file declares of its row groups and pages, read before it is trusted.

pyarrow ends the process when it is asked for the column chunks of some damaged
footers, and makes room for whatever a page declares. So footers and page headers
are read here first: Thrift's compact protocol, with every size checked. Format:
github.com/apache/parquet-format, `parquet.thrift`; the numbers are its field ids.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

__all__ = ["Chunk", "RowGroup", "check_pages", "read_layout"]

MAX_FOOTER = 64 << 20
MAX_ITEMS = 1_000_000  # of a list, as in Arrow
MAX_DEPTH = 32
FREE_ROWS = 1 << 20  # more than these need a byte of file each
PAGE_BYTES = 512 << 20  # pyarrow writes 1024 values to a page, however large
SWELL, SWELL_BYTES = 20, 64 << 20  # what unpacks to more than both holds no pictures
HEADERS = (1 << 10, 1 << 20)  # bytes to look for a page header in: one may hold statistics

_CHUNK = {3: True, 4: True, 6: True, 7: True, 9: True, 11: True}
_FOOTER = {4: {1: {3: _CHUNK}, 3: True}}
_PAGE = {2: True, 3: True, 7: {1: True}}


@dataclass(frozen=True)
class Chunk:
    """A column of a row group: `size` bytes from `start`, and whether they are packed."""

    column: str
    start: int
    size: int
    unpacked: int
    packed: bool


@dataclass(frozen=True)
class RowGroup:
    """`rows` rows in `chunks`."""

    rows: int
    chunks: tuple[Chunk, ...]

    @property
    def size(self) -> int:
        """Return the bytes in the file."""
        return sum(chunk.size for chunk in self.chunks)

    @property
    def unpacked(self) -> int:
        """Return the bytes that it declares to be, unpacked."""
        return sum(chunk.unpacked for chunk in self.chunks)


class _Compact:
    """A reader of Thrift's compact protocol that keeps only the wanted fields."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def struct(self, wanted: dict[int, Any], depth: int = 0) -> dict[int, Any]:
        """Return the wanted fields by id; ValueError if there is no whole struct."""
        if depth > MAX_DEPTH:
            raise ValueError("a struct too deep")
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._integer()
            value = self._value(head & 15, wanted.get(field), depth)
            if field in wanted:
                found[field] = value
        return found

    def _byte(self) -> int:
        try:
            byte = self._data[self.at]
        except IndexError:
            raise ValueError("it ends early") from None
        self.at += 1
        return byte

    def _number(self) -> int:
        number = self._byte()
        if number < 128:
            return number
        number &= 127
        for shift in range(7, 70, 7):
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
        raise ValueError("a number too long")

    def _integer(self) -> int:
        number = self._number()
        return (number >> 1) ^ -(number & 1)

    def _pass(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise ValueError("it ends early")
        self.at += size
        return self._data[self.at - size : self.at]

    def _value(self, kind: int, wanted: Any, depth: int) -> Any:
        if kind in (4, 5, 6):
            return self._integer()
        if kind == 8:
            return self._pass(self._number())
        if kind in (1, 2):
            return kind == 1
        if kind in (3, 7):
            return self._pass(1 if kind == 3 else 8)
        if kind in (9, 10):
            return self._list(wanted, depth)
        if kind == 12:
            return self.struct(wanted if isinstance(wanted, dict) else {}, depth + 1)
        raise ValueError(f"a value of kind {kind}")

    def _list(self, wanted: Any, depth: int) -> list[Any] | None:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._number()
        if size > min(MAX_ITEMS, len(self._data) - self.at):
            raise ValueError(f"a list of {size} values")
        # in a list a truth is a byte of its own
        kind = 3 if head & 15 in (1, 2) else head & 15
        values = (self._value(kind, wanted, depth + 1) for _ in range(size))
        if wanted:
            return list(values)
        for _ in values:
            pass
        return None


def read_layout(handle: Any) -> list[RowGroup]:
    """Return the row groups of an open Parquet file. Memory: its footer, and what is kept of it.

    Raises:
        ValueError: it has no footer, or one that cannot be true.
    """
    length = handle.seek(0, os.SEEK_END)
    handle.seek(max(length - 8, 0))
    tail = handle.read(8)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or size > min(length - 12, MAX_FOOTER):
        raise ValueError("no Parquet footer at its end")
    handle.seek(length - 8 - size)
    try:
        fields = _Compact(handle.read(size)).struct(_FOOTER)
        groups = [_group(group, length) for group in _field(fields, 4, list)]
    except ValueError as error:
        raise ValueError(f"its footer is damaged: {error}") from None
    rows = sum(group.rows for group in groups)
    if rows > max(FREE_ROWS, length):
        raise ValueError(f"{length:,} bytes declare {rows:,} rows; refused")
    return groups


def _group(fields: Any, length: int) -> RowGroup:
    rows, columns = _field(fields, 3, int), _field(fields, 1, list)
    return RowGroup(_whole(rows), tuple(_chunk(column, length) for column in columns))


def _chunk(fields: Any, length: int) -> Chunk:
    """A column chunk, which must lie within the file."""
    fields = _field(fields, 3, dict)
    names = _field(fields, 3, list)
    if not names or not isinstance(names[0], bytes):
        raise ValueError("a column without a name")
    start, size, unpacked, codec = (_whole(_field(fields, key, int)) for key in (9, 7, 6, 4))
    if fields.get(11):
        start = min(start, _whole(fields[11]))
    if start + size > length:
        raise ValueError(f"a column of {size} bytes at byte {start} of {length}")
    return Chunk(names[0].decode("utf-8", "replace"), start, size, unpacked, codec != 0)


def _field(fields: Any, key: int, kind: type) -> Any:
    value = fields.get(key) if isinstance(fields, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"no field {key}")
    return value


def _whole(number: Any) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{number!r} is no size")
    return number


def check_pages(handle: Any, group: RowGroup, columns: Collection[str]) -> None:
    """Follow the page headers of some columns of a row group.

    A value of a dictionary may stand in every row: of one that grows as no picture does,
    the rows are taken to have its mean size.

    Raises:
        ValueError: a page declares more than PAGE_BYTES, or to grow as no picture
            does, or is not where it should be.
    """
    for chunk in group.chunks:
        # what is not packed cannot be more than its bytes
        if chunk.column in columns and (chunk.packed or chunk.size > PAGE_BYTES):
            at = chunk.start
            while at < chunk.start + chunk.size:
                at += _page(handle, at, group.rows)


def _page(handle: Any, at: int, rows: int) -> int:
    """The size of the page at a place, with its header."""
    for size in HEADERS:
        handle.seek(at)
        compact = _Compact(handle.read(size))
        try:
            fields = compact.struct(_PAGE)
        except ValueError as error:
            reason = error
            continue
        unpacked, packed = fields.get(2), fields.get(3)
        if not isinstance(unpacked, int) or not isinstance(packed, int) or packed < 0:
            raise ValueError(f"no page at byte {at}")
        if unpacked > PAGE_BYTES or (unpacked > SWELL_BYTES and unpacked > SWELL * packed):
            raise ValueError(f"a page of {packed:,} bytes declares {unpacked:,}; refused")
        dictionary = fields.get(7)
        if isinstance(dictionary, dict) and unpacked > SWELL * packed:
            all_rows = rows * unpacked // max(_whole(dictionary.get(1, 0)), 1)
            if all_rows > SWELL_BYTES:
                raise ValueError(
                    f"a dictionary of {packed:,} bytes declares {all_rows:,} in {rows:,} rows;"
                    " refused"
                )
        return compact.at + packed
    raise ValueError(f"no page at byte {at}: {reason}")
