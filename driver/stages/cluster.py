"""The stage cluster: new features fall into cells."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.outputs import centres_of, manifest_of_rows
from mapsight.records import decode_vector
from mapsight.workspace.index_facts import ClusterNotes, KMeansStep, VectorNotes

if TYPE_CHECKING:
    import numpy as np

    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "converging"]

JOB = Job("mr_jobs.cluster_features")

ROW_BYTES = 3200

SPARE_SEEDS = 2


@dataclass(frozen=True)
class Options:
    """How many cells, and when to stop."""

    cells: int | None
    max_iterations: int
    tolerance: float


def cells_of(run: Pipeline) -> int:
    """How many cells to make."""
    from mapsight.index.kmeans import cells_for

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
    history, options = ClusterNotes.of(document).history, document["options"]
    if not document["parts"] or len(history) >= options["iterations"]:
        return False
    if len(history) < 2:
        return not history or history[-1].shift > 0
    before, after = history[-2].inertia, history[-1].inertia
    return history[-1].shift > 0 and before - after > options["tolerance"] * before


def perform(run: Pipeline, folder: str) -> Outcome:
    """Takes seeds, or goes one iteration further than the stage's last commit."""
    import numpy as np

    from mapsight.index.kmeans import TRAIN_PER_CELL, share_below
    from mapsight.index.layout import CENTRES

    rows = VectorNotes.of(run.documents["vectors"]).rows
    if not rows:
        return Outcome(notes={"digest": "nothing", "history": []})
    k, so_far = cells_of(run), run.so_far
    if so_far is None:
        centres = _seeds(run, k, rows)
        notes: dict[str, Any] = {"history": [], "counts": []}
    else:
        started = time.monotonic()
        centres, step, counts = _step(run, share_below(TRAIN_PER_CELL * k, rows))
        step = replace(step, seconds=round(time.monotonic() - started, 3))
        history = [*ClusterNotes.of(so_far).history, step]
        notes = {"history": list(map(asdict, history)), "counts": counts}
    target = run.local_folder("cluster", folder)
    np.save(target / CENTRES, centres, allow_pickle=False)
    run.store(target, "cluster", folder)
    return Outcome(notes=notes)


def _seeds(run: Pipeline, k: int, rows: int) -> np.ndarray:
    import numpy as np

    from mapsight.index.kmeans import share_below
    from mapsight.results.predictions import records_of

    below = share_below(SPARE_SEEDS * k + 64, rows)
    arguments = ["--seeds", str(k), "--below", str(below)]
    output = run.collect(JOB, manifest_of_rows(run), arguments, ROW_BYTES * SPARE_SEEDS * k)
    return np.stack([decode_vector(text) for _, text in sorted(records_of(output))])


def _step(run: Pipeline, below: int) -> tuple[np.ndarray, KMeansStep, list[int]]:
    import numpy as np

    from mapsight.index.kmeans import refill
    from mapsight.results.predictions import records_of

    path = centres_of(run)
    old = np.load(path, allow_pickle=False)
    arguments = ["--centres", str(path), "--below", str(below)]
    output = run.collect(JOB, manifest_of_rows(run), arguments, 12 * old.size)
    counts, new = np.zeros(len(old), np.int64), old.copy()
    far: list[tuple[int, str]] = []
    shifted = rows = inertia = 0
    for kind, value in records_of(output):
        if kind == "cell":
            cell, counts[cell], text, shift = value
            new[cell] = decode_vector(text)
            shifted += shift
        elif kind == "far":
            far = [(gap, vector) for gap, vector in value]
        else:
            rows, inertia = value
    step = KMeansStep(inertia, rows, shifted, empty=int((counts == 0).sum()))
    return refill(new, counts, far), step, counts.tolist()


STAGE = Stage(
    __name__,
    perform,
    needs=("vectors",),
    jobs=(JOB,),
    identity=identity,
    unfinished=converging,
    steps=True,
)
