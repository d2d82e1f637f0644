"""The stage merge: result tables, and the summary a person reads."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.stage import Outcome, Stage, StageReport, require
from driver.results.cell_tables import write_cell_tables
from driver.results.current_duplicates import current_duplicates, duplicate_facts
from driver.results.evaluation_tables import (
    absent_counts,
    flag_counts,
    is_judged,
    ppi_histogram,
    verified,
    write_evaluation,
    write_tables,
)
from driver.results.examples import Noticed
from driver.results.explore_tables import description_files, explore_tables
from driver.results.picture_tables import JOB, PictureTables, write_picture_tables
from driver.stages.dataset import named_inputs
from driver.stages.head_file import fitted_head
from driver.stages.outputs import read_counts
from mapsight import __version__
from mapsight.labels.flags import ODD
from mapsight.records import OTHER
from mapsight.workspace.index_facts import IndexNotes
from mapsight.workspace.result_facts import DuplicateNotes
from mapsight.workspace.stage_facts import (
    AnnotateCounts,
    ClassifyNotes,
    ExtractNotes,
    ExtractOptions,
    FitNotes,
    PictureCounts,
)

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]


@dataclass(frozen=True)
class Shown:
    """Options that the summary shows; the tables depend on some."""

    target_labels: tuple[str, ...]
    rank_by: str
    order: str
    ranks: str | None
    near_model: bool
    screen_diagonal: float | None
    max_rejected: float
    image_column: str | None
    no_fit: bool
    head: str | None
    only_labels: tuple[str, ...]
    min_confidence: float
    subset: tuple[str, ...]
    license: str


@dataclass(frozen=True)
class Invocation:
    """The command line without secrets, and when it was typed."""

    command: str
    started: str


@dataclass(frozen=True)
class Options:
    """A note for the report of pictures that nobody named."""

    note: str | None = None


def identity(run: Pipeline) -> dict[str, Any]:
    """What the result tables depend on beside the records."""
    return {
        "options": asdict(run.options_of(Shown)),
        "inputs": named_inputs(run),
        "note": run.options_of(Options).note,
        "descriptions": description_files(run),
        "duplicates": (current_duplicates(run.workspace) or {}).get("digest"),
    }


def perform(run: Pipeline, folder: str) -> Outcome:
    """Write results/ from the sorted parts of the jobs, streaming."""
    from mapsight.labels.made_with import targets_of

    target = run.local_folder("merge", folder)
    counts, rows = read_counts(run)
    noticed = Noticed(counts, rows)
    tables = write_picture_tables(run, folder, noticed, counts, rows)
    _require_all(run, tables)
    _copy_parts(run, "fit", target)
    _copy_parts(run, "recall", target)
    write_tables(targets_of(run.documents["classify"]), counts, tables.predicted, target)
    if is_judged(counts):
        noticed.write_suspects(target)
    duplicates = current_duplicates(run.workspace)
    summary = _summary(run, counts, tables)
    summary |= _chapters(run, counts, target)
    summary["duplicates"] = duplicate_facts(duplicates)
    (target / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    run.store(target, "merge", folder)
    largest = DuplicateNotes.of(duplicates).largest if duplicates else []
    return Outcome(notes={"sheets": tables.sheets, "duplicates": largest, **noticed.notes()})


def _require_all(run: Pipeline, tables: PictureTables) -> None:
    """Raise Failure unless each picture that was read and selected is in a table."""
    images = PictureCounts.of(run.documents["extract"])
    wanted = images.extracted - AnnotateCounts.of(run.documents["annotate"]).not_selected
    require(
        (tables.predicted, tables.rejected) == (wanted, images.read - images.extracted),
        f"merge: {images.read} pictures were read, but {tables.predicted} predictions and"
        f" {tables.rejected} rejections were found; run with --force classify",
    )


def _chapters(run: Pipeline, counts: dict[tuple[str, ...], int], target: Path) -> dict[str, Any]:
    """Write the tables of evaluation, metadata and cells; what the summary says of each."""
    from mapsight.labels.made_with import targets_of

    foreign = FitNotes.of(run.documents["fit"]).given is not None
    labels = [*targets_of(run.documents["classify"]), OTHER]
    return {
        "evaluation": write_evaluation(labels, counts, target, foreign=foreign),
        "explore": explore_tables(run, target),
        "cells": write_cell_tables(run, target),
    }


def _copy_parts(run: Pipeline, stage: str, target: Path) -> None:
    """What a stage made that is a result as it is: the head with its tables, the recall."""
    for address in run.workspace.parts(stage):
        name = address.rsplit("/", 1)[-1]
        run.workspace.fetch(address, target / name)


def _summary(
    run: Pipeline, counts: dict[tuple[str, ...], int], tables: PictureTables
) -> dict[str, Any]:
    """Return what summary.json says of the run and its pictures; chapters are added to it."""
    images = PictureCounts.of(run.documents["extract"])
    seconds = run.documents["extract"]["seconds_performing"]
    return {
        **_invocation(run),
        "model": _model(run),
        "images_read": images.read,
        "images_extracted": tables.predicted,
        "images_rejected": tables.rejected,
        **_metadata_counts(run),
        "labelled_by": _labelled_by(run),
        "no_head": FitNotes.of(run.documents["fit"]).why,
        "errors": dict(sorted(images.errors.items())),
        "pictures_per_second": round(images.read / seconds, 1),
        "stages": list(map(_stage_row, run.reports)),
        "note": run.options_of(Options).note,
        "missing_labels": _missing(run),
        "truth": {"pictures": verified(counts)},
        "verified_absent": absent_counts(counts),
        "flags": flag_counts(counts) | {ODD: IndexNotes.of(run.documents["index"]).odd},
        "ppi_histogram": ppi_histogram(counts),
    }


def _invocation(run: Pipeline) -> dict[str, Any]:
    """Return who ran what, where and when."""
    invocation = run.options_of(Invocation)
    return {
        "version": __version__,
        "run_id": run.workspace.run_id,
        "started": invocation.started,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host": socket.gethostname(),
        "command": invocation.command,
        "runner": run.cluster.runner,
        "inputs": named_inputs(run),
        "options": asdict(run.options_of(Shown)),
    }


def _labelled_by(run: Pipeline) -> str:
    if fitted_head(run):
        return "head"
    return "model" if ExtractNotes.of(run.documents["extract"]).has_classes else "nothing"


def _model(run: Pipeline) -> dict[str, Any]:
    used = ExtractOptions.of(run.documents["extract"])
    file = ExtractNotes.of(run.documents["extract"]).model_file
    named = {} if used.alpha is not None else {"file": file.rsplit("/", 1)[-1]}
    return named | {
        "alpha": used.alpha,
        "resolution": used.resolution,
        "precision": used.precision,
        "engine": used.engine,
        "sha256": used.model,
    }


def _metadata_counts(run: Pipeline) -> dict[str, int]:
    counts = AnnotateCounts.of(run.documents["annotate"])
    return {
        "images_not_selected": counts.not_selected,
        "images_without_annotation": counts.without_annotation,
        "annotations_without_picture": counts.without_picture,
    }


def _stage_row(report: StageReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "seconds": round(report.seconds, 3),
        "skipped": report.skipped,
        "counters": report.counters,
        "cost": report.cost,
    }


def _missing(run: Pipeline) -> list[str]:
    """Target labels that neither the model's classes nor a head can give."""
    from mapsight.labels.head import load_head

    path = fitted_head(run)
    given = load_head(path).labels if path else []
    missing = ClassifyNotes.of(run.documents["classify"]).missing
    return [label for label in missing if label not in given]


STAGE = Stage(
    __name__,
    perform,
    needs=(
        *("extract", "explore", "annotate", "fit", "classify", "cluster", "index"),
        *("recall", "count", "rank"),
    ),
    jobs=(JOB,),
    identity=identity,
    published=True,
    after_all=True,
)
