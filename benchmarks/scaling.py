"""How seconds and bytes of extract, fit, cluster, index and search grow, fitted to three sizes.

    python -m benchmarks.scaling --pictures FOLDER --workspace DONE > scaling.json

A task of each job runs alone, on one core, as Hadoop Streaming runs it: over all records, a
quarter and a sixteenth. Processor time is counted (user and system), not the clock, so that a
busy machine disturbs little. A line is fitted to the points by least squares of relative errors;
what a point is off it is told. DONE is a finished workspace, whose embeddings are mixed
(benchmarks/mixtures.py). Prints figures as JSON, for driver/data/figures.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.index import embeddings_of, write_rows
from benchmarks.made_up import write_distinct
from benchmarks.made_up import write_rows as write_metadata
from benchmarks.metadata import joined_records, measure_fit
from benchmarks.mixtures import mixtures
from benchmarks.pictures import usable, write_pictures
from benchmarks.stages import Lines, Stages, manifest, packed, print_figures
from driver.stages.model import find_model
from mapsight.index.rows import Block
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.search.probe_plan import probe_lines
from mapsight.search.queries import ProbeQuery, write_queries

SHARES = (1 / 16, 1 / 4, 1)
D = 1024
CELLS = (512, 2048, 8192)
QUERIES = (1, 32, 512)

Points = Sequence[tuple[Sequence[float], float]]


def fitted(points: Points) -> tuple[np.ndarray, float]:
    """Coefficients of a linear model by least squares of relative errors, and the worst of these.

    Args:
        points: what each coefficient counts, and the value (> 0).
    """
    rows, values = (np.array(column, float) for column in zip(*points, strict=True))
    found, *_ = np.linalg.lstsq(rows / values[:, None], np.ones(len(values)), rcond=None)
    return found, float(np.abs(rows @ found / values - 1).max())


class Curves(Stages):
    """Runs phases in several sizes and keeps what they cost."""

    def model(self, names: Sequence[tuple[str, str]], points: Points) -> None:
        """Fit a model and tell its coefficients by (name, unit); without a name not."""
        found, off = fitted(points)
        for (name, unit), value in zip(names, found, strict=True):
            if name:
                self.tell(name, value, unit, int(max(row[1] for row, _ in points)))
                self.figures[name]["off"] = round(off, 3)
                self.figures[name]["points"] = [
                    [*row[1:], float(f"{seconds:.4g}")] for row, seconds in points
                ]

    def line(self, name: str, unit: str, sizes: Sequence[int], run: Callable[[int], float]) -> None:
        """Fit a start and a cost for each of n to runs of several sizes."""
        self.model([("", ""), (name, unit)], [((1.0, n), run(n)) for n in sizes])

    def over(
        self, name: str, job: str, kind: str, lines: Lines, *arguments: str, unit: str = "s/picture"
    ) -> Lines:
        """Fit a phase over parts of some lines; its output for all of them."""
        out: dict[int, Lines] = {}

        def run(n: int) -> float:
            seconds, out[n] = self.phase(job, kind, lines[:n], *arguments)
            return seconds

        sizes = sizes_of(len(lines))
        self.line(name, unit, sizes, run)
        return out[sizes[-1]]


def sizes_of(n: int) -> list[int]:
    """The sizes that are measured of n at most."""
    return [max(int(n * share), 1) for share in SHARES]


def measure_extract(curves: Curves, pictures: Path, count: int) -> None:
    """Pictures to features with the widest model."""
    files = usable(pictures)
    found = find_model(1.0, 224, "float32")
    arguments = ["--model", str(found.path), "--model-sha256", found.sha256]

    def run(n: int) -> float:
        target = write_pictures(files, n, curves.scratch / f"{n}.parquet")
        return curves.phase("extract_features", "mapper", manifest(target, n), *arguments)[0]

    curves.line("extract.whole.seconds", "s/picture", sizes_of(count), run)


def measure_fit_curve(curves: Curves, records: int) -> None:
    """The three passes of fit over joined records, and new features made with the head."""
    files = write_metadata(curves.scratch, records)
    settings = json.dumps({"targets": dict(DEFAULT_TARGETS), "parents": {}})
    (curves.scratch / "targets.json").write_text(settings)
    targets = ["--targets", str(curves.scratch / "targets.json")]
    features = write_distinct(curves.scratch / "features.jsonl", records, D)
    joined = [line for line in joined_records(curves, features, files) if b'"orphan"' not in line]
    quiet = Stages(curves.scratch)
    head = measure_fit(quiet, joined, targets, "1.0")
    leaks = head[head.index("--leaks") :]
    plan = [*targets, *leaks, "--plan", str(curves.scratch / "plan.json")]
    curves.over("split.map.seconds", "split_examples", "mapper", joined, *targets)
    curves.over("fit.map.seconds.1.0", "fit_head", "mapper", joined, *plan)
    curves.over("calibrate.map.seconds", "calibrate_head", "mapper", joined, *targets, *head)
    rows = ["--rows", str(curves.scratch / "vectors")]
    curves.over("vectors.map.seconds", "map_features", "mapper", joined, *targets, *head[:2], *rows)
    size = sum(path.stat().st_size for path in (curves.scratch / "vectors").iterdir())
    width = D + len(DEFAULT_TARGETS)
    written = sum(sizes_of(len(joined)))
    curves.tell("vectors.fields.bytes", size / written - 2 * width, "bytes/picture", written)


class Rows:
    """Made-up rows of several sizes, in a file each."""

    def __init__(self, curves: Curves, workspace: str, count: int) -> None:
        pictures = embeddings_of(workspace)
        self.curves, self.sizes = curves, sizes_of(count)
        self.lines: dict[int, bytes] = {}
        for n in self.sizes:
            folder = curves.scratch / f"rows-{n}"
            write_rows(folder, mixtures(pictures, n, seed=1), file_rows=n)
            (path,) = folder.iterdir()
            self.lines[n] = json.dumps({"uri": str(path)}).encode() + b"\n"
        self.queries = np.concatenate(list(mixtures(pictures, max(QUERIES), seed=2)))
        self.seeds = np.concatenate(list(mixtures(pictures, max(CELLS), seed=3)))

    def centres(self, k: int) -> str:
        """A file of k centres."""
        path = self.curves.scratch / f"centres-{k}.npy"
        np.save(path, self.seeds[:k])
        return str(path)


def measure_cluster(rows: Rows) -> None:
    """Reading alone; an iteration by rows and cells; the reducer by sums."""
    curves, job = rows.curves, "cluster_features"
    nothing = ["--seeds", "1", "--below", "1"]

    def read(n: int) -> float:
        return curves.phase(job, "mapper", [rows.lines[n]], *nothing)[0]

    curves.line("cluster.read.seconds", "s/picture", rows.sizes, read)
    each = curves.figures["cluster.read.seconds"]["value"]
    points: list[tuple[Sequence[float], float]] = []
    middle = rows.sizes[1]
    sums: Lines = []
    for n, k in [(middle, k) for k in CELLS] + [(n, CELLS[1]) for n in rows.sizes if n != middle]:
        arguments = ["--centres", rows.centres(k)]
        seconds, sums = curves.phase(job, "mapper", [rows.lines[n]], *arguments)
        emitted = len(sums) - 2
        points.append(((1.0, n, n * k * D, emitted * D), seconds - each * n))
    curves.model(
        [
            ("", ""),
            ("cluster.row.seconds", "s/picture"),
            ("cluster.product.seconds", "s/number of a centre and a picture"),
            ("cluster.emit.seconds", "s/number of a sum"),
        ],
        points,
    )
    cells = [line for line in sums if line[1:2].isdigit()]
    curves.tell(
        "cluster.sum.raw", sum(map(len, cells)) / len(cells) / D, "bytes/number", len(cells)
    )
    curves.tell("cluster.sum.gzip", packed(cells) / len(cells) / D, "bytes/number", len(cells))
    arguments = ["--centres", rows.centres(CELLS[1])]
    curves.over(
        "cluster.reduce.seconds", job, "reducer", sorted(cells), *arguments, unit="s/sum of a cell"
    )


def measure_index(rows: Rows) -> list[tuple[int, list[Block]]]:
    """Rows to their cells, and written by cell; the blocks that were written, by rows."""
    curves, job, k = rows.curves, "build_index", CELLS[0]
    plan = {"files": [0] * k, "buckets": 1, "d": D, "plain_d": D, "dtype": "int16"}
    (curves.scratch / "index.json").write_text(json.dumps(plan))
    arguments = ["--centres", rows.centres(k), "--plan", str(curves.scratch / "index.json")]
    folder = curves.scratch / "index"
    arguments += ["--index", str(folder)]
    mapped: dict[int, Lines] = {}
    built: list[tuple[int, list[Block]]] = []
    product = curves.figures["cluster.product.seconds"]["value"]

    def find(n: int) -> float:
        seconds, mapped[n] = curves.phase(job, "mapper", [rows.lines[n]], *arguments)
        return seconds - product * n * k * D

    def write(n: int) -> float:
        lines = mapped.pop(n)
        if n == rows.sizes[-1]:
            curves.tell("index.shuffle.raw", sum(map(len, lines)) / n, "bytes/picture", n)
            few = rows.sizes[0]
            some = sorted(lines[: 2 * few])  # of a picture a row and an id
            curves.tell("index.shuffle.gzip", packed(some) / few, "bytes/picture", few)
        seconds, told = curves.phase(job, "reducer", sorted(lines), *arguments)
        pairs = [line.split(b"\t") for line in told]
        places = [json.loads(value) for name, value in pairs if name == b'"block"']
        built.append((n, [Block(cell, f"{folder}/{file}", *rest) for cell, file, *rest in places]))
        return seconds

    curves.line("index.map.seconds", "s/picture", rows.sizes, find)
    curves.line("index.reduce.seconds", "s/picture", rows.sizes, write)
    size = sum(path.stat().st_size for path in folder.iterdir())
    curves.tell("index.bytes", size / sum(rows.sizes), "bytes/picture", sum(rows.sizes))
    return built


def measure_search(rows: Rows, built: list[tuple[int, list[Block]]]) -> None:
    """Blocks read and compared, by rows and by pairs of a row and a query."""
    curves, path = rows.curves, rows.curves.scratch / "queries.arrow"
    points: list[tuple[Sequence[float], float]] = []
    some: Lines = []
    for n, blocks in built:
        for queries in QUERIES:
            write_queries(path, rows.queries[:queries], [ProbeQuery(10)] * queries)
            wants = {block.cell: list(range(queries)) for block in blocks}
            lines = list(probe_lines(blocks, wants))
            source = [line.encode() + b"\n" for line in lines]
            seconds, some = curves.phase("probe_index", "mapper", source, "--queries", str(path))
            points.append(((1.0, n, n * queries), seconds))
    names = [
        ("", ""),
        ("probe.row.seconds", "s/picture read"),
        ("probe.pair.seconds", "s/picture and query"),
    ]
    curves.model(names, points)
    curves.tell(
        "probe.answers.raw", sum(map(len, some)) / max(QUERIES), "bytes/query, of a task", 1
    )
    many = sorted(
        b'"%09d"\t' % number + line.split(b"\t", 1)[1] for number in range(16) for line in some
    )
    arguments = ["--queries", str(path)]
    unit = "s/query and task"
    curves.over("probe.merge.seconds", "probe_index", "reducer", many, *arguments, unit=unit)


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--workspace", required=True, help="finished, for its embeddings")
    parser.add_argument("--count", type=int, default=800, help="pictures, at most")
    parser.add_argument("--records", type=int, default=16_000, help="of fit, at most")
    parser.add_argument("--rows", type=int, default=65_536, help="of the index, at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        curves = Curves(Path(scratch))
        measure_extract(curves, options.pictures, options.count)
        measure_fit_curve(curves, options.records)
        rows = Rows(curves, options.workspace, options.rows)
        measure_cluster(rows)
        measure_search(rows, measure_index(rows))
        print_figures(curves, "benchmarks.scaling")
    return 0


if __name__ == "__main__":
    sys.exit(main())
