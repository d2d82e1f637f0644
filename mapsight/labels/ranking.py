"""Ranking everything without holding it: sort keys, ranges and offsets.

A group (a label, or EVERYTHING) is cut into ranges of sort keys. Every map task
counts its pictures per range and tells each range how many come before it; so
each range's reducer knows its first rank and streams the rest in Hadoop's order.
"""

from __future__ import annotations

import bisect
import hashlib
import heapq
import itertools
import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsight.records import MEASURES, is_picture

__all__ = [
    "EVERYTHING",
    "RangeCounter",
    "RankPlan",
    "Sample",
    "merge_samples",
    "numbered",
    "parse_ranks",
    "plan_ranking",
    "sort_key",
]

EVERYTHING = "*"
"""The group of all pictures."""
HEADER, PICTURE = "0", "1"
"""Marks of values under a range: how many come before it stands first."""
KEPT = ("label", "score", "ppi", "width", "height", "source", "shard", "row")
TEXT = ("license", "author", "title", "top_label")
Keyed = tuple[list[str], list[Any]]
"""([group, number of a range as six digits], a value that sorts as it is to be read)."""

SAMPLE_SIZE = 1024


def sort_key(value: float, descending: bool) -> str:
    """Return a number as 16 hex digits that sort as text the way the numbers do.

    >>> sort_key(9, False) < sort_key(10, False) < sort_key(10.5, False)
    True
    >>> sort_key(-1, True) > sort_key(0, True) > sort_key(1, True)
    True
    """
    if math.isnan(value):
        raise ValueError("cannot rank NaN")
    bits = struct.unpack(">Q", struct.pack(">d", value + 0.0))[0]
    bits = bits ^ 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else bits | 1 << 63
    return f"{bits ^ 0xFFFF_FFFF_FFFF_FFFF if descending else bits:016x}"


RANKS = re.compile(r"([0-9]{0,12}):([0-9]{0,12})")


def parse_ranks(text: str | None) -> tuple[int, int | None]:
    """Return `100:200` as (100, 200): ranks from 1, both ends included; either may be left out.

    Raises:
        ValueError: not of that form, or empty.
    """
    if not text:
        return 1, None
    form = RANKS.fullmatch(text)
    low, high = (int(one) if one else None for one in form.groups()) if form else (0, None)
    low = 1 if low is None else low
    if low < 1 or (high is not None and high < low):
        raise ValueError(
            f"ranks {text!r}: expected FIRST:LAST with 1 <= FIRST <= LAST, as in 1:100"
        )
    return low, high


@dataclass(frozen=True)
class RankPlan:
    """How pictures are ordered and cut into ranges.

    `bounds` holds for each group the first sort text of every range but the
    first; a group without an entry is one range.
    """

    measure: str = "ppi"
    descending: bool = True
    near: float | None = None
    first: int = 1
    last: int | None = None
    bounds: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"cannot rank by {self.measure!r}; choose from {', '.join(MEASURES)}")

    def value(self, record: Mapping[str, Any]) -> float:
        """Return what the picture is ranked by: the measure, or its distance from `near`."""
        value = record[self.measure]
        return value if self.near is None else round(abs(value - self.near), 6)

    def sort_text(self, record: Mapping[str, Any], image_id: str) -> str:
        """Return what pictures are sorted by: best first, ties by image_id."""
        return sort_key(self.value(record), self.descending and self.near is None) + image_id

    def range_of(self, group: str, text: str) -> int:
        """Return the number of the range that a sort text falls into, from 0."""
        return bisect.bisect_right(self.bounds.get(group, ()), text)

    def wanted(self, rank: int) -> bool:
        """Return whether the rank is among those asked for."""
        return rank >= self.first and (self.last is None or rank <= self.last)


