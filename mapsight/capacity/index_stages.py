"""What the stages take that make cells and the index, and what searches by it take.

Figures are those of embeddings of WIDTH numbers. With twice the numbers, what is computed,
shuffled and kept of vectors is twice as much.
"""

from __future__ import annotations

import math

from mapsight.capacity.job_costs import (
    Demand,
    Figures,
    Job,
    StageEstimate,
    reducers,
    stage_of,
    text_maps,
)
from mapsight.index.lesson import AXES_ROWS, Lesson, cells_for
from mapsight.search.probe_plan import BATCH_BYTES

__all__ = ["PROBED", "SEARCHES", "cluster", "has_index", "index", "recall", "search", "vectors"]

WIDTH = 1024
ITERATIONS = 10
"""As many as there are at most; often fewer do."""
RECALL_QUERIES = 200
PROBED = 12
"""Cells that find .95 of the ten best: 4 to 8 of a hundred thousand pictures, 8 to 16 of a million
(docs/index.md)."""
SEARCHES = (1, 10_000)
MERGED_TASKS = 8


def has_index(demand: Demand) -> bool:
    """Return whether there are pictures to search."""
    return demand.images > 0


def _width(demand: Demand) -> float:
    return demand.alpha


def _row_bytes(demand: Demand, figures: Figures) -> float:
    return 2 * WIDTH * _width(demand) + figures["vectors.fields.bytes"]


def vectors(demand: Demand, figures: Figures, read: float) -> StageEstimate:
    """Estimate new features: a file of rows from every map task; sums of labels are reduced.

    Args:
        read: bytes of a record for a picture, as it is kept.
    """
    job, images = Job(demand, figures), demand.images
    job.map(text_maps(demand, images * read), images * figures["vectors.map.seconds"])
    job.reduce(1, 0.0)
    return stage_of("vectors", job, stored=images * _row_bytes(demand, figures))


def _lesson(demand: Demand) -> Lesson:
    d = round(WIDTH * _width(demand))
    return Lesson(demand.images, cells_for(demand.images), d, d)


def _compared(lesson: Lesson, rows: int, figures: Figures, times: int = 1) -> float:
    """Return seconds for rows that are compared with all centres, after they are projected once."""
    left = lesson.projected or lesson.d
    products = times * lesson.cells * left + lesson.d * lesson.projected
    return rows * products * figures["cluster.product.seconds"]


def cluster(demand: Demand, figures: Figures, files: int) -> StageEstimate:
    """Estimate one job where a task can hold the sample; else seeds, then a job an iteration.

    Args:
        files: of rows.
    """
    lesson = _lesson(demand)
    if not lesson.in_one_task:
        return _by_many_tasks(lesson, demand, figures, files)
    job, size = _sampling(lesson, demand, figures, files, lesson.sample)
    each = 2 * figures["cluster.row.seconds"] + figures["sort.seconds"]
    work = ITERATIONS * lesson.sample * figures["cluster.row.seconds"]
    work += _compared(lesson, lesson.sample, figures, ITERATIONS)
    job.reduce(1, lesson.sample * each + work)
    return stage_of("cluster", job, shuffled=size)


def _sampling(
    lesson: Lesson, demand: Demand, figures: Figures, files: int, rows: int
) -> tuple[Job, float]:
    """Return the job, without its reducer, of which a task gets some rows; bytes shuffled."""
    job = Job(demand, figures)
    read = demand.images * figures["cluster.read.seconds"]
    job.map(files, read + rows * figures["cluster.row.seconds"])
    return job, rows * _width(demand) * figures[f"index.shuffle.{demand.form}"]


def _by_many_tasks(lesson: Lesson, demand: Demand, figures: Figures, files: int) -> StageEstimate:
    """Estimate seeds, then ITERATIONS: all rows are read, some compared with all centres.

    A task emits the sums of the cells that it found rows for: no more than it compared.
    """
    rows = min(lesson.sample, 2 * max(lesson.cells, AXES_ROWS))
    seeds, shuffled = _sampling(lesson, demand, figures, files, rows)
    seeds.reduce(1, rows * (figures["cluster.row.seconds"] + figures["sort.seconds"]))
    sums, jobs = min(lesson.sample, files * lesson.cells), [seeds]
    numbers = sums * (lesson.projected or lesson.d)
    for _ in range(ITERATIONS):
        job = Job(demand, figures)
        work = demand.images * figures["cluster.read.seconds"]
        work += lesson.sample * figures["cluster.row.seconds"]
        work += _compared(lesson, lesson.sample, figures)
        job.map(files, work + numbers * figures["cluster.emit.seconds"])
        each = numbers / WIDTH * figures["cluster.reduce.seconds"] + sums * figures["sort.seconds"]
        job.reduce(reducers(demand, numbers * figures["cluster.sum.raw"]), each)
        jobs.append(job)
    shuffled += ITERATIONS * numbers * figures[f"cluster.sum.{demand.form}"]
    return stage_of("cluster", *jobs, shuffled=shuffled)


def index(demand: Demand, figures: Figures, files: int) -> StageEstimate:
    """Estimate the index: every row is compared with all centres, shuffled, and written."""
    job, images, wide = Job(demand, figures), demand.images, _width(demand)
    work = images * figures["index.map.seconds"] + _compared(_lesson(demand), images, figures)
    job.map(files, work)
    size = images * wide * figures["index.shuffle.raw"]
    each = figures["index.reduce.seconds"] + 2 * figures["sort.seconds"]
    job.reduce(reducers(demand, size), images * each)
    shuffled = images * wide * figures[f"index.shuffle.{demand.form}"]
    return stage_of("index", job, shuffled=shuffled, stored=images * _kept(demand, figures))


def _kept(demand: Demand, figures: Figures) -> float:
    """Bytes of a picture in the index."""
    return figures["index.bytes"] - 2 * WIDTH * (1 - _width(demand))


def recall(demand: Demand, figures: Figures) -> StageEstimate:
    """Estimate exact search for a sample; twice where there are plain and new features."""
    ways = 2 if demand.rows else 1
    jobs = [_probing(demand, figures, RECALL_QUERIES, demand.images) for _ in range(ways)]
    shuffled = sum(size for _, size in jobs)
    return stage_of("recall", *(job for job, _ in jobs), shuffled=shuffled)


def search(demand: Demand, figures: Figures, queries: int) -> StageEstimate:
    """Estimate one job for so many queries, each of PROBED cells; `stored` is what it reads."""
    images, k = demand.images, cells_for(demand.images)
    probed = min(PROBED, k)
    read = images * (1 - (1 - probed / k) ** queries)
    job, shuffled = _probing(demand, figures, queries, read, images * probed / k)
    size = read * _kept(demand, figures)
    kind = "query" if queries == 1 else "queries"
    return stage_of(f"{queries:,} {kind}", job, shuffled=shuffled, stored=size)


def _probing(
    demand: Demand, figures: Figures, queries: int, read: float, each: float | None = None
) -> tuple[Job, float]:
    """(the job, bytes shuffled) of queries that read so many rows, each comparing with `each`."""
    job, pairs = Job(demand, figures), queries * (read if each is None else each)
    tasks = max(math.ceil(read * _kept(demand, figures) / BATCH_BYTES), 1)
    work = read * figures["probe.row.seconds"]
    job.map(tasks, work + pairs * _width(demand) * figures["probe.pair.seconds"])
    told = queries * min(tasks, MERGED_TASKS)
    job.reduce(1, told * figures["probe.merge.seconds"])
    return job, told * figures["probe.answers.raw"]
