"""Running the job that probes cells of the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from mapsight.index.removed_ids import IdList
from mapsight.results.predictions import merged_records
from mapsight.search.probe_plan import blocks_of, probe_lines, queries_by_cell
from mapsight.search.queries import ProbeQuery, write_queries
from mapsight.search.search_index import SearchIndex

__all__ = ["at_once", "probe_cells", "removed_arguments"]

JOB = Job("mr_jobs.probe_index")
CANDIDATE_BYTES = 700
JOB_BYTES = 256 << 20
"""Of candidates that a task of one job holds: 10 of 38,000 queries, or 40 with vectors of 1,700."""
TASKS_A_QUERY = 8
T = TypeVar("T")
QUERIES = "queries.arrow"


def removed_arguments(removed: IdList) -> list[str]:
    """Options of a job that hides what was removed."""
    return ["--removed", removed.path] if removed.path else []


def candidates_bytes(query: ProbeQuery, d: int) -> int:
    """About how many bytes a query's candidates take, with their vectors if these are needed."""
    return query.candidates * (CANDIDATE_BYTES + (3 * d if query.rank_by == "diverse" else 0))


def at_once(items: Sequence[T], query: ProbeQuery, d: int) -> Iterator[Sequence[T]]:
    """Shares of queries like this one, so small that a task can hold their candidates."""
    most = max(1, JOB_BYTES // candidates_bytes(query, d))
    for first in range(0, len(items), most):
        yield items[first : first + most]


def probe_cells(
    run: Pipeline,
    index: SearchIndex,
    vectors: np.ndarray,
    queries: Sequence[ProbeQuery],
    cells: Sequence[np.ndarray],
    d: int,
) -> Iterator[tuple[int, list[Any]]]:
    """Run all queries as one job, each over its cells; (number, answers) by number.

    Args:
        vectors: (n, d) int16.
        d: how many numbers of vectors count.
    """
    wants = queries_by_cell(cells)
    if not wants:
        return
    path = run.scratch / QUERIES
    write_queries(path, vectors, queries)
    blocks = blocks_of(index.blocks, wants)
    lines = list(probe_lines(blocks, wants))
    arguments = ["--queries", str(path), *removed_arguments(index.removed)]
    if d < index.facts["d"]:
        arguments += ["--plain-d", str(d)]
    size = sum(candidates_bytes(query, d) for query in queries)
    size *= min(len(lines), TASKS_A_QUERY)
    output = run.collect(JOB, run.manifest(lines), arguments, size)
    for number, answers in merged_records(output):
        yield int(number), answers
