"""The command export: the features of the index for other programs, whole or not at all."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.errors import Failure, UsageError
from driver.needs import Need, asks
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.required import require_options

if TYPE_CHECKING:
    import pyarrow as pa

    from mapsight.index.export.facts import Facts
    from mapsight.index.export.plane import Plane
    from mapsight.search.search_index import SearchIndex

GROUP = "Search"
DESCRIPTION = "Write the features of the index for other programs, on this machine."
EXAMPLES = """\
examples:
  %(prog)s --format npy --out features
  %(prog)s --format parquet --features plain --out features
  %(prog)s --format faiss --out ivf --workspace hdfs:///user/me/mapsight
"""
USUAL = ("format", "out", "features", "workspace")
APART = ("format", "out")
NEEDS = (Need("--format faiss", ("faiss",), asks("format", "faiss")),)
FOR_OUTPUT = False
ABOUT, README = "export.json", "README.md"
FIELD_BYTES = 400
RECORDS = 4096
USES = {
    "npy": """\
    import numpy as np, pyarrow.parquet as pq
    x = np.load("vectors.npy", mmap_mode="r")        # x @ x[0] are the cosines with row 0
    rows = pq.read_table("rows.parquet")
""",
    "parquet": """\
    import pyarrow.dataset as ds
    for batch in ds.dataset(".", format="parquet", exclude_invalid_files=True).to_batches():
        x = batch.column("vector").flatten().to_numpy().reshape(batch.num_rows, -1)
    # columns x and y are two dimensions of each picture; docs/elsewhere.md opens the files in
    # DuckDB, embedding-atlas, Lightly and FiftyOne
""",
    "faiss": """\
    import faiss, pyarrow.parquet as pq
    index = faiss.read_index("index.faiss", faiss.IO_FLAG_ONDISK_SAME_DIR)
    cosines, rows = index.search(x, 10)              # x: (n, d) float32 of unit length
    ids = pq.read_table("rows.parquet", columns=["image_id"]).column(0)
""",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of export."""
    parser.add_argument("--format", choices=sorted(USES), help="format of the files (needed)")
    parser.add_argument(
        "--out", metavar="FOLDER", help="new or empty folder on this machine (needed)"
    )
    parser.add_argument(
        "--features",
        choices=["new", "plain"],
        help="new: embeddings and label scores; plain: embeddings alone (default: new "
        "where a head was fitted)",
    )
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Write the features of the index into a folder; print its name."""
    from driver.search.notices import tell_earlier
    from driver.workspace.new_folder import new_folder, whole_folder
    from driver.workspace.workspace import SEARCH, Workspace
    from mapsight.index.collection import require_index
    from mapsight.search.search_index import SearchIndex

    require_options(options, "format", "out")
    target = new_folder("--out", options.out)
    workspace = Workspace(options.workspace, SEARCH)
    require_index(workspace)
    tell_earlier(workspace)
    index = SearchIndex(workspace)
    features = options.features or next(iter(index.features()))
    if features not in index.features():
        raise UsageError(
            f"--features {features}: the index has only plain ones: no head was fitted"
        )
    with whole_folder(target, workspace.run_id, _size(options.format, index, features)) as folder:
        _write(options.format, index, features, folder, target)
    sys.stdout.write(f"{target}\n")
    return 0


def _size(kind: str, index: SearchIndex, features: str) -> int:
    """About how many bytes the files take."""
    from mapsight.index.export.facts import ROW_BYTES

    beside = {"faiss": 8, "parquet": 2 * ROW_BYTES}.get(kind, 0)
    return index.rows * (4 * index.features()[features] + beside + FIELD_BYTES)


def _write(kind: str, index: SearchIndex, features: str, folder: Path, target: Path) -> None:
    writer = _writer(kind, index, features, folder, target)
    rows = 0
    for block, batch in index.batches(index.every_block()):
        if batch.num_rows:
            writer.add(block.cell, batch)
            rows += batch.num_rows
    if rows != index.rows and not len(index.removed):
        raise Failure(f"{rows:,} of {index.rows:,} pictures were found; run with --force index")
    files = writer.close()
    about = {
        "format": kind,
        "features": features,
        "rows": rows,
        "d": index.features()[features],
        "metric": "cosine: the inner product of vectors of unit length",
        "order": "by cell; those of the pipeline by image_id before those that were added",
        "index": index.digest,
        "files": {n: {**told, "bytes": (folder / n).stat().st_size} for n, told in files.items()},
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    lines = [f"- `{name}`: {told['holds']}" for name, told in list(files.items())[:5]]
    text = f"""\
# {rows:,} pictures, {features} features

Written by `mapsight export --format {kind}`. Row numbers are the same in all files, which {ABOUT}
lists with shapes and sizes.

{chr(10).join(lines)}

{USES[kind]}"""
    (folder / README).write_text(text, encoding="utf-8")


def _writer(kind: str, index: SearchIndex, features: str, folder: Path, target: Path) -> Any:
    from mapsight.index.export import FaissWriter, NpyWriter, ParquetWriter

    d = index.features()[features]
    if kind == "npy":
        return NpyWriter(folder, d)
    if kind == "parquet":
        return ParquetWriter(folder, d, _plane(index), _facts(index, folder.parent / "facts"))
    probe = index.probe_for(features)
    return FaissWriter(folder, index.centres.centres[:, :d], target, probe)


def _plane(index: SearchIndex) -> Plane:
    from mapsight.index.blocks import read_blocks
    from mapsight.index.export.plane import plane_of
    from mapsight.search.search_index import blocks_in

    base = index.parts[0]  # of all its rows, hidden ones too: the plane stays what it was
    return plane_of(base, read_blocks(blocks_in(base.blocks)))


def _facts(index: SearchIndex, folder: Path) -> Facts:
    """Return what results say of the pictures; of those that were added, what their jobs say."""
    from mapsight.index.export.facts import COLUMNS, Facts
    from mapsight.opened_tables import ResultTables

    batches: list[Iterable[pa.RecordBatch]] = []
    for number, workspace in index.collection.parts.items():
        if number:
            batches.append(_classified(workspace.sound_parts("classify"), COLUMNS))
        elif workspace.sound("merge"):
            batches.append(ResultTables(workspace).prediction_batches(COLUMNS))
    return Facts(folder, itertools.chain.from_iterable(batches))


def _classified(parts: Sequence[str], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield prediction records as rows. Memory: RECORDS of them."""
    import pyarrow as pa

    from mapsight.records import is_picture
    from mapsight.results.predictions import PREDICTION_SCHEMA, records_of

    schema = pa.schema([PREDICTION_SCHEMA.field(name) for name in columns])
    records = ({"image_id": key, **value} for key, value in records_of(parts) if is_picture(value))
    while some := list(itertools.islice(records, RECORDS)):
        yield pa.RecordBatch.from_pylist(some, schema)
