"""The stage explore: what the metadata says, before any picture is classified."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from driver.errors import UsageError
from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome, Stage
from driver.pipeline.uploads import manifest_lines
from driver.stages.classify import Labels
from driver.stages.dataset import Inputs, dataset_of
from mapsight.explore.exploration import Exploration, read_sums
from mapsight.explore.findings import summarised
from mapsight.explore.tables import write_tables
from mapsight.inputs.find import Found
from mapsight.openimages import dataset as openimages
from mapsight.openimages.columns import KINDS, read_header
from mapsight.openimages.near_metadata import missing_metadata
from mapsight.results.predictions import records_of
from mapsight.text import plain

__all__ = ["STAGE", "check_headers", "description_files", "explore_tables"]

JOB = Job("mr_jobs.explore_metadata")
FOLDER = "explore"
"""Where its tables lie in results/."""


def _files(run: Pipeline, *kinds: str) -> list[tuple[str, Found]]:
    dataset = dataset_of(run)
    return [(kind, file) for kind in kinds for file in dataset.files[kind]] if dataset else []


def _stamps(run: Pipeline, *kinds: str) -> list[list[Any]]:
    return [[kind, file.source, file.bytes, file.stamp] for kind, file in _files(run, *kinds)]


def check_headers(run: Pipeline) -> None:
    """Find files that are not what their names say before hours of work, not after.

    Warns where there are no labels at all.
    """
    dataset = dataset_of(run)
    if dataset and (missing := missing_metadata(run.options_of(Inputs).openimages or "", dataset)):
        sys.stderr.write(f"--openimages: {plain(missing)}\n")
    for kind, file in _files(run, *KINDS):
        try:
            read_header(file.uri.decode("utf-8", "surrogateescape"), kind, file.source)
        except ValueError as error:
            raise UsageError(f"--openimages: {error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"--openimages: {file.source}: cannot be read: {reason}") from None


def identity(run: Pipeline) -> dict[str, Any]:
    """The metadata files and the hierarchy."""
    return {"files": _stamps(run, *KINDS, "hierarchy")}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Counts what the metadata says; nothing to do without any."""
    files = _files(run, *KINDS)
    splits = [split for kind, file in files for split in openimages.csv_splits(file, kind)]
    if not splits:
        return Outcome(notes={"digest": "nothing", "uploads": {}})
    lines, copies = manifest_lines(run, splits)
    parents = run.side_file("hierarchy.json", json.dumps(_parents(run)))
    size = sum(max(file.bytes, 0) for _, file in files)
    arguments = ["--hierarchy", parents]
    job = run.job(JOB, run.manifest(lines), arguments, ("explore", folder), shuffled=size)
    return Outcome(job, {"uploads": copies})


def _parents(run: Pipeline) -> dict[str, tuple[str, ...]]:
    dataset = dataset_of(run)
    return openimages.read_classes(dataset.files["hierarchy"]) if dataset else {}


def description_files(run: Pipeline) -> list[list[Any]]:
    """What the names in the tables depend on."""
    return _stamps(run, "descriptions", "hierarchy")


def explore_tables(run: Pipeline, target: Path) -> dict[str, Any] | None:
    """Write results/explore/; a summary of it, or None where there is no metadata."""
    parts = run.workspace.parts("explore")
    dataset = dataset_of(run)
    if not parts or dataset is None:
        return None
    mids = openimages.read_descriptions(dataset.files["descriptions"])
    if "classify" in run.documents:
        targets = dict(run.documents["classify"]["options"]["targets"])
    else:  # without pictures nothing was classified
        targets = run.facts[Labels].targets
    names = {mid: name for name, mid in [*mids.items(), *targets.items()]}
    found = Exploration(read_sums(records_of(parts)), names, _parents(run), targets)
    write_tables(found, target / FOLDER)
    return summarised(found)


STAGE = Stage(
    __name__,
    perform,
    jobs=(JOB,),
    identity=identity,
)
