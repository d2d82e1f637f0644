"""A workspace of many made-up pictures, whose bytes are those of a finished one's pictures."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.index import embeddings_of, head_of
from benchmarks.mixtures import BLOCK, mixtures
from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.job_server import close_job_server
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.stages import cluster, index, recall
from driver.workspace.workspace import Workspace
from mapsight.index.rows import FIELDS, batch_of, new_file, row_schema
from mapsight.opened import OpenedWorkspace

__all__ = ["made_up"]

KEPT = ("plan", "ingest", "fetch", "extract", "fit", "classify", "model")
"""What is taken over: pictures, the model, and the head."""
PLAIN_D, FILE_ROWS = 1024, 64 * BLOCK
ITERATIONS = 5


def made_up(done: Path, rows: int, keep: Path) -> str:
    """Return the workspace of so many rows in a folder, made if it is not there.

    Args:
        done: a finished workspace with a head.
    """
    target = keep / f"workspace-{rows}"
    if not (target / "index/stage.json").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _take_over(done, target)
        _index(done, rows, target)
    return str(target)


def _take_over(done: Path, target: Path) -> None:
    for name in KEPT:
        if (done / name).is_dir():
            shutil.copytree(done / name, target / name, copy_function=os.link, symlinks=True)
    for path in done.glob("mapsight-workspace.json"):
        shutil.copy(path, target / path.name)


def _fields(done: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what is known of pictures, those of the finished workspace again and again.

    The measure that is filtered by is another one each time.
    """
    opened = OpenedWorkspace(str(done))
    ids = opened.browser.columns.ids.to_pylist()
    names = [name for name, _ in FIELDS]
    known = [{name: (opened.record(one) or {}).get(name) for name in names} for one in ids]
    rng = np.random.default_rng(seed)
    while True:
        for one in known:
            yield one | {"ppi": round(float(one["ppi"] * rng.lognormal(0, 0.2)), 6)}


def _index(done: Path, rows: int, target: Path) -> None:
    """Write rows as the stage vectors, and run cluster and index on them."""
    workspace, head = Workspace(str(target)), head_of(str(done))
    folder = target / "vectors" / "made-up"
    made = (head.new_features(x) for x in mixtures(embeddings_of(str(done)), rows, 1))
    _write(folder, made, _fields(done, 2))
    documents = {name: workspace.required(name) for name in ("extract", "fit")}
    document = {
        "stage": "vectors", "fingerprint": "made-up", "folder": folder.name, "seconds": 0.0,
        "digest": f"made-up {rows}", "notes": {"rows": rows}, "run": "", "version": "",
        "parts": workspace.describe("vectors", folder.name), "counters": {}, "options": {},
        "inputs": {name: one["digest"] for name, one in documents.items()},
    }  # fmt: skip
    workspace.commit("vectors", document)
    settings = TypedOptions(
        Namespace(),
        RunnerOptions("local"),
        cluster.Options(None, ITERATIONS, tolerance=0.0),
        index.Options("int16"),
    )
    scratch = target.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    run = pipeline_of(settings, workspace, scratch)
    run.documents |= {**documents, "vectors": document}
    run.run([cluster.STAGE, index.STAGE, recall.STAGE])
    close_job_server()


def _write(folder: Path, blocks: Iterator[np.ndarray], fields: Iterator[dict[str, Any]]) -> None:
    rows, writer, file = 0, None, None
    for x in blocks:
        if rows % FILE_ROWS == 0:
            if writer:
                writer.close()
                file.close()
            _, file = new_file(str(folder), "rows", ".arrow")
            schema = row_schema(x.shape[1], min(x.shape[1], PLAIN_D))
            writer = pa.ipc.new_stream(file, schema)
        ids = [f"{rows + i:016x}" for i in range(len(x))]
        writer.write_batch(batch_of(ids, x, [next(fields) for _ in ids], schema))
        rows += len(x)
    writer.close()
    file.close()
