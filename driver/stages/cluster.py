"""The stage cluster: new features fall into cells."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.outputs import CellFiles, cells_made, lengths, manifest_of_rows
from mapsight.index import lesson
from mapsight.index.lesson import Lesson, cells_for
from mapsight.records import decode_vector
from mapsight.workspace.index_facts import ClusterNotes, KMeansStep, VectorNotes

if TYPE_CHECKING:
    import numpy as np

    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "converging"]

JOB = Job("mr_jobs.cluster_features")
ONE_TASK, MANY_TASKS = "one_task", "many_tasks"
"""Which makes iterations: the task that has the whole sample, or each of many its share."""


@dataclass(frozen=True)
class Options:
    """How many cells, and when to stop."""

    cells: int | None
    max_iterations: int
    tolerance: float


def cells_of(run: Pipeline) -> int:
    """How many cells to make."""
    rows = VectorNotes.of(run.documents["vectors"]).rows
    return min(run.options_of(Options).cells or cells_for(rows), max(rows, 1))


def identity(run: Pipeline) -> dict[str, Any]:
    """How many cells, and when to stop."""
    options = run.options_of(Options)
    return {
        "cells": cells_of(run),
        "iterations": options.max_iterations,
        "tolerance": options.tolerance,
    }


def converging(document: dict[str, Any]) -> bool:
    """Whether k-means goes on: neither settled nor at the last iteration."""
    steps, options = ClusterNotes.of(document).history, document["options"]
    more = lesson.converging(steps, options["iterations"], options["tolerance"])
    return bool(document["parts"]) and more


def perform(run: Pipeline, folder: str) -> Outcome:
    """Makes all iterations in one job; where the sample is large, seeds, then one at a time."""
    rows = VectorNotes.of(run.documents["vectors"]).rows
    if not rows:
        return Outcome(notes={"digest": "nothing", "history": []})
    wanted = Lesson(rows, cells_of(run), *lengths(run))
    return _iterated(run, folder, wanted) if run.so_far else _learned(run, folder, wanted)


def _learned(run: Pipeline, folder: str, wanted: Lesson) -> Outcome:
    """Take the axes of the projection and seeds, and make all iterations if one task can."""
    import numpy as np

    from mapsight.results.predictions import records_of

    options, whole = run.options_of(Options), wanted.in_one_task
    arguments = ["--seeds", str(wanted.cells)]
    arguments += ["--below", str(wanted.below if whole else wanted.seeds_below)]
    if wanted.projected:
        arguments += ["--projected", str(wanted.projected), "--plain-d", str(wanted.plain_d)]
        arguments += ["--axes-below", str(wanted.axes_below)]
    if whole:
        arguments += ["--iterations", str(options.max_iterations)]
        arguments += ["--tolerance", str(options.tolerance)]
    made: dict[str, list[Any]] = {kind: [] for kind in ("axis", "centre", "step", "counts")}
    for kind, value in records_of(run.collect(JOB, manifest_of_rows(run), arguments)):
        made[kind].append(value)
    axes, centres = ([decode_vector(text) for text in made[kind]] for kind in ("axis", "centre"))
    _store(run, folder, np.stack(centres), np.stack(axes) if axes else None)
    steps = [KMeansStep(**step) for step in made["step"]]
    way = ONE_TASK if whole else MANY_TASKS
    notes = ClusterNotes(steps, made["counts"][0], way, dimensions=len(centres[0]))
    return Outcome(notes=asdict(notes))


def _iterated(run: Pipeline, folder: str, wanted: Lesson) -> Outcome:
    """Go one iteration further than the stage's last commit."""
    import numpy as np

    assert run.so_far
    started, files, before = time.monotonic(), cells_made(run), ClusterNotes.of(run.so_far)
    centres, counts, step = _step(run, files, wanted.below)
    timed = replace(step, seconds=round(time.monotonic() - started, 3))
    axes = np.load(files.projection, allow_pickle=False) if files.projection else None
    _store(run, folder, centres, axes)
    notes = replace(before, history=[*before.history, timed], counts=counts)
    return Outcome(notes=asdict(notes))


def _step(run: Pipeline, files: CellFiles, below: int) -> tuple[np.ndarray, list[int], KMeansStep]:
    import numpy as np

    from mapsight.index.kmeans import improved
    from mapsight.results.predictions import records_of

    old = np.load(files.centres, allow_pickle=False)
    arguments = [*files.arguments, "--below", str(below)]
    output = run.collect(JOB, manifest_of_rows(run), arguments, 12 * old.size)
    return improved(old, records_of(output))


def _store(run: Pipeline, folder: str, centres: np.ndarray, axes: np.ndarray | None) -> None:
    import numpy as np

    from mapsight.index.layout import CENTRES, PROJECTION

    target = run.local_folder("cluster", folder)
    np.save(target / CENTRES, centres, allow_pickle=False)
    if axes is not None:
        np.save(target / PROJECTION, axes, allow_pickle=False)
    run.store(target, "cluster", folder)


STAGE = Stage(
    __name__,
    perform,
    needs=("vectors",),
    jobs=(JOB,),
    identity=identity,
    unfinished=converging,
    steps=True,
)
