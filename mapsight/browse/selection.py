"""Pictures that are chosen and sorted, and pages of them."""

from __future__ import annotations

import base64
import json
import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from mapsight.browse.columns import ALL, Columns
from mapsight.browse.filter_values import FilterError
from mapsight.browse.items import TABLE_COLUMNS, items, table

__all__ = ["SORTS", "Cache", "Selection", "check_sort", "sorted_rows"]

BY_ID = "image_id"
SORTS = (
    BY_ID,
    *("score", "ppi", "sharpness", "pixels", "entropy", "gradient", "bytes", "width", "height"),
    *("top_probability", "quality"),
)
"""What pictures are sorted by, lowest first; with a minus in front highest first."""
MOST_ROWS = 500
BATCH = 16_384


class Key(NamedTuple):
    """A place in an order: what is not known comes last, ties are in the order of the ids."""

    unknown: bool
    value: float
    row: int


def check_sort(sort: str) -> str:
    """Return a sort that is allowed.

    Raises:
        FilterError: it is not.
    """
    if sort.removeprefix("-") not in SORTS:
        raise FilterError("sort", sort, f"one of {', '.join(SORTS)}, or one with - in front")
    return sort


def sorted_rows(columns: Columns, rows: np.ndarray, sort: str) -> np.ndarray:
    """Return row numbers, which come in ascending order, in the order of a sort: uint32."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == BY_ID:
        return rows[::-1] if down else rows
    values = columns.values(name, ALL if len(rows) == columns.rows else rows)
    return rows[np.argsort(-values if down else values, kind="stable")]


class Selection:
    """Pictures that fit some filters, in an order.

    Args:
        columns: of all pictures.
        rows: of those that fit, in order: (n,) uint32.
        sort: the order.
    """

    def __init__(self, columns: Columns, rows: np.ndarray, sort: str) -> None:
        self.columns, self.rows, self.sort = columns, rows, sort
        self._name, self._down = sort.removeprefix("-"), sort.startswith("-")

    @property
    def total(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def first(self, most: int) -> Selection:
        """Return the first of them, at most so many."""
        return Selection(self.columns, self.rows[:most], self.sort)

    def page(
        self, cursor: str | None = None, limit: int = 100, at: float | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return (pictures, cursor of what comes after them, or None at the end).

        A cursor holds the last picture's place in the order, not its number: it leads on in
        another state too, also if that picture is gone by then.

        Args:
            cursor: of the page before; None begins at the start.
            limit: 1 to MOST_ROWS.
            at: begin at this share of the way, 0 to 1, and at no cursor.

        Raises:
            FilterError: one of them is not allowed, or the cursor is of another order.
        """
        if not 1 <= limit <= MOST_ROWS:
            raise FilterError("limit", limit, f"1 to {MOST_ROWS}")
        start = self._start(cursor, at)
        rows = self.rows[start : start + limit]
        more = start + limit < self.total
        return items(self.columns, rows), self._cursor(int(rows[-1])) if more else None

    def _start(self, cursor: str | None, at: float | None) -> int:
        if at is not None:
            if not 0 <= at <= 1:
                raise FilterError("at", at, "0 to 1")
            return max(min(int(at * self.total + 1e-6), self.total - 1), 0)
        return self._after(*_opened(cursor, self.sort)) if cursor else 0

    def _cursor(self, row: int) -> str:
        value = None
        if self._name != BY_ID:
            number = float(self.columns.values(self._name, np.array([row]))[0])
            value = number if number == number else None
        written = json.dumps([self.sort, value, self.columns.ids[row].as_py()])
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")

    def _after(self, value: float | None, image_id: str) -> int:
        """Return the number of the first row that comes after a place in the order."""
        ids = self.columns.ids
        every = range(self.columns.rows)
        if self._name == BY_ID and self._down:
            row = bisect_left(every, image_id, key=lambda i: ids[i].as_py())
            return bisect_left(range(self.total), -row, lo=0, key=lambda i: -int(self.rows[i]) - 1)
        row = bisect_right(every, image_id, key=lambda i: ids[i].as_py())
        wanted = Key(False, 0.0, row) if self._name == BY_ID else self._key(value, row)
        return bisect_left(range(self.total), wanted, key=self._key_at)

    def _key_at(self, place: int) -> Key:
        row = int(self.rows[place])
        if self._name == BY_ID:
            return Key(False, 0.0, row)
        number = float(self.columns.values(self._name, np.array([row]))[0])
        return self._key(number if number == number else None, row)

    def _key(self, value: float | None, row: int) -> Key:
        if value is None:
            return Key(True, 0.0, row)
        return Key(False, -value if self._down else value, row)

    def batches(self, names: Sequence[str] = TABLE_COLUMNS) -> Iterator[pa.RecordBatch]:
        """Yield what is known of the pictures, in order, BATCH rows at a time.

        Raises:
            ValueError: there is no such column.
        """
        for first in range(0, max(self.total, 1), BATCH):
            yield table(self.columns, self.rows[first : first + BATCH], names)

    def ids(self) -> Iterator[list[str]]:
        """Yield the ids, in order, BATCH at a time."""
        for first in range(0, self.total, BATCH):
            yield self.columns.ids.take(pa.array(self.rows[first : first + BATCH])).to_pylist()


def _opened(cursor: str, sort: str) -> tuple[float | None, str]:
    """Return the (value, image_id) of a cursor.

    Raises:
        FilterError: it is none, or one of another order.
    """
    try:
        data = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        of, value, image_id = json.loads(data)
        if not isinstance(value, float | None) or not isinstance(image_id, str):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise FilterError("cursor", cursor[:80], "not one of an answer") from None
    if of != sort:
        raise FilterError("cursor", cursor[:80], f"is of an answer sorted by {of!r}")
    return value, image_id


class Cache:
    """Arrays and other values by key, those that were not asked for longest let go of.

    Any number of threads.

    Args:
        limit: of the bytes of all of them; what has more by itself is not kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self.bytes = limit, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """Return a value, made if it is not there; two threads may make one at the same time."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        self._keep(key, value, size(value))
        return value

    def _keep(self, key: Any, value: Any, size: int) -> None:
        with self._lock:
            if size > self._limit or key in self._kept:
                return
            self._kept[key] = value, size
            self.bytes += size
            while self.bytes > self._limit:
                self.bytes -= self._kept.popitem(last=False)[1][1]
