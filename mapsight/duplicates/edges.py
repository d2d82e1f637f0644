"""The graph of duplicates, as (node, value): edges, and pictures that have any.

A value is `["edge", node]`, `["picture", row]`, or between the steps `["distinct", row]`, the
first of all copies of a picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mapsight.duplicates.bucket import BLOCK, Window, pairs_in
from mapsight.duplicates.rows import NODE, Row

__all__ = ["copy_edges", "edges_in"]

Entry = tuple[str, list[Any]]
Counts = Counter[tuple[str, str]]


def copy_edges(copies: Iterable[Row], counts: Counts) -> Iterator[Entry]:
    """Tie copies of a picture to the first, which goes on alone. Memory: two of them.

    Args:
        copies: rows of equal SHA-256, sorted by node; at least one.
        counts: gets `duplicates` `distinct` and `edges`.
    """
    rows = iter(copies)
    first = next(rows)
    counts["duplicates", "distinct"] += 1
    yield first[NODE], ["distinct", first]
    for number, row in enumerate(rows):
        if number == 0:
            yield first[NODE], ["picture", first]
        counts["duplicates", "edges"] += 1
        yield row[NODE], ["edge", first[NODE]]
        yield row[NODE], ["picture", row]


def edges_in(
    window: Window, entries: Iterable[Any], counts: Counts, block: int = BLOCK
) -> Iterator[Entry]:
    """Tie copies in a bucket.

    Args:
        window, entries, block: see `pairs_in`.
        counts: gets `duplicates` `edges` and `cut_buckets`.
    """
    for pair in pairs_in(window, entries, block):
        if pair is None:
            counts["duplicates", "cut_buckets"] += 1
            continue
        counts["duplicates", "edges"] += 1
        yield pair[0][NODE], ["edge", pair[1][NODE]]
        for row in pair:
            yield row[NODE], ["picture", list(row)]
