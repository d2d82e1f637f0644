"""What a run would upload and submit, without doing it."""

from __future__ import annotations

import math
import shlex
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Stage
from driver.pipeline.typed_options import TypedOptions
from driver.pipeline.uploads import is_here
from driver.runners import pipeline_of
from driver.stages import classify, duplicates, fit, vectors
from driver.stages.dataset import Inputs, named_inputs
from driver.stages.extract import EXTRACT, FEATURE_BYTES, SETTLE
from driver.stages.head_file import GivenHead
from driver.stages.model import ModelOptions, built_path
from driver.stages.plan import identity as find_pictures
from mapsight.application import project_file
from mapsight.results.table_parts import ONE_FILE_ROWS

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace
    from mapsight.inputs.splits import Plan

__all__ = ["dry_run"]

WITH_METADATA = ("explore", "annotate", "fit")
RANKED = 2
"""Rows of the ranking for a picture."""
OF_INDEX = ("vectors", "cluster", "index", "recall")


def dry_run(options: Namespace, workspace: Workspace, stages: Sequence[Stage]) -> int:
    """Print for each of the stages what a run would upload and submit.

    Only the input is listed. The workspace is not looked at: stages that it has
    already would not run.
    """
    from mapsight.inputs.splits import Plan

    with tempfile.TemporaryDirectory(prefix="mapsight-dry-") as scratch:
        run = pipeline_of(TypedOptions(options), workspace, Path(scratch))
        find_pictures(run)
        unasked = () if options.duplicates else (duplicates.STAGE,)
        asked = [stage for stage in stages if stage not in unasked]
        for line in _lines(run, run.facts[Plan], asked):
            sys.stdout.write(f"{line}\n")
    return 0


def _lines(run: Pipeline, plan: Plan, stages: Sequence[Stage]) -> Iterator[str]:
    yield f"dry run: {plan.pictures:,} pictures, {plan.bytes:,} bytes, nothing is run"
    yield f"workspace: {run.workspace.uri()}"
    if machines := run.cluster.described():
        yield f"cluster: {machines}"
    if run.on_cluster:
        yield from _uploads(run, plan)
    for stage in stages:
        yield from _stage(run, stage, plan)
        if stage.name == run.running.until:
            return


def _uploads(run: Pipeline, plan: Plan) -> Iterator[str]:
    if not run.options_of(RunnerOptions).node_python:
        yield "upload once: environments/env-….tar.gz, what nodes need; see mapsight pack"
    for path in (split.uri for split in plan.splits["parquet"] if is_here(split.uri)):
        yield f"upload once: {path}, {Path(path).stat().st_size:,} bytes"
    packed = sum(split.bytes for kind in ("files", "tar") for split in plan.splits[kind])
    if packed and any(map(is_here, named_inputs(run))):
        yield f"upload: the pictures that are packed here, about {packed:,} bytes"
    asked = run.options_of(ModelOptions)
    model = Path(asked.model) if asked.model else built_path(asked)
    if model.is_file():
        yield f"upload once: {model}, {model.stat().st_size:,} bytes"
    else:
        yield f"upload once: {model.name}, which is built first (TensorFlow, about 30 s)"
    library = [path for path in project_file("mapsight").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in library if path.suffix != ".pyc")
    yield f"upload with each job: mapsight/, {size:,} bytes before compression"


def _stage(run: Pipeline, stage: Stage, plan: Plan) -> Iterator[str]:
    tasks, jobs = _tasks(stage.name, plan), _jobs(run, stage, plan)
    for job in jobs if tasks != 0 else ():
        yield from _job(run, stage.name, job, plan, tasks)
    if not jobs or tasks == 0:
        yield f"{stage.name}: no job"


def _jobs(run: Pipeline, stage: Stage, plan: Plan) -> list[Job]:
    """Return those that a stage runs, but for what only the pictures tell."""
    name = stage.name
    idle = name in WITH_METADATA and not run.options_of(Inputs).openimages
    fits = not (run.options_of(fit.Options).no_fit or run.options_of(GivenHead).head)
    idle |= name == "fit" and not fits
    idle |= name in OF_INDEX and run.options_of(vectors.Options).no_index
    idle |= name == "merge" and RANKED * plan.pictures <= ONE_FILE_ROWS
    later = {SETTLE}
    if run.options_of(classify.Options).target_labels != (classify.AUTO,):
        later.add(classify.COUNT)
    return [] if idle else [job for job in stage.jobs if job not in later]


def _job(run: Pipeline, stage: str, job: Job, plan: Plan, tasks: int | None) -> Iterator[str]:
    size = project_file(job.path).stat().st_size
    many = f", {tasks} map tasks" if tasks else ""
    here = stage == "ingest" and run.on_cluster and any(map(is_here, named_inputs(run)))
    where = "on this machine" if here else f"-r {run.cluster.runner}"
    yield f"{stage}: {job.path}, {size:,} bytes, {where}{many}"
    yield f"    {shlex.join(_settings(run, job, plan, here=here))}"


def _tasks(stage: str, plan: Plan) -> int | None:
    """Map tasks of a stage, where the input tells."""
    splits = {kind: len(found) for kind, found in plan.splits.items()}
    packed = splits["files"] + splits["tar"]
    read = packed + splits["urls"] + splits["parquet"]
    return {"ingest": packed, "fetch": splits["urls"], "extract": read}.get(stage)


def _settings(run: Pipeline, job: Job, plan: Plan, *, here: bool) -> list[str]:
    shuffled = math.ceil(plan.pictures * FEATURE_BYTES) if job is EXTRACT else 0
    return run.place(here=here).settings(job, shuffled)
