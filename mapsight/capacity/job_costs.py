"""What tasks of a job take: how many there are, and what a record costs each of them.

Tasks of a phase are alike, so a phase of T tasks on C cores takes ⌈T / C⌉ times as
long as one task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mapsight.features.speed import BLOCKS
from mapsight.inputs.splits import (
    MOST_SPLITS,
    PER_PICTURE,
    PICTURES_PER_CONTAINER,
    PICTURES_PER_TASK,
    SPLIT_BYTES,
)

__all__ = [
    "NARROWEST",
    "WIDEST",
    "Demand",
    "Figures",
    "Job",
    "StageEstimate",
    "between",
    "feature_bytes",
    "model_seconds",
    "multiply_adds",
    "picture_maps",
    "reducers",
    "rest_seconds",
    "stage_of",
    "text_maps",
]

REDUCER_BYTES = 128 << 20
MOST_REDUCERS = 500
TEXT_BYTES = 128 << 20  # of a map task that reads records, as mrjob.conf has it
WIDEST, NARROWEST = (1.0, 224), (0.25, 128)
Figures = Mapping[str, float]
"""Measured values by name, in seconds of one core or bytes, for a picture unless it says more."""


@dataclass(frozen=True)
class Demand:
    """What is to be done, and on what.

    `cores` is how many tasks run at once; `picture_bytes` the mean size of an
    encoded picture; `loose`: the pictures are files of their own, which are packed
    first; else they are in Parquet. `rows` of metadata go with them, of labels, boxes
    and image lists together; 0 is without metadata.
    """

    runner: str
    images: int
    cores: int
    picture_bytes: float
    alpha: float = 1.0
    resolution: int = 224
    precision: str = "float32"
    loose: bool = True
    rows: int = 0

    @property
    def on_cluster(self) -> bool:
        """Return whether it runs on Hadoop, where what is shuffled and kept is compressed."""
        return self.runner in ("hadoop", "emr")

    @property
    def form(self) -> str:
        """Return in which form records are shuffled and kept: a part of the names of figures."""
        return "gzip" if self.on_cluster else "raw"


@dataclass(frozen=True)
class StageEstimate:
    """A stage: tasks, seconds of cores, seconds on the clock, bytes."""

    name: str
    maps: int = 0
    reduces: int = 0
    core_seconds: float = 0.0
    seconds: float = 0.0
    shuffled: float = 0.0
    stored: float = 0.0


def multiply_adds(alpha: float, resolution: int) -> int:
    """Return multiply-adds of MobileNet v1 for a picture, without batch norm and biases.

    Args:
        alpha: width multiplier; channels are int(alpha · channels).
        resolution: side of the input in pixels, a multiple of 32.
    """
    side, channels = resolution // 2, int(32 * alpha)
    total = 9 * 3 * channels * side**2
    for stride, wide in BLOCKS:
        side, out = side // stride, int(wide * alpha)
        total += (9 + out) * channels * side**2
        channels = out
    return total + channels * 1000


def between(x: float, one: tuple[float, float], two: tuple[float, float]) -> float:
    """Return the value at x of the line through two points, never below 0."""
    slope = (two[1] - one[1]) / (two[0] - one[0])
    return max(one[1] + slope * (x - one[0]), 0.0)


def model_seconds(demand: Demand, figures: Figures) -> float:
    """Return the model's seconds a picture: a line in multiply-adds through two measured sizes."""
    points = [
        (multiply_adds(*size), figures[f"model.{size[0]}/{size[1]}.{demand.precision}.seconds"])
        for size in (WIDEST, NARROWEST)
    ]
    return between(multiply_adds(demand.alpha, demand.resolution), *points)


def rest_seconds(demand: Demand, figures: Figures) -> float:
    """Return seconds of extract without the model: a line in bytes through two measured sizes."""
    points = [
        (figures[f"extract.{size}.bytes"], figures[f"extract.{size}.seconds"])
        for size in ("small", "large")
    ]
    return between(demand.picture_bytes, *points)


def feature_bytes(demand: Demand, figures: Figures, form: str) -> float:
    """Return the size of a feature record, `raw` or `gzip`: a line in the embedding's length."""
    points = [(size[0], figures[f"features.{size[0]}.{form}"]) for size in (WIDEST, NARROWEST)]
    return between(demand.alpha, *points)


def picture_maps(demand: Demand) -> int:
    """Map tasks that read pictures: `plan.make_plan` cuts by bytes."""
    weight = demand.images * (demand.picture_bytes + PER_PICTURE)
    least = PICTURES_PER_CONTAINER if demand.on_cluster else PICTURES_PER_TASK
    some = min(demand.cores, math.ceil(demand.images / least))
    return max(min(math.ceil(weight / SPLIT_BYTES), MOST_SPLITS), some, 1)


def reducers(demand: Demand, size: float) -> int:
    """Reduce tasks for so many bytes, not compressed."""
    if not demand.on_cluster:
        return demand.cores
    return min(max(math.ceil(size / REDUCER_BYTES), 1), MOST_REDUCERS)


def text_maps(demand: Demand, size: float) -> int:
    """Map tasks that read so many bytes of records, as they are kept."""
    tasks = math.ceil(size / TEXT_BYTES)
    return max(tasks, 1) if demand.on_cluster else max(tasks, demand.cores)


class Job:
    """Adds up a job: phases of like tasks, one after the other."""

    def __init__(self, demand: Demand, figures: Figures) -> None:
        self._cores = demand.cores
        where = "hadoop" if demand.on_cluster else "local"
        self.seconds = figures[f"{where}.job.seconds"]
        self._task = figures["task.start.seconds"] + figures[f"{where}.task.seconds"]
        self.core_seconds = 0.0
        self.maps = self.reduces = 0

    def map(self, tasks: int, work: float) -> int:
        """Add a phase of so many map tasks that share `work` seconds; their number."""
        self.maps += tasks
        return self._phase(tasks, work)

    def reduce(self, tasks: int, work: float) -> int:
        """Return the same of reduce tasks."""
        self.reduces += tasks
        return self._phase(tasks, work)

    def _phase(self, tasks: int, work: float) -> int:
        task = self._task + work / tasks
        self.core_seconds += tasks * task
        self.seconds += math.ceil(tasks / self._cores) * task
        return tasks


def stage_of(name: str, *jobs: Job, shuffled: float = 0.0, stored: float = 0.0) -> StageEstimate:
    """Return a stage whose jobs follow one another."""
    names = ("maps", "reduces", "core_seconds", "seconds")
    sums = {key: sum(getattr(job, key) for job in jobs) for key in names}
    return StageEstimate(name, **sums, shuffled=shuffled, stored=stored)
