"""What a run will take, from what a record was measured to take. Nothing is run.

Tasks of a phase are alike, so a phase of T tasks on C cores takes ⌈T / C⌉ times as
long as one task. Jobs follow one another. What the driver does alone waits for nobody
and nobody works beside it: the cluster is paid for meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mapsight.plan import PER_PICTURE, SPLIT_BYTES

__all__ = ["Demand", "Estimate", "StageEstimate", "estimate", "multiply_adds"]

REDUCER_BYTES = 128 << 20
MOST_REDUCERS = 500
TEXT_BYTES = 128 << 20  # of a map task that reads records, as mrjob.conf has it
CLUSTER_TASKS = 16
PICTURES_PER_TASK = 50  # fewer are not worth a task
WIDEST, NARROWEST = (1.0, 224), (0.25, 128)
BLOCKS = (
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512),) * 5,
    *((2, 1024), (1, 1024)),
)
"""(stride, channels out) of MobileNet's separable convolutions: Howard et al. 2017, table 1."""

Figures = Mapping[str, float]
"""Measured values by name, in seconds of one core or bytes, for a picture unless it says more."""


@dataclass(frozen=True)
class Demand:
    """What is to be done, and on what.

    `cores` is how many tasks run at once; `picture_bytes` the mean size of an
    encoded picture; `loose`: the pictures are files of their own, which are packed
    first; else they are in Parquet.
    """

    runner: str
    images: int
    cores: int
    picture_bytes: float
    alpha: float = 1.0
    resolution: int = 224
    precision: str = "float32"
    loose: bool = True

    @property
    def on_cluster(self) -> bool:
        """Whether it runs on Hadoop, where what is shuffled and kept is compressed."""
        return self.runner in ("hadoop", "emr")


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


@dataclass(frozen=True)
class Estimate:
    """All stages; `start_seconds` is until the cluster is there."""

    demand: Demand
    stages: tuple[StageEstimate, ...]
    start_seconds: float = 0.0
    total: StageEstimate = field(init=False)

    def __post_init__(self) -> None:
        names = ("maps", "reduces", "core_seconds", "seconds", "shuffled", "stored")
        sums = {name: sum(getattr(stage, name) for stage in self.stages) for name in names}
        sums["seconds"] += self.start_seconds
        object.__setattr__(self, "total", StageEstimate("total", **sums))

    def cost(self, price: float) -> float:
        """For all cores from start to end, at a price for a core and hour."""
        return price * self.demand.cores * self.total.seconds / 3600


def multiply_adds(alpha: float, resolution: int) -> int:
    """Multiply-adds of MobileNet v1 for a picture, without batch norm and biases.

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


def _line(x: float, one: tuple[float, float], two: tuple[float, float]) -> float:
    """The value at x of the line through two points, never below 0."""
    slope = (two[1] - one[1]) / (two[0] - one[0])
    return max(one[1] + slope * (x - one[0]), 0.0)


def model_seconds(demand: Demand, figures: Figures) -> float:
    """Of the model for a picture: a line in multiply-adds through two measured sizes."""
    points = [
        (multiply_adds(*size), figures[f"model.{size[0]}/{size[1]}.{demand.precision}.seconds"])
        for size in (WIDEST, NARROWEST)
    ]
    return _line(multiply_adds(demand.alpha, demand.resolution), *points)


def rest_seconds(demand: Demand, figures: Figures) -> float:
    """Of extract without the model: a line in bytes through two measured sizes."""
    points = [
        (figures[f"extract.{size}.bytes"], figures[f"extract.{size}.seconds"])
        for size in ("small", "large")
    ]
    return _line(demand.picture_bytes, *points)


def feature_bytes(demand: Demand, figures: Figures, form: str) -> float:
    """Of a feature record, `raw` or `gzip`: a line in the embedding's length."""
    points = [(size[0], figures[f"features.{size[0]}.{form}"]) for size in (WIDEST, NARROWEST)]
    return _line(demand.alpha, *points)


def _splits(demand: Demand) -> int:
    """Map tasks that read pictures: `plan.make_plan` cuts by bytes."""
    weight = demand.images * (demand.picture_bytes + PER_PICTURE)
    least = CLUSTER_TASKS if demand.on_cluster else 2 * demand.cores
    some = min(least, math.ceil(demand.images / PICTURES_PER_TASK))
    return max(math.ceil(weight / SPLIT_BYTES), some, 1)


def _reducers(demand: Demand, raw: float) -> int:
    if not demand.on_cluster:
        return demand.cores
    return min(max(math.ceil(demand.images * raw / REDUCER_BYTES), 1), MOST_REDUCERS)


