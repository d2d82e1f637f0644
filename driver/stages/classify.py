"""The stage classify: features become labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.dataset import vocabulary_of
from driver.stages.head_file import GivenHead, given_targets, head_arguments
from driver.stages.outputs import joined_parts
from mapsight.labels.labeler import Labeler, Labels, resolve_targets
from mapsight.workspace.stage_facts import ExtractNotes, PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

JOB = Job("mr_jobs.classify_images")
PREDICTION_BYTES = 1000


@dataclass(frozen=True)
class Options:
    """Labels to give; `labels_typed` if they are not those that everybody gets."""

    target_labels: tuple[str, ...]
    labels_typed: bool
    screen_diagonal: float | None


def identity(run: Pipeline) -> dict[str, Any]:
    """Targets by name and the hierarchy, kept as a small file for jobs."""
    options = run.options_of(Options)
    try:
        known = vocabulary_of(run)
        targets = resolve_targets(options.target_labels, known.names)
    except ValueError as error:
        raise UsageError(f"--target-labels: {error}") from None
    if run.options_of(GivenHead).head:
        targets = given_targets(run, targets, typed=options.labels_typed)
    run.facts.add(Labels(targets, known.parents))
    diagonal = options.screen_diagonal
    return {"targets": list(targets.items()), "parents": known.parents, "diagonal": diagonal}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Maps features to labels, beside what people verified."""
    labels = run.facts[Labels]
    settings = run.side_file("targets.json", labels.to_json())
    arguments = ["--targets", settings, *head_arguments(run)]
    if diagonal := run.options_of(Options).screen_diagonal:
        arguments += ["--screen-diagonal", str(diagonal)]
    size = PREDICTION_BYTES * PictureCounts.of(run.documents["extract"]).read
    output = ("classify", folder)
    counters = run.job(JOB, joined_parts(run), arguments, output, shuffled=size)
    labeler = Labeler(labels.targets, labels.parents)
    classes = ExtractNotes.of(run.documents["extract"]).classes or None
    return Outcome(counters, {"missing": labeler.missing(classes)})


STAGE = Stage(
    __name__,
    perform,
    needs=("extract", "annotate", "fit"),
    jobs=(JOB,),
    identity=identity,
)