class RangeCounter:
    """A map task's counts per group and range. Memory: groups × ranges."""

    def __init__(self, plan: RankPlan) -> None:
        self._plan = plan
        self._counts: dict[str, list[int]] = {}

    def add(self, group: str, text: str) -> int:
        """Count one picture; the range it falls into."""
        ranges = len(self._plan.bounds.get(group, ())) + 1
        counts = self._counts.setdefault(group, [0] * ranges)
        number = self._plan.range_of(group, text)
        counts[number] += 1
        return number

    def entries(self, image_id: str, record: Mapping[str, Any]) -> Iterator[Keyed]:
        """Count a picture in its groups, and yield it for each; others are passed over."""
        if not is_picture(record):
            return
        text = self._plan.sort_text(record, image_id)
        fields = {name: record[name] for name in (*KEPT, *TEXT) if name in record}
        fields |= {"image_id": image_id, "value": self._plan.value(record)}
        for group in (record["label"], EVERYTHING):
            yield [group, f"{self.add(group, text):06d}"], [PICTURE, text, fields]

    def headers(self) -> Iterator[Keyed]:
        """Yield for each range how many pictures of this task come before it."""
        for group, number, count in self.before():
            yield [group, f"{number:06d}"], [HEADER, count]

    def before(self) -> Iterator[tuple[str, int, int]]:
        """Yield (group, range, pictures in the ranges before it), where there are any."""
        for group, counts in sorted(self._counts.items()):
            total = 0
            for number, count in enumerate(counts):
                if total:
                    yield group, number, total
                total += count


def numbered(values: Iterable[Sequence[Any]], plan: RankPlan) -> Iterator[tuple[str, Any]]:
    """Yield (rank as twelve digits, fields) of the pictures of a range that are asked for.

    Args:
        values: of all tasks' `headers` and `entries` for the range, sorted.

    >>> range_of_two = [("0", 3), ("0", 4), ("1", "a", {}), ("1", "b", {})]
    >>> list(numbered(range_of_two, RankPlan(first=9)))
    [('000000000009', {})]
    """
    rank = 0
    for kind, *rest in values:
        if kind == HEADER:
            rank += rest[0]
            continue
        rank += 1
        if plan.wanted(rank):
            yield f"{rank:012d}", rest[1]


class Sample:
    """An even sample of predictions: those whose hashed ids are the smallest.

    The same pictures whatever the order or the split. Memory: SAMPLE_SIZE rows.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, str, list[Any]]] = []

    def add(self, image_id: str, record: Mapping[str, Any]) -> None:
        """Consider one prediction record."""
        key = -int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:6], "big")
        if len(self._heap) < SAMPLE_SIZE or key > self._heap[0][0]:
            row = (key, image_id, [record["label"], *(record[name] for name in MEASURES)])
            push = heapq.heappush if len(self._heap) < SAMPLE_SIZE else heapq.heapreplace
            push(self._heap, row)

    def rows(self) -> list[list[Any]]:
        """Return rows `[key, image_id, label, *measures]`, smallest key first."""
        return sorted([-key, image_id, *fields] for key, image_id, fields in self._heap)


def merge_samples(samples: Iterable[Iterable[list[Any]]]) -> list[list[Any]]:
    """Return one sample from those of several tasks."""
    return heapq.nsmallest(SAMPLE_SIZE, itertools.chain.from_iterable(samples))


def plan_ranking(
    base: RankPlan, sample: Iterable[Sequence[Any]], pictures: int, per_range: int
) -> RankPlan:
    """Cut groups so that a range holds about `per_range` pictures.

    Args:
        base: the order; its bounds are replaced.
        sample: rows `[key, image_id, label, *measures]`, an even sample.
        pictures: how many there are in all.
        per_range: how many a reducer should see.
    """
    groups: dict[str, list[str]] = {}
    rows = list(sample)
    for _, image_id, label, *measures in rows:
        text = base.sort_text(dict(zip(MEASURES, measures, strict=True)), image_id)
        groups.setdefault(label, []).append(text)
        groups.setdefault(EVERYTHING, []).append(text)
    weight = pictures / max(len(rows), 1)
    bounds = {}
    for group, texts in groups.items():
        ranges = min(math.ceil(len(texts) * weight / per_range), len(texts))
        texts.sort()
        bounds[group] = [texts[len(texts) * i // ranges] for i in range(1, ranges)]
    return RankPlan(base.measure, base.descending, base.near, base.first, base.last, bounds)
