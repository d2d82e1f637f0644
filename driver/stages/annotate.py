"""The stage annotate: pictures are joined with what the metadata says of them."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import Failure, UsageError
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.pipeline.uploads import drop_others, manifest_lines
from driver.stages.dataset import dataset_of, metadata_files, metadata_stamps, vocabulary_of
from mapsight.labels.labeler import resolve_targets
from mapsight.workspace.stage_facts import PictureCounts, UploadNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.openimages.join import Selection

__all__ = ["STAGE", "drop_old_uploads"]

JOB = Job("mr_jobs.annotate_images")
FEATURE_BYTES = 4500
KINDS = ("labels", "boxes", "images")
"""Of the metadata files that say something of pictures."""


@dataclass(frozen=True)
class Options:
    """Which pictures to go on with."""

    only_labels: tuple[str, ...]
    min_confidence: float
    subset: tuple[str, ...]
    license: str


def identity(run: Pipeline) -> dict[str, Any]:
    """The metadata files, and which pictures to go on with."""
    return {
        "files": metadata_stamps(run, *KINDS),
        "selection": asdict(_selection(run)),
    }


def _selection(run: Pipeline) -> Selection:
    from mapsight.openimages.join import Selection

    options = run.options_of(Options)
    labels: dict[str, str] = {}
    if options.only_labels:
        known = vocabulary_of(run)
        try:
            labels = resolve_targets(options.only_labels, known.names)
        except ValueError as error:
            raise UsageError(f"--only-labels: {error}") from None
        if not dataset_of(run):
            raise UsageError("--only-labels needs labels: name a folder with --openimages")
        return Selection(
            labels, options.min_confidence, options.subset, options.license, parents=known.parents
        )
    return Selection({}, options.min_confidence, options.subset, options.license)


def perform(run: Pipeline, folder: str) -> Outcome:
    """Joins pictures with what the metadata says of them; nothing to do without any."""
    from mapsight.openimages import dataset as openimages
    from mapsight.openimages.join import FEATURES

    files, selection = metadata_files(run, *KINDS), _selection(run)
    splits = [split for kind, file in files for split in openimages.csv_splits(file, kind)]
    if not splits and selection.everything:
        return Outcome(notes={"digest": "nothing", "uploads": {}})
    lines, copies = manifest_lines(run, splits)
    features = run.workspace.parts("extract")
    lines += [json.dumps(asdict(openimages.CsvSplit(uri, FEATURES, 0, 0))) for uri in features]
    size = sum(max(file.bytes, 0) for _, file in files)
    size += FEATURE_BYTES * PictureCounts.of(run.documents["extract"]).read
    arguments = ["--selection", run.side_file("selection.json", json.dumps(asdict(selection)))]
    arguments += [] if splits else ["--no-metadata"]
    output = ("annotate", folder)
    job = run.job(JOB, run.manifest(lines), arguments, output, shuffled=size)
    left_out = job.get("images", {}).get("not_selected", 0)
    if left_out and left_out == PictureCounts.of(run.documents["extract"]).extracted:
        raise Failure(f"none of {left_out:,} pictures matches {_conditions(run)}")
    return Outcome(job, {"uploads": copies})


def _conditions(run: Pipeline) -> str:
    """The conditions of the command line, as they may be typed."""
    options, said = run.options_of(Options), []
    if options.only_labels:
        confidence = f"--min-confidence {options.min_confidence:g}"
        said.append(f"--only-labels {' '.join(options.only_labels)} with {confidence}")
    if options.subset:
        said.append(f"--subset {' '.join(options.subset)}")
    if options.license:
        said.append(f"--license {options.license}")
    return " and ".join(said)


def drop_old_uploads(run: Pipeline) -> None:
    """Remove copies of inputs that are not this run's."""
    names = (
        UploadNotes.of(run.documents[stage]).uploads.values()
        for stage in ("ingest", "explore", "annotate")
        if stage in run.documents
    )
    drop_others(run, itertools.chain.from_iterable(names))


STAGE = Stage(
    __name__, perform, needs=("extract",), jobs=(JOB,), identity=identity, check=drop_old_uploads
)
