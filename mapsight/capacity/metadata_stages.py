"""What the stages take that read metadata: explore, annotate and fit.

Figures with `row` in their names are for a row of metadata: labels, boxes and image lists
mixed as in Open Images.
"""

from __future__ import annotations

import math

from mapsight.capacity.job_costs import (
    NARROWEST,
    WIDEST,
    Demand,
    Figures,
    Job,
    StageEstimate,
    between,
    feature_bytes,
    reducers,
    stage_of,
    text_maps,
)
from mapsight.openimages.dataset import CSV_SPLIT_BYTES

__all__ = ["annotate", "explore", "fit", "joined_bytes", "with_head"]

FILES = 9  # three kinds of three subsets, as published
HEAD = "head."


def with_head(figures: Figures) -> Figures:
    """Return the figures of stages that a head makes dearer in place of those without one."""
    own = {name[len(HEAD) :]: value for name, value in figures.items() if name.startswith(HEAD)}
    return {**figures, **own}


def joined_bytes(demand: Demand, figures: Figures) -> float:
    """Return the size of a feature record with its annotation, as it is kept."""
    each = demand.rows / demand.images * figures[f"joined.row.{demand.form}"]
    return feature_bytes(demand, figures, demand.form) + each


def _file_bytes(demand: Demand, figures: Figures) -> float:
    return demand.rows * figures["metadata.row.bytes"]


def _file_maps(demand: Demand, figures: Figures) -> int:
    """Map tasks that read metadata: a range of a file each."""
    return max(math.ceil(_file_bytes(demand, figures) / CSV_SPLIT_BYTES), FILES)


def explore(demand: Demand, figures: Figures) -> StageEstimate:
    """Estimate two jobs: rows are counted by picture, then the sums are added up."""
    count, add = Job(demand, figures), Job(demand, figures)
    count.map(_file_maps(demand, figures), demand.rows * figures["explore.row.map.seconds"])
    each = figures["explore.row.reduce.seconds"] + figures["sort.seconds"]
    tasks = reducers(demand, _file_bytes(demand, figures))
    count.reduce(tasks, demand.rows * each)
    add.map(tasks, 0.0)
    add.reduce(tasks, demand.rows * figures["explore.row.merge.seconds"])
    shuffled = demand.rows * figures[f"explore.row.{demand.form}"]
    return stage_of("explore", count, add, shuffled=shuffled)


def annotate(demand: Demand, figures: Figures) -> StageEstimate:
    """Estimate the join: feature records (a task a file) and rows meet in reducers."""
    job, images, rows = Job(demand, figures), demand.images, demand.rows
    features = images * feature_bytes(demand, figures, "raw")
    tasks = _file_maps(demand, figures) + reducers(demand, features)
    each = figures["annotate.map.seconds"], figures["annotate.row.map.seconds"]
    job.map(tasks, images * each[0] + rows * each[1])
    each = figures["annotate.reduce.seconds"], figures["annotate.row.reduce.seconds"]
    work = images * each[0] + rows * each[1] + (images + rows) * figures["sort.seconds"]
    job.reduce(reducers(demand, features + _file_bytes(demand, figures)), work)
    shuffled = images * feature_bytes(demand, figures, demand.form)
    shuffled += rows * figures[f"annotate.row.{demand.form}"]
    return stage_of(
        "annotate", job, shuffled=shuffled, stored=images * joined_bytes(demand, figures)
    )


def fit(demand: Demand, figures: Figures) -> StageEstimate:
    """Estimate three jobs over the joined records: find examples, fit, calibrate."""
    split, solve, calibrate = (Job(demand, figures) for _ in range(3))
    images, maps = demand.images, text_maps(demand, demand.images * joined_bytes(demand, figures))
    split.map(maps, images * figures["split.map.seconds"])
    each = figures["split.reduce.seconds"] + figures["sort.seconds"]
    tasks = reducers(demand, images * figures["split.shuffle.raw"])
    split.reduce(tasks, images * each)
    work = images * _by_width(demand, figures, "fit.map.seconds", 2)
    solve.map(maps, work + maps * _by_width(demand, figures, "fit.emit.seconds", 2))
    work = maps * _by_width(demand, figures, "fit.add.seconds", 2)
    solve.reduce(1, work + _by_width(demand, figures, "fit.solve.seconds", 3))
    calibrate.map(maps, images * figures["calibrate.map.seconds"])
    calibrate.reduce(1, 0.0)
    shuffled = images * figures[f"split.shuffle.{demand.form}"]
    shuffled += maps * _by_width(demand, figures, "fit.emit.bytes", 2)
    return stage_of("fit", split, solve, calibrate, shuffled=shuffled)


def _by_width(demand: Demand, figures: Figures, name: str, power: int) -> float:
    """A line in a power of the embedding's length, through the two that were measured."""
    points = [(size[0] ** power, figures[f"{name}.{size[0]}"]) for size in (WIDEST, NARROWEST)]
    return between(demand.alpha**power, *points)
