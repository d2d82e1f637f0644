"""Choosing pictures that are least alike, by a job over the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import pyarrow as pa

from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.stages.recall import removed_arguments
from mapsight.choose.candidates import write_candidates
from mapsight.choose.choice import Spread
from mapsight.choose.cores import CORE, SpreadPlan
from mapsight.choose.here import blocks_with, plain_d
from mapsight.index.collection import require_index
from mapsight.results.predictions import records_of
from mapsight.search.probe_plan import probe_lines
from mapsight.search.search_index import SearchIndex

__all__ = ["spread_by_job"]

JOB = Job("mr_jobs.choose_images")
CANDIDATES = "candidates.arrow"
ROW_BYTES = 60


def spread_by_job(running: Callable[[], Pipeline], seed: int) -> Spread:
    """Return what chooses as `mapsight.choose.here.spread_here` does, by map-reduce.

    Args:
        running: gives the run, which begins when pictures are chosen.
    """

    def spread(
        candidates: pa.Table, quotas: Sequence[int], sizes: Sequence[int]
    ) -> Mapping[int, Sequence[str]]:
        run = running()
        require_index(run.workspace)
        index = SearchIndex(run.workspace, run.scratch)
        plan = SpreadPlan(quotas, sizes, plain_d(index), seed)
        path = run.scratch / CANDIDATES
        write_candidates(candidates, str(path))
        arguments = ["--plan", run.side_file("plan.json", json.dumps(asdict(plan)))]
        arguments += ["--candidates", str(path), *removed_arguments(index.removed)]
        blocks = blocks_with(index, candidates)
        lines = list(probe_lines(blocks, dict.fromkeys((one.cell for one in blocks), (0,))))
        size = sum(min(n, CORE) for n in sizes) * (ROW_BYTES + 3 * plan.d)
        output = run.collect(JOB, run.manifest(lines), arguments, size)
        return {int(group): ids for group, ids in records_of(output)}

    return spread
