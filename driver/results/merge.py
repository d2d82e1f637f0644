"""The last stages: result tables, the report, and the summary a person reads."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driver.pipeline.pipeline import Outcome, Pipeline, require
from driver.results.cell_tables import write_cell_tables
from driver.results.evaluation_tables import (
    absent_counts,
    is_judged,
    ppi_histogram,
    verified,
    write_evaluation,
    write_tables,
)
from driver.results.examples import Noticed
from driver.results.sheets import cell_sheets, duplicate_sheets, noticed_sheets, sheets_of
from driver.stages.duplicates import current_duplicates, duplicate_facts, stages_of_results
from driver.stages.explore import description_files, explore_tables
from driver.stages.head_file import fitted_head
from driver.stages.labels import read_counts, targets_of
from driver.stages.plan import named_inputs
from driver.workspace.publishing import Source, copy_into
from driver.workspace.workspace import Workspace
from mapsight import __version__
from mapsight.labels.head import load_head
from mapsight.records import OTHER
from mapsight.results.predictions import merged_records, write_predictions, write_ranking

__all__ = [
    "copy_results",
    "merge",
    "merge_identity",
    "render",
    "report_to",
    "with_duplicates",
]

SHEET_PICTURES = 12
COPY_LIMIT = 100 << 20
SHOWN = (
    "target_labels",
    "rank_by",
    "order",
    "ranks",
    "near_model",
    "screen_diagonal",
    "max_rejected",
    "image_column",
    "no_fit",
    "head",
    "only_labels",
    "min_confidence",
    "subset",
    "license",
)


def _options(run: Pipeline) -> dict[str, Any]:
    return {name: getattr(run.options, name) for name in SHOWN}


def merge_identity(run: Pipeline) -> dict[str, Any]:
    """What the result tables depend on beside the records."""
    return {
        "options": _options(run),
        "inputs": named_inputs(run),
        "note": run.options.note,
        "descriptions": description_files(run),
        "duplicates": (current_duplicates(run.workspace) or {}).get("digest"),
    }


def merge(run: Pipeline, folder: str) -> Outcome:
    """Write results/ from the sorted parts of the jobs, streaming."""
    target = run.local_folder("merge", folder)
    images = run.documents["extract"]["counters"]["images"]
    counts, rows = read_counts(run)
    noticed = Noticed(counts, rows)
    records = noticed.passing(merged_records(run.workspace.parts("classify")))
    predicted, rejected = write_predictions(records, target)
    wanted = images.get("extracted", 0) - _not_selected(run)
    require(
        (predicted, rejected) == (wanted, images["read"] - images.get("extracted", 0)),
        f"merge: {images['read']} pictures were read, but {predicted} predictions and"
        f" {rejected} rejections were found; run with --force classify",
    )
    _copy_parts(run, "fit", target)
    _copy_parts(run, "recall", target)
    sheets = write_ranking(
        merged_records(run.workspace.parts("rank")), target / "ranking.parquet", SHEET_PICTURES
    )
    targets = targets_of(run.documents["classify"])
    write_tables(targets, counts, predicted, target)
    if is_judged(counts):
        noticed.write_suspects(target)
    summary = _summary(run, counts, predicted, rejected)
    foreign = "given" in run.documents["fit"]["notes"]
    labels = [*targets, OTHER]
    summary["evaluation"] = write_evaluation(labels, counts, target, foreign=foreign)
    summary["explore"] = explore_tables(run, target)
    summary["cells"] = write_cell_tables(run, target)
    twice = current_duplicates(run.workspace)
    summary["duplicates"] = duplicate_facts(twice)
    (target / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    run.store(target, "merge", folder)
    largest = twice["notes"].get("largest", []) if twice else []
    return Outcome(notes={"sheets": sheets, "duplicates": largest, **noticed.notes()})


def _not_selected(run: Pipeline) -> int:
    counters = run.documents["annotate"]["counters"]
    return counters.get("images", {}).get("not_selected", 0)


def _copy_parts(run: Pipeline, stage: str, target: Path) -> None:
    """What a stage made that is a result as it is: the head with its tables, the recall."""
    for address in run.workspace.parts(stage):
        name = address.rsplit("/", 1)[-1]
        run.workspace.fetch(address, target / name)


def _summary(
    run: Pipeline, counts: dict[tuple[str, ...], int], predicted: int, rejected: int
) -> dict[str, Any]:
    images = run.documents["extract"]["counters"]["images"]
    extract = run.documents["extract"]
    errors = {code: n for code, n in sorted(images.items()) if code not in ("read", "extracted")}
    return {
        "version": __version__,
        "run_id": run.workspace.run_id,
        "started": run.memo["started"],
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host": socket.gethostname(),
        "command": run.memo["command"],
        "runner": run.options.runner,
        "inputs": named_inputs(run),
        "options": _options(run),
        "model": {
            name: extract["options"][key]
            for name, key in (
                ("alpha", "alpha"),
                ("resolution", "resolution"),
                ("precision", "precision"),
                ("engine", "engine"),
                ("sha256", "model"),
            )
        },
        "images_read": images["read"],
        "images_extracted": predicted,
        "images_rejected": rejected,
        "images_not_selected": _not_selected(run),
        "images_without_annotation": run.documents["annotate"]["counters"]
        .get("images", {})
        .get("without_annotation", 0),
        "annotations_without_picture": run.documents["annotate"]["counters"]
        .get("annotations", {})
        .get("without_picture", 0),
        "labelled_by": "head" if fitted_head(run) else "model",
        "no_head": run.documents["fit"]["notes"].get("why"),
        "errors": errors,
        "pictures_per_second": round(images["read"] / extract["seconds_performing"], 1),
        "stages": [
            {
                "name": report.name,
                "seconds": round(report.seconds, 3),
                "skipped": report.skipped,
                "counters": report.counters,
            }
            for report in run.reports
        ],
        "note": run.options.note,
        "missing_labels": _missing(run),
        "truth": {"pictures": verified(counts)},
        "verified_absent": absent_counts(counts),
        "ppi_histogram": ppi_histogram(counts),
    }


def _missing(run: Pipeline) -> list[str]:
    """Target labels that neither the model's classes nor a head can give."""
    path = fitted_head(run)
    known = load_head(path).labels if path else []
    return [label for label in run.documents["classify"]["notes"]["missing"] if label not in known]


