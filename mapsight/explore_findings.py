"""The few numbers of an exploration, and whether the report's finding holds for it."""

from __future__ import annotations

from typing import Any

from mapsight.column_checks import MICRO
from mapsight.exploration import ALL, Exploration
from mapsight.explore_tables import split_rows
from mapsight.openimages_columns import SUBSETS

__all__ = ["CLAIMS", "compared", "summarised"]

CLAIMS = (
    ("boxes_per_picture", "fewer", "boxes a picture"),
    ("verified_per_picture", "fewer", "verified labels a picture"),
    ("boxes_spread", "larger", "spread of boxes, SD / mean"),
    ("verified_spread", "larger", "spread of verified labels, SD / mean"),
)
"""Measures of splits.csv, how train has to compare with both others, and what they are."""


def summarised(found: Exploration) -> dict[str, Any]:
    """What summary.json says of the metadata."""
    files, columns = found.family("file"), found.family("column")
    shapes, sums = found.family("shape"), found.split(ALL)
    lists = sum(kind == "images" for kind, _, what in files if what == "rows")
    names = ("pictures", "listed", "labelled", "verified", "sure", "boxed", "boxes")
    area = sum(number for (_, what), number in shapes.items() if what == "area")
    boxes = sum(number for (_, what), number in shapes.items() if what == "boxes")
    return {
        "files": len({key[:2] for key in files}),
        "image_lists": lists,
        **{
            what: sum(number for key, number in files.items() if key[-1] == what)
            for what in ("rows", "unreadable", "unusable")
        },
        "malformed": sum(number for key, number in columns.items() if key[-1] == "malformed"),
        **{name: sums[name] for name in names},
        "not_listed": sums["not_listed"] if lists else None,
        "without_label": sums["without_label"] if lists else None,
        "mean_area": area / (boxes * MICRO**2) if boxes else None,
        "distinct": {
            name: found.family("distinct").get((name,), 0) for name in ("license", "author", "pair")
        },
        "compared": compared(found),
    }


def compared(found: Exploration) -> list[dict[str, Any]]:
    """Train beside validation and test: the values of CLAIMS, and whether each one holds.

    `agrees` is None unless all three subsets have the measure.
    """
    rows = {row["subset"]: row for row in split_rows(found)}
    result = []
    for measure, expected, about in CLAIMS:
        values = {name: rows[name][measure] for name in SUBSETS if name in rows}
        agrees = None
        if len(values) == len(SUBSETS) and None not in values.values():
            train, *others = values.values()
            fewer, larger = train < min(others), train > max(others)
            agrees = fewer if expected == "fewer" else larger
        claim = {"measure": measure, "about": about, "expected": expected}
        result.append({**claim, **values, "agrees": agrees})
    return result
