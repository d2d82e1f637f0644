"""The exploration of a small collection."""

from __future__ import annotations

from pathlib import Path

from mapsight.explore.exploration import Exploration
from mapsight.explore.findings import summarised
from mapsight.explore.tables import write_tables
from tests.support.reports import write_results

LION, CAT = "/m/096mb", "/m/01yrx"


def exploration(label: str = "Lion", image_list: bool = True) -> Exploration:
    """Sums of a small collection in which one text is everywhere."""
    files = [("labels", label), *([("images", "images.csv")] if image_list else [])]
    counts = {"pictures": 10, "labelled": 5, "sure": 4, "boxed": 2, "boxes": 9, "boxes_squared": 41}
    sums = {
        "file": {(*f, what): 9 for f in files for what in ("rows", "unreadable", "unusable")},
        "header": {f: [[label, "train"]] for f in files},
        "column": {
            ("labels", "", label, what): n
            for what, n in (("cells", 9), ("empty", 3), ("malformed", 1))
        },
        "example": {("labels", label, label): [[label, 10, label]]},
        "split": {(s, name): n for s in ("train", "test") for name, n in counts.items()},
        "boxes": {("train", "0"): 8, ("train", "4"): 1, ("test", "96"): 1},
        "label": {(LION, "present"): 3, (LION, "boxes"): 9, (CAT, "present"): 2},
        "attribute": {(LION, "IsDepiction", v): 3 for v in ("1", "0", "-1")},
        "area": {("-3",): 9},
        "aspect": {("-20",): 1, ("4",): 8},
        "class": {(LION, "below"): 3, (LION, "own"): 3},
        "pair": {(CAT, LION): 2},
        "license": {(label,): 7},
        "author": {(label,): 5, ("",): 2},
        "labels_source": {(label,): 5},
        "most_boxes": {(label,): 9},
        "total": {("license",): 7, ("author",): 7, ("labels_source",): 5},
    }
    return Exploration(sums, {LION: label, CAT: "Cat"}, {LION: ()}, {label: LION})


def write_explored(results: Path, found: Exploration, **changes) -> Path:
    """A results folder with the tables of an exploration."""
    write_results(results, explore=summarised(found), **changes)
    write_tables(found, results / "explore")
    return results
