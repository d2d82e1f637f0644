"""Sums by key that need not fit into memory, and what is kept of keys without bound.

A key is a tuple of text whose first part is its family. Sums of most families are
few (columns, labels, subsets); those of TOPS may be as many as there are pictures,
and only the largest are kept.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

__all__ = ["KEYS", "TOPS", "Key", "Sums", "Top", "first_of", "merge_values"]

Key = tuple[str, ...]

KEYS = 1 << 17
"""How many sums a task holds before it hands them over."""
TOPS = {
    "pair": 100,
    "license": 100,
    "author": 100,
    "rotation": 100,
    "labels_source": 50,
    "boxes_source": 50,
    "most_boxes": 20,
}
"""Families with keys without bound: how many of the largest sums are kept."""
FIRST = {"example": 5, "first": 10, "header": 1}
"""Families whose values are lists: how many of the first entries are kept."""


class Sums:
    """Adds up numbers by key; when it holds `limit` keys it is `full` and wants to be drained."""

    def __init__(self, limit: int = KEYS) -> None:
        self.limit = limit
        self._sums: Counter[Key] = Counter()

    def add(self, key: Key, number: int = 1) -> None:
        """Add a whole number to the sum of a key."""
        self._sums[key] += number

    @property
    def full(self) -> bool:
        """Return whether the limit is reached."""
        return len(self._sums) >= self.limit

    def drain(self) -> Iterator[tuple[Key, int]]:
        """Yield all sums by key, in order, and forget them."""
        sums, self._sums = self._sums, Counter()
        yield from sorted(sums.items())


def first_of(lists: Iterable[Sequence[Any]], number: int) -> list[Any]:
    """Return the first entries of several lists together, sorted, each once."""
    kept: list[Any] = []
    for entries in lists:
        kept = sorted([*kept, *(entry for entry in entries if entry not in kept)])[:number]
    return kept


def merge_values(key: Sequence[str], values: Iterable[Any]) -> Any:
    """Merge the values of a key: a sum, or the first entries of lists.

    >>> merge_values(["label", "/m/1", "present"], [2, 3])
    5
    >>> merge_values(["first", "not_listed"], [["b"], ["a", "b"]])
    ['a', 'b']
    """
    if key[0] in FIRST:
        return first_of(values, FIRST[key[0]])
    return sum(values)


class Top:
    """Keeps the largest sums of the families in TOPS, and how many there were.

    Equal sums are in the order of their keys. Each key may come once.
    """

    def __init__(self) -> None:
        self._heaps: dict[str, list[_Entry]] = {}
        self._seen: Counter[Key] = Counter()

    def takes(self, key: Sequence[str]) -> bool:
        """Return whether the key is of such a family."""
        return key[0] in TOPS

    def add(self, key: Sequence[str], number: int) -> None:
        """Take a key with its whole sum."""
        family = key[0]
        self._seen["distinct", family] += 1
        self._seen["total", family] += number
        heap, entry = self._heaps.setdefault(family, []), _Entry(number, tuple(key))
        if len(heap) < TOPS[family]:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    def take(self, key: Sequence[str], values: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Add the values of a key, or yield their sum if it is of no such family."""
        value = merge_values(key, values)
        if self.takes(key):
            self.add(key, value)
        else:
            yield key, value

    def results(self) -> Iterator[tuple[Key, int]]:
        """Yield the largest sums of each family, then how many keys it had and their total."""
        for _, heap in sorted(self._heaps.items()):
            for entry in sorted(heap, reverse=True):
                yield entry.key, entry.number
        yield from sorted(self._seen.items())


class _Entry:
    """A sum that is smaller than another if it is to be dropped before it."""

    __slots__ = ("key", "number")

    def __init__(self, number: int, key: Key) -> None:
        self.number, self.key = number, key

    def __lt__(self, other: _Entry) -> bool:
        return (self.number, other.key) < (other.number, self.key)
