"""The stage index: rows by cell in files, and tables that say where each cell is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.outputs import CellFiles, cells_made, label_sums, lengths, manifest_of_rows
from mapsight.files import fingerprint, sha256_of
from mapsight.workspace.index_facts import ClusterNotes, IndexNotes, VectorNotes
from mapsight.workspace.stage_facts import ExtractOptions

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
    model, head = ExtractOptions.of(run.documents["extract"]).model, run.documents["fit"]["digest"]
    return {
        "dtype": run.options_of(Options).index_type,
        "made_with": {"model": model, "head": head},
    }


def perform(run: Pipeline, folder: str) -> Outcome:
    """Builds the index; nothing to do without cells."""
    if not run.documents["cluster"]["parts"]:
        return Outcome(notes={"digest": "nothing"})
    counts = ClusterNotes.of(run.documents["cluster"]).counts
    from mapsight.index.oddness import kinds_of

    kinds = json.dumps(kinds_of(label_sums(run)))
    return build(run, folder, cells_made(run), counts, kinds, with_centres=True)


def build(
    run: Pipeline,
    folder: str,
    cells_at: CellFiles,
    counts: Sequence[int],
    kinds: str,
    *,
    with_centres: bool,
) -> Outcome:
    """Writes the rows of the stage vectors by cell.

    Args:
        cells_at: the files of the centres.
        counts: how many pictures each cell may be expected to have; nothing for equally many.
        kinds: JSON of what makes rows odd for their label.
        with_centres: write beside the rows what queries are compared with.
    """
    import numpy as np

    from mapsight.index.build import plan_files
    from mapsight.index.layout import IDS_PER_FILE, KINDS

    rows = VectorNotes.of(run.documents["vectors"]).rows
    dtype = run.options_of(Options).index_type
    centres = np.load(cells_at.centres, allow_pickle=False)
    buckets, (d, plain_d) = -(-rows // IDS_PER_FILE), lengths(run)
    width = d * (1 if dtype == "int8" else 2)
    plan = {
        "files": plan_files(counts or [1] * len(centres), rows, width + FIELDS_BYTES),
        "buckets": buckets,
        "d": d,
        "plain_d": plain_d,
        "dtype": dtype,
    }
    written = _written(run, folder, cells_at, plan, rows, kinds)
    run.workspace.keep_only(("index", folder), written.files())
    notes = IndexNotes(
        plain_d,
        dtype,
        buckets,
        d=d,
        cells=len(centres),
        rows=rows,
        ids=[one["file"] for one in written.ids],
        cells_d=centres.shape[1],
        odd=sum(one["odd"] for one in written.ids),
    )
    means = {cell["cell"]: cell.pop("mean") for cell in written.cells if "mean" in cell}
    if with_centres:
        target = run.local_folder("index", folder)
        _write_centres(target, cells_at, means, (len(centres), d))
        (target / KINDS).write_text(kinds + "\n", encoding="utf-8")
    digest = _digest(
        written, list(map(sha256_of, cells_at.all)), notes, run.options_of(Options).part
    )
    _write(run, folder, written, notes)
    return Outcome(notes={**asdict(notes), "digest": digest})


@dataclass(frozen=True)
class Written:
    """What the job says of its files: blocks as lists in the order of BLOCK_SCHEMA, cells, ids."""

    blocks: list[list[Any]]
    cells: list[dict[str, Any]]
    ids: list[dict[str, Any]]

    def files(self) -> set[str]:
        """Return the names of the files that count; others are of attempts that failed."""
        return {block[1] for block in self.blocks} | {one["file"] for one in self.ids}


def _written(
    run: Pipeline, folder: str, cells_at: CellFiles, plan: dict[str, Any], rows: int, kinds: str
) -> Written:
    """Run the job; what it wrote, blocks and cells by cell, ids by bucket."""
    from mapsight.results.predictions import records_of

    arguments = ["--plan", run.side_file("index_plan.json", json.dumps(plan))]
    arguments += ["--kinds", run.side_file("kinds.json", kinds)]
    arguments += [*cells_at.arguments, "--index", run.workspace.uri("index", folder)]
    output = run.collect(JOB, manifest_of_rows(run), arguments, TEXT_BYTES * rows)
    by_kind: dict[str, list[Any]] = {"block": [], "cell": [], "ids": []}
    for kind, value in records_of(output):
        by_kind[kind].append(value)
    blocks, cells, ids = by_kind.values()
    indexed = sum(cell["rows"] for cell in cells)
    require(indexed == rows, f"index: {indexed} of {rows} pictures were indexed; run again")
    blocks.sort(key=lambda block: (block[0], block[2]))
    cells.sort(key=lambda cell: cell["cell"])
    ids.sort(key=lambda one: one["bucket"])
    return Written(blocks, cells, ids)


def _digest(written: Written, centres: list[str], notes: IndexNotes, part: int) -> str:
    """Return what the index holds, whatever its files are called: each attempt's have other names.

    Additions belong to an index of this digest. Two of them that hold the same are not one, for
    what is hidden is counted by digest: the number of the `part` tells them apart.
    """
    blocks = [[cell, *rest] for cell, _, *rest in written.blocks]
    ids = [{**one, "file": None} for one in written.ids]
    facts = {**asdict(notes), "part": part, "ids": len(written.ids)}
    return fingerprint([blocks, written.cells, ids, centres, facts])


def _write_centres(
    target: Path, cells_at: CellFiles, means: Mapping[int, str], shape: tuple[int, int]
) -> None:
    """Write what queries are compared with: centres, or where rows are projected means of cells.

    In the place of the mean of a cell without rows are zeros.

    Args:
        means: by cell, as text.
        shape: of all means, (k, d).
    """
    import numpy as np

    from mapsight.index.layout import CENTRES, LEARNED, PROJECTION
    from mapsight.records import decode_vector

    if not cells_at.projection:
        shutil.copyfile(cells_at.centres, target / CENTRES)
        return
    shutil.copyfile(cells_at.centres, target / LEARNED)
    shutil.copyfile(cells_at.projection, target / PROJECTION)
    whole = np.zeros(shape, np.int16)
    for cell, text in means.items():
        whole[cell] = decode_vector(text)
    np.save(target / CENTRES, whole, allow_pickle=False)


def _write(run: Pipeline, folder: str, written: Written, notes: IndexNotes) -> None:
    """Write what is beside the rows. Memory: some hundred bytes a block of 2,048 rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mapsight.index.layout import BLOCK_SCHEMA, BLOCKS, CELL_SCHEMA, CELLS, FACTS, NEAREST

    cells = written.cells
    target = run.local_folder("index", folder)
    columns = zip(*written.blocks, strict=True)
    pq.write_table(pa.table(list(map(list, columns)), schema=BLOCK_SCHEMA), target / BLOCKS)
    largest = sorted(cells, key=lambda cell: (-cell["rows"], cell["cell"]))[:SHOWN_CELLS]
    nearest = {cell["cell"]: cell["nearest"] for cell in largest}
    names = ("label", "style", "rows")
    for cell in cells:
        cell["kinds"] = [dict(zip(names, kind, strict=True)) for kind in cell["kinds"]]
    pq.write_table(pa.Table.from_pylist(cells, schema=CELL_SCHEMA), target / CELLS)
    (target / NEAREST).write_text(json.dumps(nearest) + "\n", encoding="utf-8")
    (target / FACTS).write_text(json.dumps(asdict(notes), indent=1) + "\n", encoding="utf-8")
    run.store(target, "index", folder)


STAGE = Stage(
    __name__,
    perform,
    needs=("vectors", "cluster"),
    jobs=(JOB,),
    identity=identity,
)
