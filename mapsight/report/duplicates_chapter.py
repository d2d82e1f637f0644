"""The report's chapter on pictures that are there twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapsight.report import plots
from mapsight.text import amount, file_size, percent

__all__ = ["Chapter", "read_chapter", "size_range"]


@dataclass(frozen=True)
class Chapter:
    """What the template shows; `sizes` and `plots` are empty where there are no duplicates."""

    lead: str
    saved: str
    sizes: Sequence[Mapping[str, Any]]
    plots: Mapping[str, bytes]


def read_chapter(facts: Mapping[str, Any] | None) -> Chapter | None:
    """The chapter that `duplicates` of summary.json makes; None where nobody looked for any."""
    if facts is None:
        return None
    sizes = [{**row, "size": size_range(row["least"], row["most"])} for row in facts["sizes"]]
    charts = {}
    if sizes:
        names = [row["size"] for row in sizes]
        charts["duplicates"] = plots.bar_chart(names, [row["groups"] for row in sizes])
    return Chapter(_lead(facts), _saved(facts), sizes, charts)


def size_range(least: int, most: int) -> str:
    """A range of group sizes.

    >>> size_range(2, 2), size_range(3, 4), size_range(1025, 2048)
    ('2', '3 or 4', '1,025 to 2,048')
    """
    if least == most:
        return amount(least)
    return f"{amount(least)} {'or' if most == least + 1 else 'to'} {amount(most)}"


def _lead(facts: Mapping[str, Any]) -> str:
    compared, groups = amount(facts["pictures"]), facts["groups"]
    if not groups:
        return f"None of {compared} pictures is there twice."
    inside = amount(facts["in_groups"])
    return (
        f"Of {compared} pictures, {inside} are in {amount(groups)} {_plural(groups, 'group')} of"
        " pictures that are there more than once: equal byte for byte, or alike in dHash and"
        " embedding. Of each group the one with the highest PPI would be kept; besides those there"
        f" {_are(facts['exact'], 'copy', 'copies')} and there"
        f" {_are(facts['near'], 'near duplicate', 'near duplicates')}."
    )


def _saved(facts: Mapping[str, Any]) -> str:
    spare = facts["exact"] + facts["near"]
    if not spare:
        return ""
    text = (
        f"Without them there would be {amount(spare)} {_plural(spare, 'picture')}"
        f" ({percent(spare / facts['pictures'])}) and {file_size(facts['bytes'])} less,"
        f" {file_size(facts['exact_bytes'])} of that copies. Nothing was deleted."
    )
    cut = facts["cut_buckets"]
    if cut:
        buckets = _plural(cut, "bucket was", "buckets were")
        text += f" {amount(cut)} {buckets} too large to compare all with all."
    return text


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or f"{one}s"


def _are(count: int, one: str, many: str) -> str:
    return f"is {amount(count)} {one}" if count == 1 else f"are {amount(count)} {many}"
