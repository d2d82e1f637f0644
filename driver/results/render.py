"""The stage render: the report of committed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.stage import Outcome, Stage
from driver.results.current_duplicates import current_duplicates, duplicate_facts
from driver.results.sheets import cell_sheets, duplicate_sheets, noticed_sheets, sheets_of
from mapsight.application import project_file
from mapsight.workspace.result_facts import DuplicateNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace

__all__ = ["STAGE", "download_results", "report_to", "with_duplicates"]

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
    from mapsight.report.drawing import drawing
    from mapsight.report.report import report_charts, write_report

    with drawing(target / "plots", report_charts(results)):
        noticed = noticed_sheets(workspace, documents)
        near = cell_sheets(workspace, documents)
        twice = duplicate_sheets(workspace, documents)
        sheets = sheets_of(workspace, documents)
    return write_report(
        results, target, sheets, nearest=near, duplicate_groups=twice, drawn=True, **noticed
    )


STAGE = Stage(
    __name__,
    perform,
    needs=("merge", "extract"),
    data=TEMPLATES,
    published=True,
    after_all=True,
)
