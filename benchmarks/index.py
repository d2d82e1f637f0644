"""Cells and index of made-up embeddings: time, memory, recall, beside faiss and scikit-learn.

    python -m benchmarks.index --workspace DONE [--rows 100000 1000000] [--new]
    python -m benchmarks.index --workspace DONE --rows 1000000 --other PYTHON --passes 3

DONE is a finished workspace; its embeddings are mixed (benchmarks/mixtures.py), --new joins the
scores of its head. The stages cluster and index run as in a run with -r local; their processor
time is that of all their processes. Then a task of each job runs alone, for its memory. Recall is
that of 200 other mixtures against an exact search. OTHER is a Python with faiss and scikit-learn,
which get the same vectors and as many cells; faiss makes as many iterations, or PASSES.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.explore import ROOT, measured
from benchmarks.mixtures import BLOCK, mixtures
from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.job_server import close_job_server
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.stages import cluster, index
from driver.stages.outputs import cells_made
from driver.workspace.workspace import Workspace
from mapsight.index.cosines import cosines
from mapsight.index.kmeans import load_centres
from mapsight.index.layout import CELLS, CENTRES
from mapsight.index.rows import ENDING, batch_of, read_batches, row_schema, vectors_of
from mapsight.labels.head import Head, load_head
from mapsight.records import decode_embedding
from mapsight.results.predictions import records_of
from mapsight.storage.new_file import new_file
from mapsight.workspace.stage_facts import ExtractOptions

PROBES = (1, 2, 4, 8, 16, 32, 64, 128)
QUERIES = 200
TOP = 10
FILE_ROWS = 64 * BLOCK
PLAIN_D = 1024


def tell(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def embeddings_of(workspace: str) -> np.ndarray:
    """(m, d) int16: those of a finished workspace, in the order of its parts."""
    records = records_of(Workspace(workspace).parts("extract"))
    return np.stack([decode_embedding(r["embedding"]) for _, r in records if "embedding" in r])


def head_of(workspace: str) -> Head:
    """The head of a finished workspace."""
    return load_head(next(p for p in Workspace(workspace).parts("fit") if p.endswith(".npz")))


def write_rows(folder: Path, blocks: Iterator[np.ndarray], file_rows: int = FILE_ROWS) -> int:
    """Write files of rows, so many in each (whole blocks); how many rows."""
    import pyarrow as pa

    rows, writer, file = 0, None, None
    for x in blocks:
        if rows % file_rows == 0:
            if writer:
                writer.close()
                file.close()
            _, file = new_file(str(folder), "rows", ENDING)
            schema = row_schema(x.shape[1], min(x.shape[1], PLAIN_D))
            writer = pa.ipc.new_stream(file, schema)
        ids = [f"{rows + i:016x}" for i in range(len(x))]
        fields = [
            {"label": "Lion", "style": "photo", "label_score": 0.9, "ppi": 72.0, "width": 500,
             "height": 375, "source": f"pictures/{i}.jpg", "shard": "shard:0", "row": i,
             "top_label": "Lion", "sha256": f"{i:0>64}", "dhash": i}
            for i in ids
        ]  # fmt: skip
        for f in fields:
            f["row"] = int(f["row"], 16)
        writer.write_batch(batch_of(ids, x, fields, schema))
        rows += len(x)
    writer.close()
    file.close()
    return rows


def bring_up(run: Pipeline, folder: Path, rows: int) -> None:
    """Commit the rows as the stage vectors, then run cluster and index."""
    workspace = run.workspace
    document = {key: {} for key in ("counters", "options", "inputs")} | {
        "stage": "vectors", "fingerprint": "made-up", "folder": folder.name, "seconds": 0.0,
        "digest": f"made-up {rows}", "notes": {"rows": rows}, "run": "", "version": "",
        "parts": workspace.describe("vectors", folder.name),
    }  # fmt: skip
    workspace.commit("vectors", document)
    model = ExtractOptions("made-up", 1.0, 224, "float32", "litert", None)
    extract = {"options": asdict(model)}
    run.documents |= {"vectors": document, "extract": extract, "fit": {"digest": ""}}
    for stage in (cluster.STAGE, index.STAGE):
        before, started = processor_seconds(), time.monotonic()
        run.run([stage])
        close_job_server()  # what its processes took counts when it has ended
        spent, waited = processor_seconds() - before, time.monotonic() - started
        tell(f"{rows:>9,}  {stage.name}: {spent:.1f} s of processor time, {waited:.1f} s")


def processor_seconds() -> float:
    """What this process and those that it started and that have ended have taken so far."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


def memory_of_tasks(run: Pipeline, scratch: Path, rows: int) -> None:
    """One map task of each job on a file of rows, and its reducer, alone."""
    workspace = run.workspace
    line = json.dumps({"uri": next(p for p in workspace.parts("vectors") if p.endswith(".arrow"))})
    (scratch / "line").write_text(line + "\n")
    files = cells_made(run)
    facts = run.documents["index"]["notes"]
    names = ("d", "plain_d", "dtype")
    plan = {"files": [0] * facts["cells"], "buckets": 1, **{name: facts[name] for name in names}}
    (scratch / "plan").write_text(json.dumps(plan))
    jobs = {
        "cluster_features": files.arguments,
        "build_index": [
            *(*files.arguments, "--plan", str(scratch / "plan")),
            *("--index", str(scratch / "index")),
        ],
    }
    for job, arguments in jobs.items():
        source = scratch / "line"
        for kind in ("mapper", "reducer"):
            command = [sys.executable, str(ROOT / "mr_jobs" / f"{job}.py"), f"--{kind}"]
            target = scratch / f"{job}.{kind}"
            seconds, memory = measured([*command, "--step-num=0", *arguments], source, target)
            tell(f"{rows:>9,}  {job} {kind}: {seconds:.1f} s, {memory >> 20} MiB")
            source = scratch / f"{job}.sorted"
            subprocess.run(
                ["sort", "-S", "256M", "-o", source, target], check=True, env={"LC_ALL": "C"}
            )


