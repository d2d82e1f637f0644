"""Write the report of a run and the page of search results: static HTML without scripts.

Both open from disk and load nothing from the network. Titles, names and paths are shown as
text, whatever they contain.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mapsight.collection_name import collection_name
from mapsight.report import (
    attention,
    confusion,
    duplicates_chapter,
    evaluation_chapter,
    explore_chapter,
    flags_chapter,
    headline,
    index_chapter,
    label_rows,
    summary,
)
from mapsight.report.cards import ARROW, Answer, Extras, Sheet
from mapsight.report.charts import plots
from mapsight.report.charts.drawing import Drawing, draw_charts
from mapsight.report.pages import write_page
from mapsight.report.thumbs import each_once, write_thumbnails

__all__ = ["report_charts", "write_report", "write_search_page"]

MAX_EXAMPLES = 50
Places = Mapping[int, tuple[float, float]]


def write_report(
    results: Path,
    out: Path,
    sheets: Sequence[Sheet],
    confused: Sheet | None = None,
    suspects: Sheet | None = None,
    nearest: Sequence[Sheet] = (),
    duplicate_groups: Sequence[Sheet] = (),
    extras: Extras | None = None,
    *,
    drawn: bool = False,
) -> Path:
    """Write the report of a run: index.html, plots/*.svg and thumbs/*.jpg.

    The same results and sheets give the same bytes. Only the first rows of
    rejected.csv are read, so memory does not grow with the collection.

    Args:
        results: local folder with summary.json and the CSV files of docs/results.md.
        out: folder to write to, made if need be.
        sheets: contact sheets in the order they are to be shown.
        confused: examples of confusions.
        suspects: pictures whose verified labels may be wrong.
        nearest: for the largest cells, the pictures nearest the centre.
        duplicate_groups: the largest groups of duplicates, the picture to keep first.
        extras: more pictures and counts.
        drawn: the charts of `report_charts` are in plots/ already.

    Returns:
        The path of index.html.

    Raises:
        OSError: a file of `results` is missing, or `out` cannot be written.
        ValueError: a file of `results` does not hold what it should.
    """
    extras = extras or Extras()
    run = summary.read_run(results / "summary.json")
    accuracy = summary.read_accuracy(results)
    counts = {name: summary.read_counts(results / f"{name}.csv") for name in ("labels", "classes")}
    if not drawn:
        draw_charts(out / "plots", report_charts(results, extras.places))
    optional = [sheet for sheet in (confused, suspects) if sheet]
    chosen = itertools.chain.from_iterable(extras.chosen.values())
    odd = (*extras.outliers, *extras.flagged)
    shown = [*optional, *chosen, *sheets, *odd, *duplicate_groups, *nearest]
    write_page(
        out / "index.html",
        "report.html",
        **_facts(results, run, accuracy, counts),
        **_chapters(results, run, accuracy, extras.places)[0],
        **_labelled(counts["labels"], accuracy, sheets, extras),
        attention=attention.attention(
            run, summary.suspect_rows(results), extras.overview.unsure, counts["labels"]
        ),
        matrix=_matrix(results, accuracy, confused),
        confused=confused,
        suspects=suspects,
        nearest=nearest,
        duplicate_groups=duplicate_groups,
        outliers=extras.outliers,
        flag_rows=flags_chapter.flag_rows(run, extras.flagged),
        overview=extras.overview,
        pictures=each_once(shown),
        thumbs=write_thumbnails(out, shown),
    )
    return out / "index.html"


def _labelled(
    labels: Sequence[summary.Run],
    accuracy: Sequence[summary.Run],
    sheets: Sequence[Sheet],
    extras: Extras,
) -> dict[str, Any]:
    """Return the rows of labels, and the ranked pictures that are of no label."""
    names = {row["label"] for row in labels}
    ranked = {sheet.title: sheet for sheet in sheets if sheet.title in names}
    rows = label_rows.label_rows(labels, accuracy, ranked, extras.chosen)
    return {
        "label_rows": rows,
        "label_ids": {row.label: row.id for row in rows},
        "ranked": [sheet for sheet in sheets if sheet.title not in names],
    }


def _matrix(
    results: Path, accuracy: Sequence[summary.Run], confused: Sheet | None
) -> confusion.Matrix | None:
    if not summary.verified(accuracy):
        return None
    labels, counts = summary.read_confusion(results / "confusion.csv")
    cards = confused.cards if confused else ()
    pairs = ((card.label or "").partition(ARROW) for card in cards)
    shown = {(truth, label) for truth, _, label in pairs}
    return confusion.confusion_matrix(labels, counts, shown)


def report_charts(results: Path, places: Places | None = None) -> dict[str, Drawing]:
    """Return the charts of a report, by name; they are yet to be drawn.

    Args:
        results: as for `write_report`.
        places: of cells on a map.
    """
    run = summary.read_run(results / "summary.json")
    accuracy = summary.read_accuracy(results)
    charts = _run_charts(
        run, *(summary.read_counts(results / f"{name}.csv") for name in ("labels", "classes"))
    )
    return charts | _chapters(results, run, accuracy, places)[1]


def _chapters(
    results: Path, run: summary.Run, accuracy: Sequence[summary.Run], places: Places | None
) -> tuple[dict[str, Any], dict[str, Drawing]]:
    """Return what the page tells of evaluation, metadata, cells and duplicates; and the charts."""
    evaluated = evaluation_chapter.read_chapter(results, run)
    explored = run["explore"] and explore_chapter.read_chapter(results / "explore", run["explore"])
    indexed = index_chapter.read_chapter(results, run["cells"], places)
    duplicated = duplicates_chapter.read_chapter(run["duplicates"])
    charts = {**_accuracy_charts(accuracy, evaluated)}
    charts |= explored["plots"] if explored else {}
    for chapter in (indexed, duplicated):
        charts |= chapter.plots if chapter else {}
    chapters = {"evaluated": evaluated, "explored": explored}
    return {**chapters, "indexed": indexed, "duplicated": duplicated}, charts


def _facts(
    results: Path,
    run: summary.Run,
    accuracy: Sequence[summary.Run],
    counts: Mapping[str, Sequence[summary.Run]],
) -> dict[str, Any]:
    """Return what the page tells of pictures, labels and the run."""
    return {
        "run": run,
        "collection": collection_name(run),
        "heading": headline.heading(run),
        "where": attention.workspace_option(run),
        "figures": list(headline.figures(run, accuracy)),
        "labels": counts["labels"],
        "labels_note": summary.labels_note(len(counts["labels"]), run["images_extracted"]),
        "classes_note": summary.classes_note(len(counts["classes"])),
        "accuracy": accuracy,
        "verified": summary.verified(accuracy),
        "absent": [(label, row) for label, row in run["verified_absent"].items() if row["n"]],
        "ppi_note": summary.ppi_note(run["options"].get("screen_diagonal")),
        "errors": summary.error_rows(run["errors"]),
        "examples": list(
            itertools.islice(summary.read_rows(results / "rejected.csv"), MAX_EXAMPLES)
        ),
        "max_labels": summary.MAX_LABELS,
        "stages": summary.stage_rows(run["stages"]),
        "counters": list(summary.counter_rows(run["stages"])),
        "facts": summary.facts(run),
    }


def write_search_page(out: Path, answers: Sequence[Answer], order: str = "best first") -> None:
    """Write one HTML file with every query beside its results; the file contains the pictures.

    Args:
        out: the file; its folder must exist.
        answers: in the order they are to be shown.
        order: of the pictures of an answer, in words.
    """
    failed = [answer for answer in answers if answer.error]
    write_page(out, "search.html", answers=answers, order=order, failed=failed)


def _run_charts(
    run: summary.Run, labels: Sequence[summary.Run], classes: Sequence[summary.Run]
) -> dict[str, Drawing]:
    charts: dict[str, Drawing] = {
        "labels": _count_chart(summary.largest(labels, "pictures")),
        "classes": _count_chart(classes[: summary.MAX_CLASSES]),
    }
    unit = "pixels per inch" if run["options"].get("screen_diagonal") else "PPI (√pixel)"
    charts["ppi"] = partial(plots.histogram_chart, **run["ppi_histogram"], label=unit)
    return charts


def _count_chart(rows: Sequence[summary.Run]) -> Drawing:
    labels, counts = [row["label"] for row in rows], [row["pictures"] for row in rows]
    return partial(plots.bar_chart, labels, counts)


def _accuracy_charts(
    accuracy: Sequence[summary.Run], chapter: evaluation_chapter.Chapter | None
) -> dict[str, Drawing]:
    if chapter:
        return chapter.plots
    if not summary.verified(accuracy):
        return {}
    labels = [row["label"] for row in accuracy]
    series = {f"top-{n} accuracy": [row[f"top{n}"] for row in accuracy] for n in (1, 5)}
    return {"accuracy": partial(plots.interval_chart, labels, series)}
