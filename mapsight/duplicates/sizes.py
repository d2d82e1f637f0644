"""How large groups of duplicates are, and what the largest look like: told as their rows pass."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["SHOWN_GROUPS", "SHOWN_PICTURES", "GroupSizes"]

SHOWN_GROUPS, SHOWN_PICTURES = 6, 5

Facts = Mapping[str, Any]


class GroupSizes:
    """Counts of groups by size, and the first pictures of the SHOWN_GROUPS largest.

    Memory: a count for each doubling of the size, and SHOWN_PICTURES rows of each of those
    groups and of the one that passes.
    """

    def __init__(self) -> None:
        self._groups: Counter[int] = Counter()
        self._pictures: Counter[int] = Counter()
        self._largest: list[tuple[int, int, dict[str, Any]]] = []

    def passing(self, rows: Iterable[Facts]) -> Iterator[Facts]:
        """Yield the facts of all groups unchanged, those of a group together, its keeper first."""
        for number, (_, group) in enumerate(itertools.groupby(rows, lambda row: row["keeper"])):
            first: list[Facts] = []
            size = saved = 0
            for row in group:
                if size < SHOWN_PICTURES:
                    first.append(row)
                saved += row["bytes"] if size else 0
                size += 1
                yield row
            self._add(number, size, {"pictures": size, "bytes": saved, "rows": first})

    def _add(self, number: int, size: int, shown: dict[str, Any]) -> None:
        power = (size - 1).bit_length()
        self._groups[power] += 1
        self._pictures[power] += size
        # numbers differ, so that what is shown is never compared
        heapq.heappush(self._largest, (size, -number, shown))
        if len(self._largest) > SHOWN_GROUPS:
            heapq.heappop(self._largest)

    def notes(self) -> dict[str, Any]:
        """Return what has passed.

        Returns:
            `sizes`: groups and their pictures by size, `least` to `most`: 2, 3 to 4, 5 to 8, …;
            `largest`: groups with their number of `pictures`, the `bytes` of all but the keeper,
            and the first `rows`; of equal ones the first.
        """
        sizes = [
            {"least": (1 << power >> 1) + 1, "most": 1 << power}
            | {"groups": groups, "pictures": self._pictures[power]}
            for power, groups in sorted(self._groups.items())
        ]
        return {"sizes": sizes, "largest": [shown for *_, shown in sorted(self._largest)[::-1]]}
