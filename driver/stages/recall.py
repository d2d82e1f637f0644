"""The stage recall: what the index loses against exact search, and how many cells that takes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from mapsight.search.choices import READ_LIMIT

if TYPE_CHECKING:
    import numpy as np

    from driver.pipeline.pipeline import Pipeline
    from mapsight.index.removed_ids import IdList
    from mapsight.search.queries import ProbeQuery
    from mapsight.search.search_index import SearchIndex

__all__ = [
    "RECALL",
    "STAGE",
    "exact_answers",
    "is_small",
    "probe_cells",
    "removed_arguments",
    "sample_rows",
    "score_cells",
]

JOB = Job("mr_jobs.probe_index")
TASKS_A_QUERY = 8
COMPARED = 64
"""At READ_LIMIT some 7 million comparisons, 3 to 4 s of one core."""
RECALL, QUERIES_FILE = "recall.csv", "queries.arrow"
QUERIES = 200


def identity(run: Pipeline) -> dict[str, Any]:
    """How many queries, and how deep."""
    from mapsight.search.recall import DEPTHS

    return {"queries": QUERIES, "depths": DEPTHS}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Writes recall.csv from an exact search of the base for a sample; nothing without an index."""
    from mapsight.results.predictions import write_csv
    from mapsight.search.recall import COLUMNS, Recall, probes_for
    from mapsight.search.search_index import SearchIndex

    if not run.documents["index"]["parts"]:
        return Outcome(notes={"digest": "nothing", "table": []})
    index = SearchIndex(run.workspace, whole=False)
    sample = sample_rows(index, QUERIES)
    probes = probes_for(len(index.centres))
    rows: list[dict[str, Any]] = []
    for name, d in index.features().items():
        measured = Recall(index.cells.rows, probes)
        for _, ranked, answers in exact_answers(run, index, sample, d):
            measured.add(ranked, [fields["cell"] for *_, fields in answers])
        rows += [{"features": name, **row} for row in measured.rows()]
    target = run.local_folder("recall", folder)
    write_csv(target / RECALL, ("features", *COLUMNS), rows)
    run.store(target, "recall", folder)
    return Outcome(notes={"table": rows})


def sample_rows(index: SearchIndex, n: int) -> list[dict[str, Any]]:
    """The rows of the n pictures that come first in a sample by hash, in that order."""
    from mapsight.index.rows import order_of

    ids = heapq.nsmallest(n, index.first_ids(n), key=lambda one: (order_of(one), one))
    rows = index.rows_of(ids)
    return [rows[image_id] for image_id in ids]


def exact_answers(
    run: Pipeline, index: SearchIndex, sample: Sequence[dict[str, Any]], d: int
) -> Iterator[tuple[dict[str, Any], np.ndarray, list[Any]]]:
    """(row, all cells from the nearest on, best answers in all cells) of each row of a sample.

    The picture itself is left out. Memory: the sample, and answers of a share of it.
    """
    import numpy as np

    from mapsight.search.queries import ProbeQuery, at_once
    from mapsight.search.recall import DEPTHS

    sizes = [ProbeQuery(max(DEPTHS)).bytes_for(d)] * len(sample)
    for some in at_once(sample, sizes):
        vectors = np.stack([row["vector"] for row in some])
        queries = [ProbeQuery(max(DEPTHS), exclude_ids=(row["image_id"],)) for row in some]
        everything = [np.flatnonzero(index.cells.rows)] * len(some)
        found = dict(score_cells(run, index, vectors, queries, everything, d))
        for number, ranked in enumerate(index.in_order(vectors, d)):
            yield some[number], ranked, found.get(number, [])


def removed_arguments(removed: IdList) -> list[str]:
    """Options of a job that hides what was removed."""
    return ["--removed", removed.path] if removed.path else []


def score_cells(
    run: Pipeline,
    index: SearchIndex,
    vectors: np.ndarray,
    queries: Sequence[ProbeQuery],
    cells: Sequence[np.ndarray],
    d: int,
    *,
    most: int = READ_LIMIT << 20,
) -> Iterable[tuple[int, list[Any]]]:
    """Score cells in this process where `is_small` says, else by a job; the same either way.

    Args:
        most: bytes to be read in this process.
    """
    from mapsight.search.by_index import probe_here

    if is_small(index, cells, most):
        return probe_here(index, vectors, queries, cells, d)
    return probe_cells(run, index, vectors, queries, cells, d)


def is_small(index: SearchIndex, cells: Sequence[np.ndarray], most: int) -> bool:
    """Return whether the cells that queries want have at most so many bytes.

    Those of each query count too: of all queries together they may be COMPARED times as many.
    """
    import numpy as np

    every = np.concatenate(cells)
    compared = int(index.cell_bytes[every].sum())
    return index.bytes_of(every) <= most and compared <= COMPARED * most


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
    from mapsight.results.predictions import merged_records
    from mapsight.search.probe_plan import blocks_of, probe_lines, queries_by_cell
    from mapsight.search.queries import write_queries

    wants = queries_by_cell(cells)
    if not wants:
        return
    path = run.scratch / QUERIES_FILE
    write_queries(path, vectors, queries)
    blocks = blocks_of(index.blocks, wants)
    lines = list(probe_lines(blocks, wants))
    arguments = ["--queries", str(path), *removed_arguments(index.removed)]
    if d < index.facts.d:
        arguments += ["--plain-d", str(d)]
    size = sum(query.bytes_for(d) for query in queries)
    size *= min(len(lines), TASKS_A_QUERY)
    output = run.collect(JOB, run.manifest(lines), arguments, size)
    for number, answers in merged_records(output):
        yield int(number), answers


STAGE = Stage(
    __name__,
    perform,
    needs=("index",),
    jobs=(JOB,),
    identity=identity,
)
