"""The stage classify: features become labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.dataset import vocabulary_of
from driver.stages.head_file import GivenHead, given_targets, head_arguments
from driver.stages.model import own_labels
from driver.stages.outputs import joined_parts
from mapsight.labels.labeler import AUTO, Labeler, Labels, resolve_targets
from mapsight.workspace.stage_facts import ExtractNotes, PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["AUTO", "COUNT", "STAGE"]

COUNT = Job("mr_jobs.count_classes")
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
    if options.target_labels == (AUTO,):
        return _auto_identity(run)
    try:
        known = vocabulary_of(run)
        own = own_labels(run) if options.labels_typed else {}
        targets = resolve_targets(options.target_labels, {**own, **known.names})
    except ValueError as error:
        raise UsageError(f"--target-labels: {error}") from None
    if run.options_of(GivenHead).head:
        targets = given_targets(run, targets, typed=options.labels_typed)
    run.facts.add(Labels(targets, known.parents))
    diagonal = options.screen_diagonal
    return {"targets": list(targets.items()), "parents": known.parents, "diagonal": diagonal}


def _auto_identity(run: Pipeline) -> dict[str, Any]:
    """The hierarchy; which labels there are is known when classes have been counted."""
    parents, diagonal = vocabulary_of(run).parents, run.options_of(Options).screen_diagonal
    run.facts.add(Labels({}, parents))
    return {"targets": [], "parents": parents, "diagonal": diagonal, AUTO: True}


def _chosen(run: Pipeline) -> Labels:
    """Return labels for the classes that the collection has most of."""
    from mapsight.labels.auto_labels import choose_labels
    from mapsight.results.predictions import records_of

    counts = dict(records_of(run.collect(COUNT, joined_parts(run), [])))
    known = vocabulary_of(run)
    return Labels(choose_labels(counts, known.parents, known.names), known.parents)


def perform(run: Pipeline, folder: str) -> Outcome:
    """Maps features to labels, beside what people verified."""
    auto = run.options_of(Options).target_labels == (AUTO,)
    labels = _chosen(run) if auto else run.facts[Labels]
    settings = run.side_file("targets.json", labels.to_json())
    arguments = ["--targets", settings, *head_arguments(run)]
    if diagonal := run.options_of(Options).screen_diagonal:
        arguments += ["--screen-diagonal", str(diagonal)]
    size = PREDICTION_BYTES * PictureCounts.of(run.documents["extract"]).read
    output = ("classify", folder)
    counters = run.job(JOB, joined_parts(run), arguments, output, shuffled=size)
    labeler = Labeler(labels.targets, labels.parents)
    classes = ExtractNotes.of(run.documents["extract"]).own_classes
    chosen = {AUTO: [list(pair) for pair in labels.targets.items()]} if auto else {}
    return Outcome(counters, {"missing": labeler.missing(classes), **chosen})


STAGE = Stage(
    __name__,
    perform,
    needs=("extract", "annotate", "fit"),
    jobs=(COUNT, JOB),
    identity=identity,
)
