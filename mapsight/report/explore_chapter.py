"""What the report says of the metadata: the tables of results/explore/ read and put into words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mapsight.openimages.columns import SUBSETS
from mapsight.report import explore_plots as plots
from mapsight.report.explore_plots import Node
from mapsight.report.summary import largest, read_rows
from mapsight.text import amount, percent, shorten

__all__ = ["read_chapter"]

LABELS, ROWS, EXAMPLES = 40, 12, 20
LEVELS = 4
TREE_CLASSES = 12
ATTRIBUTE = "is_depiction"
Row = Mapping[str, str]


def read_chapter(folder: Path, told: Mapping[str, Any], charts: Path) -> dict[str, Any]:
    """What the chapter shows; its charts are written to a folder.

    Args:
        folder: results/explore/.
        told: `explore` of summary.json.
        charts: where the charts go.
    """
    charts.mkdir(parents=True, exist_ok=True)
    for name, chart in _charts(folder).items():
        (charts / f"metadata_{name}.svg").write_bytes(chart)
    problems = [*_top(folder, "problems", EXAMPLES)]
    return {
        "told": told,
        "figures": _figures(told),
        "subsets": [row for row in read_rows(folder / "splits.csv") if row["subset"] in SUBSETS],
        "claims": told["compared"],
        "verdict": _verdict(told["compared"]),
        "boxes_note": _boxes_note(told, _top(folder, "most_boxes", 1)),
        "shapes_note": _shapes_note(told),
        "labels": sum(1 for _ in read_rows(folder / "labels.csv")),
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


def _figures(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The numbers on top of the chapter: name, value, detail."""
    lost = told["unreadable"] + told["unusable"]
    pictures = told["pictures"]
    unlabelled = told["without_label"]
    return [
        ("Pictures named", amount(pictures), f"in {amount(told['files'])} files"),
        ("Rows", amount(told["rows"]), f"{amount(lost)} of them could not be used"),
        (
            "With a label above 0.99",
            amount(told["sure"]),
            f"{percent(told['sure'] / told['labelled'] if told['labelled'] else None)}"
            " of those with labels",
        ),
        ("Without a label", amount(unlabelled), "of those in the image lists"),
        ("Labelled, in no list", amount(told["not_listed"]), "pictures"),
        ("Boxes", amount(told["boxes"]), f"in {amount(told['boxed'])} pictures"),
    ]


def _verdict(claims: Sequence[Mapping[str, Any]]) -> str:
    """Whether the finding of the report holds here, in a sentence."""
    known = [claim for claim in claims if claim["agrees"] is not None]
    if not known:
        return "Here a subset or a measure is missing, so this cannot be said."
    right = sum(claim["agrees"] for claim in known)
    if right == len(known):
        return "So it is here, by every measure in the table."
    if not right:
        return "Here no measure in the table sets train apart from both in that way."
    return f"Here {right} of the {len(known)} measures in the table say so."


def _boxes_note(told: Mapping[str, Any], most: Sequence[Row]) -> str:
    without = percent(1 - told["boxed"] / told["pictures"]) if told["pictures"] else "–"
    note = f"How many boxes pictures have; {without} have none."
    if most:
        note += (
            f" The most: {amount(int(most[0]['boxes']))}, in {shorten(most[0]['image_id'], 40)}."
        )
    return note


def _shapes_note(told: Mapping[str, Any]) -> str:
    note = "Boxes by area and by aspect, on logarithmic scales: a number is where its bar begins."
    area = told["mean_area"]
    return note if area is None else f"{note} The mean area is {percent(area)} of the picture."


def _facets(folder: Path) -> list[dict[str, Any]]:
    """Per target label its own pictures, and the classes above and below it."""
    groups = itertools.groupby(read_rows(folder / "facets.csv"), key=lambda row: row["target"])
    found = []
    for target, rows in groups:
        by: dict[str, list[Row]] = {"above": [], "itself": [], "below": []}
        for row in rows:
            by[row["relation"]].append(row)
        below = [row for row in by["below"] if row["pictures"] != "0"][:ROWS]
        found.append({"target": target, **by["itself"][0], "above": by["above"], "below": below})
    return found


def _charts(folder: Path) -> dict[str, bytes]:
    return {
        "labels": _label_chart(folder),
        "boxes": plots.boxes_chart(_histograms(folder)),
        "subsets": _subset_chart(folder),
        "depictions": _depiction_chart(folder),
        "classes": plots.treemap(_tree([*read_rows(folder / "classes.csv")])),
        "shapes": plots.shape_chart(_shapes(folder)),
    }