class _Job:
    """Adds up a job: phases of like tasks, one after the other."""

    def __init__(self, demand: Demand, figures: Figures) -> None:
        self._demand, self._figures = demand, figures
        where = "hadoop" if demand.on_cluster else "local"
        self.seconds = figures[f"{where}.job.seconds"]
        self._task = figures["task.start.seconds"] + figures[f"{where}.task.seconds"]
        self.core_seconds = 0.0

    def phase(self, tasks: int, each: float) -> int:
        """`each` is for a picture, in seconds; the number of tasks."""
        task = self._task + self._demand.images * each / tasks
        self.core_seconds += tasks * task
        self.seconds += math.ceil(tasks / self._demand.cores) * task
        return tasks


def estimate(demand: Demand, figures: Figures) -> Estimate:
    """What a whole run takes, without fetching and without metadata.

    Raises:
        KeyError: a figure is missing.
    """
    stages = [_plan(demand, figures)]
    if demand.loose:
        stages.append(_ingest(demand, figures))
    stages += [
        _extract(demand, figures),
        _text(demand, figures, "classify", feature_bytes(demand, figures, _form(demand))),
        _count(demand, figures),
        _text(demand, figures, "rank", figures[f"predictions.{_form(demand)}"]),
        _merge(demand, figures),
    ]
    start = figures["emr.start.seconds"] if demand.runner == "emr" else 0.0
    return Estimate(demand, tuple(stages), start)


def _form(demand: Demand) -> str:
    return "gzip" if demand.on_cluster else "raw"


def _plan(demand: Demand, figures: Figures) -> StageEstimate:
    """The driver lists loose files; of Parquet it reads a footer for thousands of pictures."""
    seconds = figures["plan.seconds"] * demand.images if demand.loose else 0.0
    return StageEstimate("plan", seconds=seconds)


def _ingest(demand: Demand, figures: Figures) -> StageEstimate:
    job = _Job(demand, figures)
    maps = job.phase(_splits(demand), figures["ingest.seconds"])
    stored = demand.images * (demand.picture_bytes + figures["shard.overhead"])
    return StageEstimate("ingest", maps, 0, job.core_seconds, job.seconds, stored=stored)


def _extract(demand: Demand, figures: Figures) -> StageEstimate:
    job = _Job(demand, figures)
    each = model_seconds(demand, figures) + rest_seconds(demand, figures)
    maps = job.phase(_splits(demand), each)
    reducers = _reducers(demand, feature_bytes(demand, figures, "raw"))
    reduces = job.phase(reducers, figures["extract.reduce.seconds"] + figures["sort.seconds"])
    size = demand.images * feature_bytes(demand, figures, _form(demand))
    return StageEstimate("extract", maps, reduces, job.core_seconds, job.seconds, size, size)


def _text_maps(demand: Demand, each: float) -> int:
    """Map tasks that read records of `each` bytes a picture."""
    tasks = math.ceil(demand.images * each / TEXT_BYTES)
    return max(tasks, 1) if demand.on_cluster else max(tasks, demand.cores)


def _text(demand: Demand, figures: Figures, name: str, read: float) -> StageEstimate:
    """classify or rank: records in, sorted, records out; rank has two lines a picture."""
    lines, kept = {"classify": (1, "predictions"), "rank": (2, "ranked")}[name]
    job, form = _Job(demand, figures), _form(demand)
    maps = job.phase(_text_maps(demand, read), figures[f"{name}.map.seconds"])
    each = figures[f"{name}.reduce.seconds"] + lines * figures["sort.seconds"]
    reduces = job.phase(_reducers(demand, figures[f"{name}.shuffle.raw"]), each)
    shuffled = demand.images * figures[f"{name}.shuffle.{form}"]
    stored = demand.images * figures[f"{kept}.{form}"]
    return StageEstimate(name, maps, reduces, job.core_seconds, job.seconds, shuffled, stored)


def _count(demand: Demand, figures: Figures) -> StageEstimate:
    """Sums are made in the mappers; nothing of weight is left for one reducer."""
    job = _Job(demand, figures)
    read = figures[f"predictions.{_form(demand)}"]
    maps = job.phase(_text_maps(demand, read), figures["count.map.seconds"])
    reduces = job.phase(1, 0.0)
    return StageEstimate("count", maps, reduces, job.core_seconds, job.seconds)


def _merge(demand: Demand, figures: Figures) -> StageEstimate:
    """The driver writes the result tables as a stream, on one core."""
    seconds = figures["merge.seconds"] * demand.images
    return StageEstimate("merge", seconds=seconds, stored=demand.images * figures["results.bytes"])
