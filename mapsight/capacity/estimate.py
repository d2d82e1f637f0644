"""What a run will take, from what a record was measured to take. Nothing is run.

Jobs follow one another. What the driver does alone waits for nobody and nobody works
beside it: the cluster is paid for meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsight.capacity.index_stages import (
    SEARCHES,
    cluster,
    has_index,
    index,
    recall,
    search,
    vectors,
)
from mapsight.capacity.job_costs import (
    Demand,
    Figures,
    Job,
    StageEstimate,
    feature_bytes,
    model_seconds,
    picture_maps,
    reducers,
    rest_seconds,
    stage_of,
    text_maps,
)
from mapsight.capacity.metadata_stages import annotate, explore, fit, joined_bytes, with_head
from mapsight.results.table_parts import ONE_FILE_ROWS

__all__ = ["Estimate", "estimate"]

LINES_PER_PICTURE = 3
"""A prediction, and a rank within its label and over all."""


@dataclass(frozen=True)
class Estimate:
    """All stages; `start_seconds` is until the cluster is there; `searches` come after."""

    demand: Demand
    stages: tuple[StageEstimate, ...]
    searches: tuple[StageEstimate, ...] = ()
    start_seconds: float = 0.0
    total: StageEstimate = field(init=False)

    def __post_init__(self) -> None:
        names = ("maps", "reduces", "core_seconds", "seconds", "shuffled", "stored")
        sums = {name: sum(getattr(stage, name) for stage in self.stages) for name in names}
        sums["seconds"] += self.start_seconds
        object.__setattr__(self, "total", StageEstimate("total", **sums))

    def cost(self, price: float) -> float:
        """Return the cost of all cores from start to end, at a price for a core and hour."""
        return price * self.demand.cores * self.total.seconds / 3600


def estimate(demand: Demand, figures: Figures) -> Estimate:
    """Estimate what a whole run takes, without fetching.

    With metadata a head is fitted, and pictures are labelled by it; without they choose their
    labels.

    Raises:
        KeyError: a figure is missing.
    """
    stages = [_plan(demand, figures)]
    if demand.loose:
        stages.append(_ingest(demand, figures))
    stages.append(_extract(demand, figures))
    read = feature_bytes(demand, figures, demand.form)
    if demand.rows:
        read = joined_bytes(demand, figures)
        figures = with_head(figures)
        stages += [stage(demand, figures) for stage in (explore, annotate, fit)]
    stages += [
        _classify(demand, figures, read),
        *_index(demand, figures, read),
        _count(demand, figures),
        _rank(demand, figures),
        _merge(demand, figures),
    ]
    start = figures["emr.start.seconds"] if demand.runner == "emr" else 0.0
    searches = [search(demand, figures, n) for n in SEARCHES] if has_index(demand) else []
    return Estimate(demand, tuple(stages), tuple(searches), start)


def _plan(demand: Demand, figures: Figures) -> StageEstimate:
    """The driver lists loose files; of Parquet it reads a footer for thousands of pictures."""
    seconds = figures["plan.seconds"] * demand.images if demand.loose else 0.0
    return StageEstimate("plan", seconds=seconds)


def _ingest(demand: Demand, figures: Figures) -> StageEstimate:
    job = Job(demand, figures)
    job.map(picture_maps(demand), demand.images * figures["ingest.seconds"])
    stored = demand.images * (demand.picture_bytes + figures["shard.overhead"])
    return stage_of("ingest", job, stored=stored)


def _extract(demand: Demand, figures: Figures) -> StageEstimate:
    job = Job(demand, figures)
    each = model_seconds(demand, figures) + rest_seconds(demand, figures)
    job.map(picture_maps(demand), demand.images * each)
    tasks = reducers(demand, demand.images * feature_bytes(demand, figures, "raw"))
    each = figures["extract.reduce.seconds"] + figures["sort.seconds"]
    job.reduce(tasks, demand.images * each)
    size = demand.images * feature_bytes(demand, figures, demand.form)
    return stage_of("extract", job, shuffled=size, stored=size)


def _classify(demand: Demand, figures: Figures, read: float) -> StageEstimate:
    """Without metadata a job counts classes first, of which labels are chosen."""
    job = _sorting(demand, figures, "classify", read)
    jobs = [job] if demand.rows else [_counting(demand, figures, "classes", read), job]
    return stage_of("classify", *jobs, **_sizes(demand, figures, "classify", "predictions"))


def _rank(demand: Demand, figures: Figures) -> StageEstimate:
    """Every prediction is written twice: within its label and over all."""
    job = _sorting(demand, figures, "rank", _predictions(demand, figures), lines=2)
    return stage_of("rank", job, **_sizes(demand, figures, "rank", "ranked"))


def _counting(demand: Demand, figures: Figures, name: str, read: float) -> Job:
    """Return a job whose sums are made in the mappers: nothing of weight is left to reduce."""
    job = Job(demand, figures)
    tasks = text_maps(demand, demand.images * read)
    job.map(tasks, demand.images * figures[f"{name}.map.seconds"])
    job.reduce(1, 0.0)
    return job


def _sorting(demand: Demand, figures: Figures, name: str, read: float, lines: int = 1) -> Job:
    """Return a job with records in, sorted, records out.

    Args:
        read: bytes for a picture, as they are kept.
        lines: that are shuffled for a picture.
    """
    job, images = Job(demand, figures), demand.images
    job.map(text_maps(demand, images * read), images * figures[f"{name}.map.seconds"])
    each = figures[f"{name}.reduce.seconds"] + lines * figures["sort.seconds"]
    job.reduce(reducers(demand, images * figures[f"{name}.shuffle.raw"]), images * each)
    return job


def _sizes(demand: Demand, figures: Figures, name: str, kept: str) -> dict[str, float]:
    """Return bytes that a stage shuffles, and stores as figures named by `kept` say."""
    names = {"shuffled": f"{name}.shuffle", "stored": kept}
    return {what: demand.images * figures[f"{one}.{demand.form}"] for what, one in names.items()}


def _predictions(demand: Demand, figures: Figures) -> float:
    return figures[f"predictions.{demand.form}"]


def _index(demand: Demand, figures: Figures, read: float) -> list[StageEstimate]:
    """Cells and the index, where there are pictures enough for them."""
    if not has_index(demand):
        return []
    rows = vectors(demand, figures, read)
    files = rows.maps
    return [
        rows,
        cluster(demand, figures, files),
        index(demand, figures, files),
        recall(demand, figures),
    ]


def _count(demand: Demand, figures: Figures) -> StageEstimate:
    return stage_of("count", _counting(demand, figures, "count", _predictions(demand, figures)))


def _merge(demand: Demand, figures: Figures) -> StageEstimate:
    """The driver writes the result tables as a stream, on one core; large ones a job in parts."""
    images, stored = demand.images, demand.images * figures["results.bytes"]
    if images <= ONE_FILE_ROWS:
        return StageEstimate("merge", seconds=figures["merge.seconds"] * images, stored=stored)
    job, tables = Job(demand, figures), ("predictions", "ranking")
    read = _predictions(demand, figures) + figures[f"ranked.{demand.form}"]
    each = sum(figures[f"parts.{table}.map.seconds"] for table in tables)
    job.map(text_maps(demand, images * read), images * each)
    each = sum(figures[f"parts.{table}.reduce.seconds"] for table in tables)
    tasks = reducers(demand, images * figures["parts.shuffle.raw"])
    job.reduce(tasks, images * (each + LINES_PER_PICTURE * figures["sort.seconds"]))
    shuffled = images * figures[f"parts.shuffle.{demand.form}"]
    return stage_of("merge", job, shuffled=shuffled, stored=stored)
