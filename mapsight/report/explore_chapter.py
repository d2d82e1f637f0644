"""Read the tables of results/explore/ and put them into the report's chapter on metadata."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mapsight.openimages.columns import SUBSETS
from mapsight.report.charts import explore_plots as plots
from mapsight.report.charts.drawing import Drawing
from mapsight.report.charts.treemap import Node, treemap
from mapsight.report.summary import largest, read_rows
from mapsight.text import amount, percent, shorten

__all__ = ["read_chapter"]

LABELS, ROWS, EXAMPLES = 40, 12, 20
LEVELS = 4
TREE_CLASSES = 12
ATTRIBUTE = "is_depiction"
Row = Mapping[str, str]


def read_chapter(folder: Path, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Read what the chapter shows; `plots` are its charts.

    Args:
        folder: results/explore/.
        counts: `explore` of summary.json.
    """
    problems = [*_top(folder, "problems", EXAMPLES)]
    return {
        "plots": {f"metadata_{name}": chart for name, chart in _charts(folder).items()},
        "counts": counts,
        "figures": _figures(counts),
        "subsets": [row for row in read_rows(folder / "splits.csv") if row["subset"] in SUBSETS],
        "claims": counts["compared"],
        "verdict": _verdict(counts["compared"]),
        "boxes_note": _boxes_note(counts, _top(folder, "most_boxes", 1)),
        "boxes_vary": len({low for bins in _histograms(folder).values() for low, *_ in bins}) > 1,
        "shapes_note": _shapes_note(counts),
        "labels": sum(1 for _ in read_rows(folder / "labels.csv")),
        "labels_shown": len(_label_rows(folder)),
        "pairs": _top(folder, "pairs"),
        "licenses": _top(folder, "licenses"),
        "authors": _top(folder, "authors"),
        "sources": _top(folder, "sources"),
        "columns": [row for row in read_rows(folder / "columns.csv") if _is_poor(row)],
        "problems": problems,
        "facets": _facets(folder),
        "has_classes": any(row["pictures"] != "0" for row in read_rows(folder / "classes.csv")),
    }


def _top(folder: Path, name: str, rows: int = ROWS) -> list[dict[str, str]]:
    return list(itertools.islice(read_rows(folder / f"{name}.csv"), rows))


def _is_poor(row: Row) -> bool:
    return row["malformed"] != "0" or row["empty"] != "0"


