"""The stage vectors: features become new features, in rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.head_file import head_arguments
from driver.stages.outputs import joined_parts
from mapsight.workspace.stage_facts import PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

JOB = Job("mr_jobs.map_features")
ROWS, TOLD = "rows", "told"


@dataclass(frozen=True)
class Options:
    """Whether there is to be an index."""

    no_index: bool


def perform(run: Pipeline, folder: str) -> Outcome:
    """Writes a row for every picture: its new features, and what answers and filters need."""
    from mapsight.labels.made_with import settings_of
    from mapsight.results.predictions import records_of

    if not _wanted(run):
        return Outcome(notes={"digest": "nothing", "rows": 0})
    labels, diagonal = settings_of(run.documents["classify"])
    arguments = ["--targets", run.side_file("targets.json", labels.to_json())]
    arguments += [argument for argument in head_arguments(run) if argument != "--foreign-head"]
    if diagonal:
        arguments += ["--screen-diagonal", str(diagonal)]
    arguments += ["--rows", run.workspace.uri("vectors", folder, ROWS)]
    counters = run.job(JOB, joined_parts(run), arguments, ("vectors", folder, TOLD))
    told = records_of(run.workspace.addresses("vectors", folder, TOLD))
    files = [value for key, value in told if key == ["file"]]
    run.workspace.keep_only(("vectors", folder, ROWS), {record["file"] for record in files})
    return Outcome(counters, {"rows": sum(record["rows"] for record in files)})


def identity(run: Pipeline) -> dict[str, Any]:
    """Whether there are any."""
    return {"wanted": _wanted(run)}


def _wanted(run: Pipeline) -> bool:
    """Return whether there is to be an index, which few pictures have too."""
    pictures = PictureCounts.of(run.documents["extract"]).extracted
    return not run.options_of(Options).no_index and pictures > 0


STAGE = Stage(
    __name__,
    perform,
    needs=("extract", "annotate", "fit", "classify"),
    jobs=(JOB,),
    identity=identity,
)
