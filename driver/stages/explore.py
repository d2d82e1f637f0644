"""The stage explore: what the metadata says, before any picture is classified."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.pipeline.uploads import manifest_lines
from driver.stages.dataset import Inputs, class_parents, dataset_of, metadata_files, metadata_stamps
from mapsight.text import plain

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "check_headers"]

JOB = Job("mr_jobs.explore_metadata")


def check_headers(run: Pipeline) -> None:
    """Find files that are not what their names say before hours of work, not after.

    Warns where there are no labels at all.
    """
    from mapsight.openimages.columns import KINDS, read_header
    from mapsight.openimages.near_metadata import missing_metadata

    dataset = dataset_of(run)
    if dataset and (missing := missing_metadata(run.options_of(Inputs).openimages or "", dataset)):
        sys.stderr.write(f"--openimages: {plain(missing)}\n")
    for kind, file in metadata_files(run, *KINDS):
        try:
            read_header(file.uri.decode("utf-8", "surrogateescape"), kind, file.source)
        except ValueError as error:
            raise UsageError(f"--openimages: {error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"--openimages: {file.source}: cannot be read: {reason}") from None


def identity(run: Pipeline) -> dict[str, Any]:
    """The metadata files and the hierarchy."""
    from mapsight.openimages.columns import KINDS

    return {"files": metadata_stamps(run, *KINDS, "hierarchy")}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Counts what the metadata says; nothing to do without any."""
    from mapsight.openimages import dataset as openimages
    from mapsight.openimages.columns import KINDS

    files = metadata_files(run, *KINDS)
    splits = [split for kind, file in files for split in openimages.csv_splits(file, kind)]
    if not splits:
        return Outcome(notes={"digest": "nothing", "uploads": {}})
    lines, copies = manifest_lines(run, splits)
    parents = run.side_file("hierarchy.json", json.dumps(class_parents(run)))
    size = sum(max(file.bytes, 0) for _, file in files)
    arguments = ["--hierarchy", parents]
    job = run.job(JOB, run.manifest(lines), arguments, ("explore", folder), shuffled=size)
    return Outcome(job, {"uploads": copies})


STAGE = Stage(
    __name__,
    perform,
    jobs=(JOB,),
    identity=identity,
)