def _figures(counts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the numbers on top of the chapter: name, value, detail."""
    unusable = counts["unreadable"] + counts["unusable"]
    confident = counts["sure"] / counts["labelled"] if counts["labelled"] else None
    return [
        ("Pictures", amount(counts["pictures"]), f"in {amount(counts['files'])} files"),
        ("Rows", amount(counts["rows"]), f"{amount(unusable)} of them unusable"),
        (
            "With a confidence above 0.99",
            amount(counts["sure"]),
            f"{percent(confident)} of the labelled pictures",
        ),
        ("Without a label", amount(counts["without_label"]), "in the image lists"),
        ("Labelled, but not listed", amount(counts["not_listed"]), "in no image list"),
        ("Boxes", amount(counts["boxes"]), f"in {amount(counts['boxed'])} pictures"),
    ]


def _verdict(claims: Sequence[Mapping[str, Any]]) -> str:
    """Return in a sentence how many measures confirm the published finding."""
    checked = [claim for claim in claims if claim["agrees"] is not None]
    if not checked:
        return "This cannot be checked here: a subset or a measure is missing."
    confirmed = sum(claim["agrees"] for claim in checked)
    if confirmed == len(checked):
        return "Every measure in the table confirms this."
    if not confirmed:
        return "No measure in the table confirms this."
    return f"{confirmed} of the {len(checked)} measures in the table confirm this."


def _boxes_note(counts: Mapping[str, Any], most: Sequence[Row]) -> str:
    without = percent(1 - counts["boxed"] / counts["pictures"]) if counts["pictures"] else "–"
    note = f"Boxes per picture; {without} of the pictures have none."
    if most:
        boxes, image_id = amount(int(most[0]["boxes"])), shorten(most[0]["image_id"], 40)
        note += f" The maximum is {boxes}, in {image_id}."
    return note


def _shapes_note(counts: Mapping[str, Any]) -> str:
    note = (
        "Boxes by area and aspect ratio, on logarithmic scales."
        " Each number marks where its bar begins."
    )
    area = counts["mean_area"]
    return note if area is None else f"{note} The mean area is {percent(area)} of the picture."


def _facets(folder: Path) -> list[dict[str, Any]]:
    """Read for each target label its pictures, superclasses and subclasses."""
    groups = itertools.groupby(read_rows(folder / "facets.csv"), key=lambda row: row["target"])
    facets = []
    for target, rows in groups:
        by: dict[str, list[Row]] = {"above": [], "itself": [], "below": []}
        for row in rows:
            by[row["relation"]].append(row)
        below = [row for row in by["below"] if row["pictures"] != "0"][:ROWS]
        facets.append({"target": target, **by["itself"][0], "above": by["above"], "below": below})
    return facets


def _charts(folder: Path) -> dict[str, Drawing]:
    return {
        "labels": _label_chart(folder),
        "boxes": partial(plots.boxes_chart, _histograms(folder)),
        "subsets": _subset_chart(folder),
        "depictions": _depiction_chart(folder),
        "classes": partial(treemap, _tree([*read_rows(folder / "classes.csv")])),
        "shapes": partial(plots.shape_chart, _shapes(folder)),
    }


def _label_chart(folder: Path) -> Drawing:
    rows = _label_rows(folder)
    names = {"verified present": "present", "by machine": "machine", "verified absent": "absent"}
    series = {title: [int(row[name]) for row in rows] for title, name in names.items()}
    return partial(plots.stacked_chart, [row["label"] for row in rows], series, "pictures")


def _label_rows(folder: Path) -> list[dict[str, str]]:
    """Return the labels of the chart: beyond ROWS none that people saw in one picture only."""
    rows = _top(folder, "labels", LABELS)
    return [row for place, row in enumerate(rows) if place < ROWS or int(row["present"]) > 1]


def _histograms(folder: Path) -> dict[str, list[tuple[int, int, int]]]:
    by_subset: dict[str, list[tuple[int, int, int]]] = {}
    for row in read_rows(folder / "boxes_per_picture.csv"):
        bins = by_subset.setdefault(row["subset"], [])
        bins.append((int(row["low"]), int(row["high"]), int(row["pictures"])))
    everything = by_subset.pop("all", [])
    return by_subset if len(by_subset) > 1 else {"all pictures": everything}


def _subset_chart(folder: Path) -> Drawing:
    rows = [row for row in read_rows(folder / "splits.csv") if row["subset"] != "all"]
    titles = {
        "boxes_per_picture": "boxes per picture",
        "verified_per_picture": "labels per picture",
        "boxes_spread": "variation of boxes",
        "boxed_share": "share with boxes",
    }
    return partial(
        plots.subset_chart,
        {
            title: {row["subset"]: float(row[name]) for row in rows if row[name]}
            for name, title in titles.items()
        },
    )


def _depiction_chart(folder: Path) -> Drawing:
    targets = [r for r in read_rows(folder / "facets.csv") if r["relation"] == "itself"]
    rows = {
        r["mid"]: r for r in read_rows(folder / "attributes.csv") if r["attribute"] == ATTRIBUTE
    }
    with_boxes = [{**row, "n": int(row["pictures"])} for row in targets if row["mid"] in rows]
    boxed = largest(with_boxes, "n")
    series = {
        title: [int(rows[row["mid"]][value]) for row in boxed]
        for title, value in {"depiction": "yes", "real": "no", "unknown": "unknown"}.items()
    }
    return partial(plots.shares_chart, [row["target"] for row in boxed], series)


def _tree(rows: Sequence[Row], mid: str = "", level: int = 1) -> list[Node]:
    """Return the most frequent subclasses of a class (or root classes), with their subclasses."""
    below = [row for row in rows if mid in (row["parents"].split() or [""])]
    frequent = sorted(below, key=lambda row: -int(row["pictures"]))[:TREE_CLASSES]
    return [
        Node(
            row["label"],
            int(row["pictures"]),
            _tree(rows, row["mid"], level + 1) if level < LEVELS and int(row["pictures"]) else (),
        )
        for row in frequent
    ]


def _shapes(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Read boxes by bin, over eight octaves or more; some powers of two have a name."""
    bins: dict[str, dict[int, int]] = {measure: {} for measure in SHAPES}
    for row in read_rows(folder / "shapes.csv"):
        _, per_octave, first, *_ = SHAPES[row["measure"]]
        low = float(row["low"])
        number = round(math.log2(low) * per_octave) if low else first - 2 * per_octave
        bins[row["measure"]][number] = int(row["boxes"])
    shapes = {}
    for measure, (title, per_octave, first, last, name) in SHAPES.items():
        boxes = bins[measure] or {first: 0}
        numbers = range(min(first, *boxes), max(last, *boxes) + 1)
        step = next(s for s in (1, 2, 4, 8, 16) if len(numbers) <= 4 * s * per_octave)
        named = [
            name(2.0**n) if not n % step else ""
            for n in (number / per_octave for number in numbers)
        ]
        shapes[title] = [(text, boxes.get(n, 0)) for text, n in zip(named, numbers, strict=True)]
    return shapes


def _share(low: float) -> str:
    """Return a share from 0 to 1 as a short percentage.

    >>> [_share(low) for low in (0.5, 0.0078125, 2 ** -16)]
    ['50 %', '0.8 %', '0.002 %']
    """
    return f"{float(f'{low * 100:.1g}'):g} %"


def _ratio(low: float) -> str:
    """Return a power of two, below 1 as a fraction.

    >>> [_ratio(low) for low in (0.125, 1.0, 256.0)]
    ['1/8', '1', '256']
    """
    return f"1/{1 / low:.0f}" if low < 1 else f"{low:.0f}"


SHAPES: dict[str, tuple[str, int, int, int, Callable[[float], str]]] = {
    "area": ("area, share of its picture", 1, -8, -1, _share),
    "aspect": ("width / height, both as shares", 2, -8, 7, _ratio),
}
"""Title, bins to an octave, first and last bin to show at least, and what bins are called."""
