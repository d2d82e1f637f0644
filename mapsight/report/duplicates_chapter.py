"""Put the counts of duplicates into a chapter of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mapsight.records import COPY_KINDS
from mapsight.report.charts import plots
from mapsight.report.charts.drawing import Drawing
from mapsight.text import amount, copies_in_words, counted, file_size, percent

__all__ = ["Chapter", "read_chapter", "size_range"]


@dataclass(frozen=True)
class Chapter:
    """Hold what the template shows; `sizes` and `plots` are empty without duplicates."""

    lead: str
    saved: str
    sizes: Sequence[Mapping[str, Any]]
    plots: Mapping[str, Drawing]


def read_chapter(facts: Mapping[str, Any] | None) -> Chapter | None:
    """Return the chapter for `duplicates` of summary.json; None if they were not looked for."""
    if facts is None:
        return None
    sizes = [{**row, "size": size_range(row["least"], row["most"])} for row in facts["sizes"]]
    charts: dict[str, Drawing] = {}
    if sizes:
        names = [row["size"] for row in sizes]
        charts["duplicates"] = partial(plots.bar_chart, names, [row["groups"] for row in sizes])
    return Chapter(_lead(facts), _saved(facts), sizes, charts)


def size_range(least: int, most: int) -> str:
    """Return a range of group sizes in words.

    >>> size_range(2, 2), size_range(3, 4), size_range(1025, 2048)
    ('2', '3 or 4', '1,025 to 2,048')
    """
    if least == most:
        return amount(least)
    return f"{amount(least)} {'or' if most == least + 1 else 'to'} {amount(most)}"


def _lead(facts: Mapping[str, Any]) -> str:
    compared, groups = amount(facts["pictures"]), facts["groups"]
    if not groups:
        return f"No duplicates among {compared} pictures."
    inside = amount(facts["in_groups"])
    return (
        f"Of {compared} pictures, {inside} are in {counted(groups, 'group')} of"
        " duplicates: equal byte for byte, or saved again, resized, mirrored, turned or cropped."
        " The picture to keep in each group has the most real detail, then the least compression,"
        f" then the largest size. The others are {copies_in_words(facts)}."
    )


def _saved(facts: Mapping[str, Any]) -> str:
    spare = sum(facts.get(kind, 0) for kind in COPY_KINDS)
    if not spare:
        return ""
    text = (
        f"Deleting {_plural(spare, 'it', 'them')} would remove"
        f" {counted(spare, 'picture')} ({percent(spare / facts['pictures'])}) and"
        f" save {file_size(facts['bytes'])}, {file_size(facts['exact_bytes'])} of it from exact"
        " copies. Nothing was deleted."
    )
    cut = facts["cut_buckets"]
    if cut:
        buckets = _plural(cut, "bucket was", "buckets were")
        text += f" {amount(cut)} {buckets} too large to compare every pair."
    return text


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or f"{one}s"
