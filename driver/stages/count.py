"""The stage count: labels, hits and misses, summed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

JOB = Job("mr_jobs.count_labels")


def perform(run: Pipeline, folder: str) -> Outcome:
    """Sums labels, hits and misses."""
    return Outcome(run.job(JOB, run.workspace.parts("classify"), [], ("count", folder)))


STAGE = Stage(
    __name__,
    perform,
    needs=("classify",),
    jobs=(JOB,),
)
