"""The few numbers of an exploration, and whether the report's finding holds for it."""

from __future__ import annotations

from typing import Any

from mapsight.explore.column_checks import MICRO
from mapsight.explore.exploration import ALL, Exploration
from mapsight.explore.tables import split_rows
from mapsight.openimages.columns import SUBSETS

__all__ = ["CLAIMS", "compared", "summarised"]

CLAIMS = (
    ("boxes_per_picture", "fewer", "boxes per picture", "boxes"),
    ("verified_per_picture", "fewer", "verified labels per picture", "verified_labels"),
    ("boxes_spread", "larger", "variation of boxes, SD / mean", None),
    ("verified_spread", "larger", "variation of verified labels, SD / mean", None),
)
"""Measures of splits.csv, how train has to compare with both others, what they are, and for
means what is averaged."""
Z = 1.96


def summarised(found: Exploration) -> dict[str, Any]:
    """Return what summary.json says of the metadata."""
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

    `agrees` is None unless all three subsets have the measure. `beyond_chance` tells of a mean
    whether train differs from both others by more than chance (Welch's test, 95 %).
    """
    rows = {row["subset"]: row for row in split_rows(found)}
    result = []
    for measure, expected, about, summed in CLAIMS:
        values = {name: rows[name][measure] for name in SUBSETS if name in rows}
        agrees = beyond = None
        if len(values) == len(SUBSETS) and None not in values.values():
            train, *others = values.values()
            fewer, larger = train < min(others), train > max(others)
            agrees = fewer if expected == "fewer" else larger
            beyond = summed and all(_differ(found, summed, other) for other in SUBSETS[1:])
        claim = {"measure": measure, "about": about, "expected": expected}
        result.append({**claim, **values, "agrees": agrees, "beyond_chance": beyond})
    return result


def _differ(found: Exploration, summed: str, other: str) -> bool:
    """Return whether the means of train and another subset differ by more than chance."""
    means, errors = [], 0.0
    for sums in (found.split("train"), found.split(other)):
        n, total, squares = sums["pictures"], sums[summed], sums[f"{summed}_squared"]
        means.append(total / n)
        errors += (n * squares - total**2) / (n * n * max(n - 1, 1))
    return abs(means[0] - means[1]) > Z * errors**0.5
