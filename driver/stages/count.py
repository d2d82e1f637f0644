"""The stage count: labels, hits and misses, summed."""

from __future__ import annotations

from typing import Any

from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome, Stage
from mapsight.results.predictions import records_of

__all__ = ["STAGE", "read_counts"]

JOB = Job("mr_jobs.count_labels")


def perform(run: Pipeline, folder: str) -> Outcome:
    """Sums labels, hits and misses."""
    return Outcome(run.job(JOB, run.workspace.parts("classify"), [], ("count", folder)))


def read_counts(
    run: Pipeline,
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], list[Any]]]:
    """(counts by key, rows by key: sample and examples) that the count stage left.

    Memory: bounded by labels², not pictures.
    """
    counts: dict[tuple[str, ...], int] = {}
    rows: dict[tuple[str, ...], list[Any]] = {}
    for key, value in records_of(run.workspace.parts("count")):
        if isinstance(value, list):
            rows[tuple(key)] = value
        else:
            counts[tuple(key)] = value
    return counts, rows


STAGE = Stage(
    __name__,
    perform,
    needs=("classify",),
    jobs=(JOB,),
)