def render(run: Pipeline, folder: str) -> Outcome:
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
    notes = {**merge["notes"], "duplicates": twice["notes"].get("largest", [])}
    return {**documents, "merge": {**merge, "notes": notes}}


def report_to(
    workspace: Workspace, documents: dict[str, dict[str, Any]], results: Path, target: Path
) -> Path:
    """Write the report of a workspace's documents into a folder; the page's path."""
    from mapsight.report.report import write_report

    noticed = noticed_sheets(workspace, documents)
    near = cell_sheets(workspace, documents)
    twice = duplicate_sheets(workspace, documents)
    sheets = sheets_of(workspace, documents)
    return write_report(results, target, sheets, near=near, twice=twice, **noticed)


def copy_results(workspace: Workspace, folder: Path) -> list[str]:
    """Copy results and report to a local folder; names of files left out for their size.

    Raises:
        Failure: a part has changed since it was made, or would replace a file that Mapsight has
            not written.
    """
    left, files = [], {}
    places = [(stage, "") for stage in stages_of_results(workspace)]
    for stage, below in (*places, ("render", "report/")):
        document = workspace.required(stage)
        sizes = {part["name"]: part["bytes"] for part in document["parts"]}
        skip = len(document["folder"]) + 1
        large = {name[skip:] for name, size in sizes.items() if size > COPY_LIMIT}
        left += sorted(large)
        for name, source in _local_sources(workspace, stage):
            if name not in large:
                files[f"{below}{name}"] = source
    copy_into(folder, files)
    return left


def _local_sources(workspace: Workspace, stage: str) -> Iterator[tuple[str, Source]]:
    """(name, file) of a stage's parts on this machine; those of a remote workspace are copied."""
    if workspace.local:
        yield from workspace.sources(stage)
        return
    document = workspace.required(stage)
    workspace.verify(document)
    skip = len(document["folder"]) + 1
    for part, address in zip(document["parts"], workspace.parts(stage), strict=True):
        path = workspace.scratch / "copied" / stage / part["name"]
        if part["bytes"] <= COPY_LIMIT:
            path.parent.mkdir(parents=True, exist_ok=True)
            workspace.fetch(address, path)
        yield part["name"][skip:], Source(path)
