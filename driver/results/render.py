"""The stage render: the report of committed results."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.stage import Outcome, Stage
from driver.results.cards import SheetRows, drawn_sheets
from driver.results.current_duplicates import current_duplicates, duplicate_facts
from driver.results.index_sheets import IndexSheets
from driver.results.sheets import (
    duplicate_sheets,
    flag_sheets,
    noticed_sheets,
    quality_sheets,
    sheets_of,
)
from mapsight.application import project_file
from mapsight.workspace.result_facts import DuplicateNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace
    from mapsight.report.cards import Sheet
    from mapsight.report.overview import Overview

__all__ = ["STAGE", "download_results", "report_to", "with_duplicates"]

LABEL = "label "
TITLES = ("Best", "Most typical", "Surest", "Least sure", "Worst")
"""Of the sheets of a label, in their order."""
TEMPLATES = tuple(
    f"mapsight/templates/{path.name}"
    for path in sorted(project_file("mapsight/templates").iterdir())
)


def perform(run: Pipeline, folder: str) -> Outcome:
    """Write the report page with its plots and thumbnails."""
    target = run.local_folder("render", folder)
    results = run.scratch / "results"
    download_results(run.workspace, results)
    report_to(run.workspace, run.documents, results, target)
    run.store(target, "render", folder)
    return Outcome()


def download_results(workspace: Workspace, folder: Path) -> None:
    """Copy the committed results to a local folder, but for the tables of every picture.

    Raises:
        Failure: there are none, or one has changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = workspace.required("merge", "there are no results yet; run the pipeline first")
    skip = len(document["folder"]) + 1
    small = [part for part in document["parts"] if not part["name"].endswith(".parquet")]
    workspace.parts("merge")
    if workspace.local:
        workspace.verify({**document, "parts": small})
    for part in small:
        path = folder / part["name"][skip:]
        path.parent.mkdir(parents=True, exist_ok=True)
        workspace.fetch(workspace.uri("merge", part["name"]), path)


def with_duplicates(
    workspace: Workspace, documents: dict[str, dict[str, Any]], results: Path
) -> dict[str, dict[str, Any]]:
    """Return documents that tell of the duplicates that were found since results were made.

    A copy of summary.json in `results` tells of them, too.
    """
    twice = current_duplicates(workspace)
    if twice is None:
        return documents
    path = results / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    summary["duplicates"] = duplicate_facts(twice)
    path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    merge = documents["merge"]
    notes = {**merge["notes"], "duplicates": DuplicateNotes.of(twice).largest}
    return {**documents, "merge": {**merge, "notes": notes}}


def report_to(
    workspace: Workspace, documents: dict[str, dict[str, Any]], results: Path, target: Path
) -> Path:
    """Write the report of a workspace's documents into a folder; the page's path."""
    from mapsight.opened_tables import ResultTables
    from mapsight.report.cards import Extras
    from mapsight.report.charts.drawing import drawing
    from mapsight.report.overview import COLUMNS, look_through
    from mapsight.report.report import report_charts, write_report

    of_index = IndexSheets(workspace)
    places = of_index.places()
    with drawing(target / "plots", report_charts(results, places)):
        overview = look_through(ResultTables(workspace).prediction_batches(COLUMNS))
        rows = _sheet_rows(documents, of_index, overview, _labels(results))
        sheets = _drawn(workspace, documents, rows)
    chosen = {name[len(LABEL) :]: sheets[name] for name in rows if name.startswith(LABEL)}
    return write_report(
        results,
        target,
        sheets["sheets"],
        _only(sheets, "confused"),
        _only(sheets, "suspects"),
        nearest=sheets["nearest"],
        duplicate_groups=sheets["duplicates"],
        extras=Extras(chosen, sheets["outliers"], overview, places, sheets["flagged"]),
        drawn=True,
    )


def _sheet_rows(
    documents: Mapping[str, dict[str, Any]],
    of_index: IndexSheets,
    overview: Overview,
    labels: Sequence[str],
) -> dict[str, list[SheetRows]]:
    """Return the sheets of a report by what they show; those of labels by LABEL and the name."""
    return {
        **{name: [one] for name, one in noticed_sheets(documents).items()},
        "sheets": sheets_of(documents),
        "nearest": of_index.of_cells(),
        "duplicates": duplicate_sheets(documents),
        "outliers": of_index.outliers(overview),
        "flagged": [*flag_sheets(documents), *of_index.odd()],
        **{f"{LABEL}{name}": sheets for name, sheets in _of_labels(documents, of_index, labels)},
    }


def _of_labels(
    documents: Mapping[str, dict[str, Any]], of_index: IndexSheets, labels: Sequence[str]
) -> Iterator[tuple[str, list[SheetRows]]]:
    """Yield each label with its sheets, the best first; without an index there are fewer."""
    by_quality, by_index = quality_sheets(documents), of_index.of_labels(labels)
    for label in labels:
        sheets = by_quality.get(label, {})
        sheets = {**sheets, **{sheet.title: sheet for sheet in by_index.get(label, [])}}
        if sheets:
            yield label, sorted(sheets.values(), key=lambda sheet: TITLES.index(sheet.title))


def _labels(results: Path) -> list[str]:
    """Return the labels whose pictures are shown: those that most pictures have."""
    from mapsight.report.summary import largest, read_counts

    rows = largest(read_counts(results / "labels.csv"), "pictures")
    return [row["label"] for row in rows if row["pictures"]]


def _only(sheets: Mapping[str, Sequence[Sheet]], name: str) -> Sheet | None:
    return next(iter(sheets.get(name, ())), None)


def _drawn(
    workspace: Workspace,
    documents: Mapping[str, dict[str, Any]],
    rows: Mapping[str, Sequence[SheetRows]],
) -> dict[str, list[Sheet]]:
    """Return sheets by name with their pictures, all of which are read together."""
    from mapsight.index.pictures import Pictures

    pictures = Pictures(workspace, documents["extract"], sys.stderr.write)
    drawn = iter(drawn_sheets(itertools.chain.from_iterable(rows.values()), pictures))
    return {name: list(itertools.islice(drawn, len(sheets))) for name, sheets in rows.items()}


STAGE = Stage(
    __name__,
    perform,
    needs=("merge", "extract"),
    data=TEMPLATES,
    published=True,
    after_all=True,
)
