"""The stage index: rows by cell in files, and tables that say where each cell is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.outputs import centres_of, manifest_of_rows, row_files
from mapsight.files import fingerprint, sha256_of

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "build"]

JOB = Job("mr_jobs.build_index")
SHOWN_CELLS = 12
"""Of the largest cells the report shows the pictures nearest the centre."""
FIELDS_BYTES = 400
TEXT_BYTES = 3500


@dataclass(frozen=True)
class Options:
    """How vectors are stored, and the number of the addition; 0 for what others are added to."""

    index_type: str
    part: int = 0


def identity(run: Pipeline) -> dict[str, Any]:
    """How vectors are stored, and what makes those of other pictures comparable."""
    model, head = run.documents["extract"]["options"]["model"], run.documents["fit"]["digest"]
    return {
        "dtype": run.options_of(Options).index_type,
        "made_with": {"model": model, "head": head},
    }


def perform(run: Pipeline, folder: str) -> Outcome:
    """Builds the index; nothing to do without cells."""
    if not run.documents["cluster"]["parts"]:
        return Outcome(notes={"digest": "nothing"})
    path = centres_of(run)
    counts = run.documents["cluster"]["notes"]["counts"]
    return build(run, folder, path, counts, with_centres=True)


def build(
    run: Pipeline, folder: str, path: Path, counts: Sequence[int], *, with_centres: bool
) -> Outcome:
    """Writes the rows of the stage vectors by cell.

    Args:
        path: of the centres.
        counts: how many pictures each cell may be expected to have; nothing for equally many.
        with_centres: keep them beside the rows.
    """
    import numpy as np

    from mapsight.index.build import plan_files
    from mapsight.index.layout import CENTRES, IDS_PER_FILE
    from mapsight.results.predictions import records_of

    rows = run.documents["vectors"]["notes"]["rows"]
    dtype, plain_d = run.options_of(Options).index_type, _plain_d(run)
    centres = np.load(path, allow_pickle=False)
    counts = counts or [1] * len(centres)
    width = centres.shape[1] * (1 if dtype == "int8" else 2)
    plan = {
        "files": plan_files(counts, rows, width + FIELDS_BYTES),
        "buckets": -(-rows // IDS_PER_FILE),
        "plain_d": plain_d,
        "dtype": dtype,
    }
    arguments = ["--plan", run.side_file("index_plan.json", json.dumps(plan))]
    arguments += ["--centres", str(path), "--index", run.workspace.uri("index", folder)]
    output = run.collect(JOB, manifest_of_rows(run), arguments, TEXT_BYTES * rows)
    told: dict[str, list[Any]] = {"block": [], "cell": [], "ids": []}
    for kind, value in records_of(output):
        told[kind].append(value)
    blocks, cells, ids = told.values()
    found = sum(cell["rows"] for cell in cells)
    require(found == rows, f"index: {found} of {rows} pictures were indexed; run again")
    blocks.sort(key=lambda block: (block[0], block[2]))
    cells.sort(key=lambda cell: cell["cell"])
    ids.sort(key=lambda one: one["bucket"])
    files = {block[1] for block in blocks} | {one["file"] for one in ids}
    run.workspace.keep_only(("index", folder), files)
    facts = {
        **{name: plan[name] for name in ("plain_d", "dtype", "buckets")},
        "d": centres.shape[1],
        "cells": len(centres),
        "rows": rows,
        "ids": [one["file"] for one in ids],
    }
    if with_centres:
        shutil.copyfile(path, run.local_folder("index", folder) / CENTRES)
    held: dict[str, Any] = {**facts, "part": run.options_of(Options).part}
    digest = _digest(blocks, cells, ids, sha256_of(path), held)
    _write(run, folder, blocks, cells, facts)
    return Outcome(notes={**facts, "digest": digest})


def _digest(
    blocks: list[list[Any]],
    cells: list[dict[str, Any]],
    ids: list[dict[str, Any]],
    centres: str,
    facts: dict[str, Any],
) -> str:
    """Return what the index holds, whatever its files are called: each attempt's have other names.

    Additions belong to an index of this digest. Two of them that hold the same are not one, for
    what is hidden is counted by digest: `facts` have the number of the part.
    """
    held = [[cell, *rest] for cell, _, *rest in blocks]
    named = [{**one, "file": None} for one in ids]
    return fingerprint([held, cells, named, centres, {**facts, "ids": len(ids)}])


def _plain_d(run: Pipeline) -> int:
    """Length of the embedding alone, as the rows say."""
    from mapsight.index.rows import read_batches

    schema = next(read_batches(row_files(run)[0])).schema
    return int(schema.metadata[b"plain_d"])


def _write(
    run: Pipeline,
    folder: str,
    blocks: list[list[Any]],
    cells: list[dict[str, Any]],
    facts: dict[str, Any],
) -> None:
    """Write what is beside the rows. Memory: some hundred bytes a block of 2,048 rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mapsight.index.layout import BLOCK_SCHEMA, BLOCKS, CELL_SCHEMA, CELLS, FACTS, NEAREST

    target = run.local_folder("index", folder)
    columns = zip(*blocks, strict=True)
    pq.write_table(pa.table(list(map(list, columns)), schema=BLOCK_SCHEMA), target / BLOCKS)
    largest = sorted(cells, key=lambda cell: (-cell["rows"], cell["cell"]))[:SHOWN_CELLS]
    nearest = {cell["cell"]: cell["nearest"] for cell in largest}
    names = ("label", "style", "rows")
    for cell in cells:
        cell["kinds"] = [dict(zip(names, kind, strict=True)) for kind in cell["kinds"]]
    pq.write_table(pa.Table.from_pylist(cells, schema=CELL_SCHEMA), target / CELLS)
    (target / NEAREST).write_text(json.dumps(nearest) + "\n", encoding="utf-8")
    (target / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    run.store(target, "index", folder)


STAGE = Stage(
    __name__,
    perform,
    needs=("vectors", "cluster"),
    jobs=(JOB,),
    identity=identity,
)
