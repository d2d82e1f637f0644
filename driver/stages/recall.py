"""The stage recall: what the index loses against exact search, and how many cells that takes."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from driver.pipeline.pipeline import Outcome, Pipeline
from driver.stages.probe_job import at_once, probe_cells
from mapsight.index.rows import order_of
from mapsight.results.predictions import write_csv
from mapsight.search.queries import ProbeQuery
from mapsight.search.recall import COLUMNS, DEPTHS, Recall, probes_for
from mapsight.search.search_index import SearchIndex

__all__ = [
    "RECALL",
    "exact_answers",
    "recall",
    "recall_identity",
    "sample_rows",
]

RECALL = "recall.csv"
QUERIES = 200


def recall_identity(run: Pipeline) -> dict[str, Any]:
    """How many queries, and how deep."""
    return {"queries": QUERIES, "depths": DEPTHS}


def recall(run: Pipeline, folder: str) -> Outcome:
    """Writes recall.csv from an exact search of the base for a sample; nothing without an index."""
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
    ids = heapq.nsmallest(n, index.first_ids(n), key=lambda one: (order_of(one), one))
    rows = index.rows_of(ids)
    return [rows[image_id] for image_id in ids]


def exact_answers(
    run: Pipeline, index: SearchIndex, sample: Sequence[dict[str, Any]], d: int
) -> Iterator[tuple[dict[str, Any], np.ndarray, list[Any]]]:
    """(row, all cells from the nearest on, best answers in all cells) of each row of a sample.

    The picture itself is left out. Memory: the sample, and answers of a share of it.
    """
    for some in at_once(sample, ProbeQuery(max(DEPTHS)), d):
        vectors = np.stack([row["vector"] for row in some])
        queries = [ProbeQuery(max(DEPTHS), exclude_ids=(row["image_id"],)) for row in some]
        everything = [np.flatnonzero(index.cells.rows)] * len(some)
        found = dict(probe_cells(run, index, vectors, queries, everything, d))
        for number, ranked in enumerate(index.in_order(vectors, d)):
            yield some[number], ranked, found.get(number, [])