def _label_chart(folder: Path) -> bytes:
    rows = _top(folder, "labels", LABELS)
    names = {"verified present": "present", "by machine": "machine", "verified absent": "absent"}
    series = {title: [int(row[name]) for row in rows] for title, name in names.items()}
    return plots.stacked_chart([row["label"] for row in rows], series, "pictures")


def _histograms(folder: Path) -> dict[str, list[tuple[int, int, int]]]:
    found: dict[str, list[tuple[int, int, int]]] = {}
    for row in read_rows(folder / "boxes_per_picture.csv"):
        bins = found.setdefault(row["subset"], [])
        bins.append((int(row["low"]), int(row["high"]), int(row["pictures"])))
    everything = found.pop("all", [])
    return found if len(found) > 1 else {"all pictures": everything}


def _subset_chart(folder: Path) -> bytes:
    rows = [row for row in read_rows(folder / "splits.csv") if row["subset"] != "all"]
    titles = {
        "boxes_per_picture": "boxes a picture",
        "verified_per_picture": "verified labels a picture",
        "boxes_spread": "spread of boxes (SD / mean)",
        "boxed_share": "share of pictures with boxes",
    }
    return plots.subset_chart(
        {
            title: {row["subset"]: float(row[name]) for row in rows if row[name]}
            for name, title in titles.items()
        }
    )


def _depiction_chart(folder: Path) -> bytes:
    targets = [r for r in read_rows(folder / "facets.csv") if r["relation"] == "itself"]
    rows = {
        r["mid"]: r for r in read_rows(folder / "attributes.csv") if r["attribute"] == ATTRIBUTE
    }
    known = [{**row, "n": int(row["pictures"])} for row in targets if row["mid"] in rows]
    boxed = largest(known, "n")
    series = {
        title: [int(rows[row["mid"]][value]) for row in boxed]
        for title, value in {"depiction": "yes", "real": "no", "unknown": "unknown"}.items()
    }
    return plots.shares_chart([row["target"] for row in boxed], series)


def _tree(rows: Sequence[Row], mid: str = "", level: int = 1) -> list[Node]:
    """The most shown classes below one (or on top), with those below them."""
    below = [row for row in rows if mid in (row["parents"].split() or [""])]
    shown = sorted(below, key=lambda row: -int(row["pictures"]))[:TREE_CLASSES]
    return [
        Node(
            row["label"],
            int(row["pictures"]),
            _tree(rows, row["mid"], level + 1) if level < LEVELS and int(row["pictures"]) else (),
        )
        for row in shown
    ]


def _shapes(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Boxes by bin, of eight octaves or more; some powers of two have a name."""
    bins: dict[str, dict[int, int]] = {measure: {} for measure in SHAPES}
    for row in read_rows(folder / "shapes.csv"):
        _, per_octave, first, *_ = SHAPES[row["measure"]]
        low = float(row["low"])
        number = round(math.log2(low) * per_octave) if low else first - 2 * per_octave
        bins[row["measure"]][number] = int(row["boxes"])
    found = {}
    for measure, (title, per_octave, first, last, name) in SHAPES.items():
        known = bins[measure] or {first: 0}
        numbers = range(min(first, *known), max(last, *known) + 1)
        step = next(s for s in (1, 2, 4, 8, 16) if len(numbers) <= 4 * s * per_octave)
        named = [
            name(2.0**n) if not n % step else ""
            for n in (number / per_octave for number in numbers)
        ]
        found[title] = [(text, known.get(n, 0)) for text, n in zip(named, numbers, strict=True)]
    return found


def _share(low: float) -> str:
    """A share from nothing to all as a short percentage.

    >>> [_share(low) for low in (0.5, 0.0078125, 2 ** -16)]
    ['50 %', '0.8 %', '0.002 %']
    """
    return f"{float(f'{low * 100:.1g}'):g} %"


def _ratio(low: float) -> str:
    """A power of two, below 1 as a fraction.

    >>> [_ratio(low) for low in (0.125, 1.0, 256.0)]
    ['1/8', '1', '256']
    """
    return f"1/{1 / low:.0f}" if low < 1 else f"{low:.0f}"


SHAPES: dict[str, tuple[str, int, int, int, Callable[[float], str]]] = {
    "area": ("area, share of its picture", 1, -8, -1, _share),
    "aspect": ("width / height, both as shares", 2, -8, 7, _ratio),
}
"""Title, bins to an octave, first and last bin to show at least, and what bins are called."""
