"""Tables of results as folders of parts, for tasks to write what would keep one process busy.

A part is a range of a table's rows. Each has the same rows wherever it is written, so that parts
read in the order of their names are the table.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

from mapsight.records import is_picture

__all__ = [
    "ONE_FILE_ROWS",
    "PART_ROWS",
    "PREDICTIONS",
    "RANKING",
    "PartsPlan",
    "first_ids",
    "first_rows",
    "part_name",
]

PREDICTIONS, RANKING = "predictions.parquet", "ranking.parquet"
ONE_FILE_ROWS = 1_000_000
"""A table of more rows is a folder: one process would write it for a minute."""
PART_ROWS = 250_000
"""Rows of a part: some 30 MB."""

Entry = tuple[tuple[str, str], list[Any]]
"""((table, number of a part as five digits), [key, record])."""


@dataclass(frozen=True)
class PartsPlan:
    """How the rows of tables are cut into parts, and which of them the driver wants to see.

    Attributes:
        ids: the first id of each part of the predictions but the first, as JSON, ascending.
        starts: how many rows of the ranking stand before those of each group.
        part_rows: of a part of the ranking.
        first_rank: of each group.
        top: how many rows of each group are wanted.
        wanted: ids of pictures whose predictions are.
    """

    ids: Sequence[str] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    part_rows: int = PART_ROWS
    first_rank: int = 1
    top: int = 0
    wanted: Sequence[str] = ()

    def entry(self, key: Any, record: Mapping[str, Any]) -> Entry:
        """Return a record with its place, in a form that sorts as the records of a table do.

        Args:
            key: an image_id, of predictions, or [group, rank].

        >>> plan = PartsPlan(ids=['"m"'], starts={"*": 0, "Cat": 9}, part_rows=5)
        >>> [plan.entry(key, {})[0] for key in ("a", "m", ["Cat", "000000000002"])]
        [('predictions.parquet', '00000'), ('predictions.parquet', '00001'), \
('ranking.parquet', '00002')]
        """
        if isinstance(key, str):
            table, number = PREDICTIONS, bisect_right(self.ids, json.dumps(key))
        else:
            place = self.starts[key[0]] + self._place(key)
            table, number = RANKING, place // self.part_rows
        return (table, f"{number:05d}"), [key, record]

    def _place(self, key: Sequence[str]) -> int:
        """Return how many rows of its group stand before one."""
        return int(key[1]) - self.first_rank

    def is_wanted(self, key: Any, record: Mapping[str, Any]) -> bool:
        """Return whether the driver wants a record: those that are no rows, and those it shows."""
        if not isinstance(key, str):
            return self._place(key) < self.top
        return not is_picture(record) or key in self._wanted

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(self.wanted)


def part_name(number: int) -> str:
    """Return what a part is called, so that names sort as numbers do."""
    return f"part-{number:05d}.parquet"


def first_ids(sample: Iterable[str], rows: int, part_rows: int) -> list[str]:
    """Return the first id of each part but the first, as JSON, for parts of about `part_rows`.

    Args:
        sample: ids, an even sample of those of all rows.

    >>> first_ids(["d", "a", "c", "b"], rows=100, part_rows=50)
    ['"c"']
    """
    texts = sorted(map(json.dumps, sample))
    parts = min(-(-rows // part_rows), len(texts))
    return [texts[len(texts) * number // parts] for number in range(1, parts)]


def first_rows(groups: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows stand before those of each group, by the rows of each.

    >>> first_rows({"Lion": 2, "*": 5})
    {'*': 0, 'Lion': 5}
    """
    names = sorted(groups, key=json.dumps)
    starts = accumulate((groups[name] for name in names), initial=0)
    return dict(zip(names, starts, strict=False))
