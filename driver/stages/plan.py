"""The stage plan: what there is to read, divided among map tasks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import Failure
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.dataset import Inputs, dataset_of, named_inputs, nothing_found
from mapsight.inputs.named_inputs import NamedInputs
from mapsight.redaction import public_address
from mapsight.workspace.stage_facts import PlanNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace
    from mapsight.inputs.find import Found

__all__ = ["STAGE", "inputs_of", "inputs_of_run"]


@dataclass(frozen=True)
class Options:
    """How to read what the user named, and where not to look."""

    splits: int | None
    url_column: str | None
    results: str | None
    license: str | None = None


def inputs_of_run(run: Pipeline) -> Iterator[Found]:
    """Yield what the run reads, as it lies there."""
    from mapsight.inputs.find import find_inputs
    from mapsight.openimages import dataset as openimages

    dataset = dataset_of(run)
    skip = {run.home.root, os.path.realpath(run.home.root)}
    if results := run.options_of(Options).results:
        skip.add(os.path.realpath(results))
    typed_by = run.options_of(Inputs)
    inputs = [*typed_by.images, *(dataset.pictures if dataset else ())]
    named = NamedInputs(inputs)
    for typed in inputs:
        keep = None
        if dataset and typed == typed_by.openimages:
            keep = lambda name: openimages.kind_of(name) is None  # noqa: E731
        yield from find_inputs(typed, skip=skip, keep=keep, named=named)


def _tasks(run: Pipeline) -> int:
    """Return how many tasks a small input is spread over: a workspace keeps its first answer.

    Else a cluster that grew would have all pictures read again.
    """
    return (run.before or {}).get("options", {}).get("tasks") or run.cluster.slots()


def identity(run: Pipeline) -> dict[str, Any]:
    """Lists the input and cuts it into splits; its digest tells whether it has changed."""
    from mapsight.inputs.find import InputError
    from mapsight.inputs.splits import PICTURES_PER_CONTAINER, PICTURES_PER_TASK, make_plan

    options, tasks = run.options_of(Options), _tasks(run)
    try:
        planned = make_plan(
            inputs_of_run(run),
            run.scratch,
            splits=options.splits,
            tasks=tasks,
            least=PICTURES_PER_CONTAINER if run.on_cluster else PICTURES_PER_TASK,
            url_column=options.url_column,
            license=options.license or "",
        )
    except InputError as error:
        raise Failure(str(error)) from error
    left_out = f"--license {options.license}: no address has such a licence"
    reason = left_out if planned.other_license else nothing_found(run)
    require(planned.pictures > 0 or bool(planned.splits["tar"]), reason)
    run.facts.add(planned)
    return {
        "digest": planned.digest,
        "splits": options.splits,
        "tasks": tasks,
        "url_column": options.url_column,
    }


def inputs_of(workspace: Workspace) -> list[str]:
    """What the pictures of a workspace were named by, as typed then; nothing of a new one."""
    document = workspace.committed("plan")
    return PlanNotes.of(document).inputs if document else []


def perform(run: Pipeline, folder: str) -> Outcome:
    """Keeps the listings of loose files and URLs, and the splits; no job."""
    from mapsight.inputs.listings import LISTINGS
    from mapsight.inputs.splits import Plan

    planned = run.facts[Plan]
    target = run.local_folder("plan", folder)
    for name in LISTINGS.values():
        (run.scratch / name).rename(target / name)
    run.store(target, "plan", folder)
    if planned.other_license:
        text = f"{planned.other_license:,} addresses of another licence are not fetched"
        sys.stderr.write(f"--license: {text}\n")
    notes = {
        "pictures": planned.pictures,
        "bytes": planned.bytes,
        "digest": planned.digest,
        "other_license": planned.other_license,
        "inputs": list(map(public_address, named_inputs(run))),
        "listings": {kind: f"{folder}/{name}" for kind, name in LISTINGS.items()},
        **{kind: [asdict(split) for split in splits] for kind, splits in planned.splits.items()},
    }
    return Outcome({"images": {"planned": planned.pictures}}, notes)


STAGE = Stage(
    __name__,
    perform,
    data=("driver.stages.plan:identity",),  # makes the plan that perform writes down
    identity=identity,
)