def recall(run: Pipeline, queries: np.ndarray, rows: int, scratch: Path) -> None:
    """Recall@10 of other mixtures by probes, and the share of the rows read."""
    files = cells_made(run)
    centres = load_centres(files.centres, files.projection)
    best = np.full((QUERIES, TOP), -1.0)
    cells = np.zeros((QUERIES, TOP), np.int64)
    counts = np.zeros(len(centres), np.int64)
    for uri in run.workspace.parts("vectors"):
        for batch in read_batches(uri):
            x = vectors_of(batch)
            found, _ = centres.nearest(x)
            np.add.at(counts, found, 1)
            scores = np.concatenate([best, cosines(queries.astype(float), x.astype(float))], 1)
            where = np.concatenate([cells, np.broadcast_to(found, (QUERIES, len(x)))], 1)
            order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
            best, cells = (np.take_along_axis(a, order, 1) for a in (scores, where))
    compared = next(p for p in run.workspace.parts("index") if p.endswith(f"/{CENTRES}"))
    ranked = load_centres(compared).ranked(queries)
    np.savez(scratch / "exact.npz", queries=queries, best=best)
    for probes in (p for p in PROBES if p <= len(centres)):
        near = ranked[:, :probes]
        hits = np.mean([np.isin(c, n).mean() for c, n in zip(cells, near, strict=True)])
        share = np.mean([counts[n].sum() for n in near]) / rows
        tell(f"{rows:>9,}  probe {probes:>4}: recall@10 {hits:.3f}, {share:.2%} of the rows read")


def distance(workspace: Workspace, rows: int) -> float:
    """Mean squared distance of rows to the centres of their cells, for vectors of unit length."""
    cells = pq.read_table(next(p for p in workspace.parts("index") if p.endswith(CELLS)))
    return float(sum(cells.column("inertia").to_pylist())) / 32767**2 / rows


def beside(python: str, folder: Path, scratch: Path, cells: int, iterations: int) -> None:
    """Other ways on the same rows, with as many cells; MiniBatchKMeans passes over them once."""
    for way, passes in (("faiss", iterations), ("minibatch", 1)):
        command = [python, "-m", "benchmarks.ways.vectors", way, str(folder), str(scratch)]
        subprocess.run([*command, str(cells), str(passes)], cwd=ROOT)


def run_size(options: Namespace, pictures: np.ndarray, head: Head | None, rows: int) -> None:
    """Everything for one size."""
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        scratch = Path(options.keep or name)
        workspace = Workspace(str(scratch / "workspace"))
        settings = TypedOptions(
            Namespace(),
            RunnerOptions("local"),
            cluster.Options(options.cells, options.iterations, tolerance=0.0),
            index.Options("int16"),
        )
        folder = scratch / "workspace" / "vectors" / "made-up"
        started = time.monotonic()
        made, queries = (
            (head.new_features(x) if head else x for x in mixtures(pictures, n, seed))
            for n, seed in ((rows, 1), (QUERIES, 2))
        )
        if not folder.exists():  # those that an earlier run has kept are the same
            write_rows(folder, made)
            tell(f"{rows:>9,}  rows written in {time.monotonic() - started:.1f} s")
        run = pipeline_of(settings, workspace, scratch)
        bring_up(run, folder, rows)
        history = run.documents["cluster"]["notes"]["history"]
        for number, step in enumerate(history, 1):
            tell(f"{rows:>9,}  iteration {number}: {step}")
        built = run.documents["index"]
        size = sum(part["bytes"] for part in built["parts"])
        tell(f"{rows:>9,}  {built['notes']['cells']} cells; index {built['seconds']:.1f} s,"
             f" {size / rows:.0f} bytes a picture,"
             f" mean squared distance {distance(workspace, rows):.5f}")  # fmt: skip
        recall(run, np.concatenate(list(queries)), rows, scratch)
        memory_of_tasks(run, scratch, rows)
        if options.other:
            beside(
                options.other,
                folder,
                scratch,
                built["notes"]["cells"],
                options.passes or len(history),
            )


def main() -> int:
    """Print a line for each step and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--cells", type=int)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--scratch", help="folder for some GB (default: that of the system)")
    parser.add_argument("--keep", help="use this folder as scratch, and leave all in it")
    parser.add_argument("--other", help="a Python with faiss and scikit-learn")
    parser.add_argument("--passes", type=int, help="iterations of faiss (default: as many)")
    parser.add_argument("--new", action="store_true", help="with the scores of the head")
    options = parser.parse_args()
    pictures = embeddings_of(options.workspace)
    head = head_of(options.workspace) if options.new else None
    for rows in options.rows:
        run_size(options, pictures, head, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
