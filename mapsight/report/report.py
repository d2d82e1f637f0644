"""The report of a run and the page of search results: static HTML, nothing to run.

Both open from disk, load nothing from the network and hold no script; what they
show of titles, names and paths is text, whatever it contains.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mapsight.report import duplicates_chapter, explore_chapter, index_chapter, plots, summary
from mapsight.report import evaluation_chapter as evaluation_page
from mapsight.report.pages import write_page

__all__ = ["Answer", "Card", "Sheet", "write_report", "write_search_page"]

MAX_EXAMPLES = 50


@dataclass(frozen=True)
class Card:
    """A picture as it is shown: width and height in pixels, thumbnail a JPEG.

    `kept` marks the one of a group that is to stay; `copies` are near-duplicates for which
    this one stands.
    """

    image_id: str
    source: str
    label: str | None = None
    score: float | None = None
    rank: int | None = None
    ppi: float | None = None
    width: int | None = None
    height: int | None = None
    license: str | None = None
    author: str | None = None
    title: str | None = None
    thumbnail: bytes | None = None
    kept: bool = False
    copies: int = 0


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: a title, a note (may be empty) and pictures, best first."""

    title: str
    note: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Answer:
    """A query and what was found for it, or the `error` that kept it from being answered.

    `by` says in words what was compared; `label` is the one that answers had to have,
    `predicted` what the query itself seems to show, `limits` what else answers had to be.
    """

    query: str
    thumbnail: bytes | None
    by: str
    label: str | None
    cards: Sequence[Card]
    error: str | None = None
    predicted: str | None = None
    limits: Sequence[str] = ()


def write_report(
    results: Path,
    out: Path,
    sheets: Sequence[Sheet],
    confused: Sheet | None = None,
    suspects: Sheet | None = None,
    near: Sequence[Sheet] = (),
    twice: Sequence[Sheet] = (),
) -> Path:
    """Write the report of a run: index.html, plots/*.svg and thumbs/*.jpg.

    The same results and sheets give the same bytes. Only the first rows of
    rejected.csv are read, so memory does not grow with the collection.

    Args:
        results: local folder with summary.json and the CSV files of docs/results.md.
        out: folder to write to, made if need be.
        sheets: contact sheets in the order they are to be shown.
        confused: examples of what was taken for what.
        suspects: pictures whose verified labels may be wrong.
        near: of some cells, the pictures nearest the centre.
        twice: of some groups of duplicates, the one to be kept and others.

    Returns:
        The path of index.html.

    Raises:
        OSError: a file of `results` is missing, or `out` cannot be written.
        ValueError: a file of `results` does not hold what it should.
    """
    run = summary.read_run(results / "summary.json")
    accuracy = summary.read_accuracy(results)
    counts = {name: summary.read_counts(results / f"{name}.csv") for name in ("labels", "classes")}
    _write_plots(out / "plots", run, counts)
    if summary.verified(accuracy):
        matrix = plots.confusion_chart(*summary.read_confusion(results / "confusion.csv"))
        (out / "plots" / "confusion.svg").write_bytes(matrix)
    evaluated = evaluation_page.read_chapter(results, run)
    _write_accuracy(out / "plots", accuracy, evaluated)
    explored = run["explore"] and explore_chapter.read_chapter(
        results / "explore", run["explore"], out / "plots"
    )
    indexed = index_chapter.read_chapter(results, run["cells"])
    doubled = duplicates_chapter.read_chapter(run["duplicates"])
    for name, chart in (one for made in (indexed, doubled) if made for one in made.plots.items()):
        (out / "plots" / f"{name}.svg").write_bytes(chart)
    shown = [*sheets, *near, *twice, *(one for one in (confused, suspects) if one)]
    thumbs = _write_thumbnails(out, shown)
    write_page(
        out / "index.html",
        "report.html",
        run=run,
        heading=summary.heading(run),
        figures=list(summary.figures(run, accuracy)),
        labels=counts["labels"],
        labels_note=summary.labels_note(len(counts["labels"]), run["images_extracted"]),
        classes_note=summary.classes_note(len(counts["classes"])),
        accuracy=accuracy,
        evaluated=evaluated,
        confused=confused,
        suspects=suspects,
        verified=summary.verified(accuracy),
        absent=[(label, row) for label, row in run["verified_absent"].items() if row["n"]],
        ppi_note=summary.ppi_note(run["options"].get("screen_diagonal")),
        explored=explored,
        indexed=indexed,
        near=near,
        doubled=doubled,
        twice=twice,
        sheets=sheets,
        thumbs=thumbs,
        errors=summary.error_rows(run["errors"]),
        examples=list(itertools.islice(summary.read_rows(results / "rejected.csv"), MAX_EXAMPLES)),
        stages=summary.stage_rows(run["stages"]),
        counters=list(summary.counter_rows(run["stages"])),
        facts=summary.facts(run),
    )
    return out / "index.html"


def write_search_page(out: Path, answers: Sequence[Answer], order: str = "best first") -> None:
    """Write one HTML file with every query beside its results; pictures are inside it.

    Args:
        out: the file; its folder must exist.
        answers: in the order they are to be shown.
        order: of the pictures of an answer, in words.
    """
    failed = [answer for answer in answers if answer.error]
    write_page(out, "search.html", answers=answers, order=order, failed=failed)


def _write_plots(
    folder: Path,
    run: summary.Run,
    counts: Mapping[str, Sequence[summary.Run]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in counts.items():
        few = rows[: summary.MAX_CLASSES]
        shown = few if name == "classes" else summary.largest(rows, "pictures")
        pictures = [row["pictures"] for row in shown]
        chart = plots.bar_chart([row["label"] for row in shown], pictures)
        (folder / f"{name}.svg").write_bytes(chart)
    unit = "pixels per inch" if run["options"].get("screen_diagonal") else "PPI (√pixel)"
    chart = plots.histogram_chart(**run["ppi_histogram"], label=unit)
    (folder / "ppi.svg").write_bytes(chart)


def _write_accuracy(
    folder: Path, accuracy: Sequence[summary.Run], chapter: evaluation_page.Chapter | None
) -> None:
    charts = chapter.plots if chapter else {}
    if not chapter and summary.verified(accuracy):
        labels = [row["label"] for row in accuracy]
        series = {f"top {n}": [row[f"top{n}"] for row in accuracy] for n in (1, 5)}
        charts = {"accuracy": plots.interval_chart(labels, series)}
    for name, chart in charts.items():
        (folder / f"{name}.svg").write_bytes(chart)


def _write_thumbnails(out: Path, sheets: Sequence[Sheet]) -> dict[str, str]:
    """Write every card's thumbnail once; the addresses by image_id.

    Files are named by a hash, as an `image_id` may hold anything.
    """
    (out / "thumbs").mkdir(parents=True, exist_ok=True)
    written = {}
    for card in itertools.chain.from_iterable(sheet.cards for sheet in sheets):
        if card.thumbnail:
            name = hashlib.sha256(card.image_id.encode("utf-8", "surrogatepass")).hexdigest()
            written[card.image_id] = f"thumbs/{name[:24]}.jpg"
            (out / written[card.image_id]).write_bytes(card.thumbnail)
    return written
