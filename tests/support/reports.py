"""Small folders of results, a page as a browser sees it, and charts that are drawn once."""

from __future__ import annotations

import csv
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from driver.results.evaluation_tables import write_evaluation
from mapsight.evaluation.accuracy import accuracy_row
from mapsight.explore.exploration import Exploration
from mapsight.explore.findings import summarised
from mapsight.explore.tables import write_tables
from mapsight.report.cards import Card
from tests.support.pictures import encoded, scribble
from tests.support.predictions import LABELS, counted

HOSTILE = "\"onerror=alert(1)//'><script>alert(1)</script>{{7*7}}\x00\x1b\u202e\ud800</style>"
JPEG = encoded(scribble(1), "JPEG")
RUN = {
    "run_id": "r1",
    "started": "2026-01-01 10:00",
    "finished": "2026-01-01 10:01",
    "host": "node-1",
    "command": "mapsight run pictures",
    "options": {"target_labels": ["Lion", "Giraffe"], "ranks": None, "screen_diagonal": None},
    "inputs": ["pictures/"],
    "model": {"alpha": 1.0, "resolution": 224},
    "images_read": 1234,
    "images_extracted": 1232,
    "images_rejected": 2,
    "errors": {"truncated": 2, "empty": 0},
    "stages": [
        {"name": "pack", "seconds": 9.0, "skipped": True, "counters": {}},
        {"name": "extract", "seconds": 3.0, "skipped": False, "counters": {"images": {"read": 7}}},
    ],
    "pictures_per_second": 61.25,
    "missing_labels": ["Giraffe", "Rhinoceros"],
    "verified_absent": {"Lion": {"n": 20, "predicted": 1}},
    "ppi_histogram": {"edges": [10, 20, 40], "counts": [5, 6]},
    "version": "0.1",
}


def write_table(path: Path, rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_results(folder: Path, label: str = "Lion", verified: int = 10, **changes) -> Path:
    """A small results folder: two labels of which one has verified pictures."""
    folder.mkdir(exist_ok=True)
    (folder / "summary.json").write_text(json.dumps({**RUN, **changes}))
    count = {"label": label, "mid": "/m/096mb", "pictures": 1000, "share": 0.8117}
    write_table(folder / "labels.csv", [count, {**count, "label": "other", "pictures": 232}])
    classes = [{**count, "label": f"class {n}", "pictures": 1} for n in range(41)]
    write_table(folder / "classes.csv", classes)
    for name, correct in (("accuracy", 8), ("accuracy_top5", 9)):
        n = min(correct, verified)
        rows = [accuracy_row(label, n, verified), accuracy_row("other", 0, 0)]
        write_table(folder / f"{name}.csv", [*rows, accuracy_row("all", n, verified)])
    counts = {label: min(8, verified), "other": min(2, verified)}
    empty = {"truth": "other", label: 0, "other": 0}
    write_table(folder / "confusion.csv", [{"truth": label, **counts}, empty])
    lost = {"image_id": label, "source": f"{label}.jpg", "error": "truncated", "detail": label}
    write_table(folder / "rejected.csv", [lost] * 60)
    return folder


def write_chapter(results: Path, predictions: list[dict]) -> Path:
    """Put the tables of an evaluation into a results folder."""
    curve = [{"lambda": x, "gcv": 1 / x, "degrees_of_freedom": 2.0} for x in (0.1, 1.0)]
    tried = [{"lambda": x, "n": 9, "correct": 8} for x in (0.1, 1.0)]
    head = {"class_ridge": {"curve": curve}, "validation": {"accuracy_by_lambda": tried}}
    (results / "head.json").write_text(json.dumps(head))
    facts = write_evaluation(LABELS, counted(predictions).counts, results)
    run = json.loads((results / "summary.json").read_text())
    run |= {"evaluation": facts, "labelled_by": "head"}
    (results / "summary.json").write_text(json.dumps(run))
    return results


class Page(HTMLParser):
    """The tags and the text of a page, as a browser sees them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.html = path.read_bytes().decode("utf-8")
        self.feed(self.html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data.replace("\u00a0", " ")

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]

    def addresses(self) -> list[str]:
        return [a[key] for _, a in self.tags for key in ("src", "href") if key in a]


def card(**changes) -> Card:
    known = {"label": "Lion", "score": 0.9, "rank": 1, "ppi": 8.5, "width": 480, "height": 320}
    return Card(**{"image_id": "a", "source": "a.jpg", "thumbnail": JPEG, **known, **changes})


def assert_inert(page: Page) -> None:
    assert not page.all("script") and len(page.all("style")) == 1
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert {urlsplit(address).scheme for address in page.addresses()} <= {"", "data", "https"}
    assert not {"\x00", "\x1b", "\u202e"} & set(page.html)


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


DRAWN: dict[tuple[str, bytes], bytes] = {}


@contextmanager
def charts_drawn_once() -> Iterator[None]:
    """Have a chart of equal arguments drawn once: it is the same bytes, as test_plots has it."""
    modules = [each for name, each in sys.modules.items() if name.startswith("mapsight.report.")]
    with ExitStack() as stack:
        for module in modules:
            for name, value in list(vars(module).items()):
                if hasattr(value, "__wrapped__") and value.__module__.endswith("plots"):
                    stack.enter_context(mock.patch.object(module, name, _drawn_once(value)))
        yield


def _drawn_once(draw: Callable[..., bytes]) -> Callable[..., bytes]:
    @wraps(draw)
    def chart(*args: Any, **options: Any) -> bytes:
        key = draw.__qualname__, pickle.dumps((args, options))
        if key not in DRAWN:
            DRAWN[key] = draw(*args, **options)
        return DRAWN[key]

    return chart
