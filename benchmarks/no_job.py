"""Answers without a job: how long one query takes from an index that is warm, and what it reads.

    python -m benchmarks.no_job --workspace W [--queries 1000] [--probe 4 8 16] [--ways]

W has an index of mixtures (benchmarks/index.py), or any other. Queries are rows of the index that
are spread over its cells, with noise; a vector goes in, ten answers with their fields come out. A
first round over the queries warms, the second is measured. `--ways` scores the same cells in other
ways beside: float32 mapped, and with faiss-cpu IndexIVFFlat and fp16 codes, whose 20 best are
computed again exactly.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.index import tell
from mapsight.index.cosines import cosines
from mapsight.index.local_copy import ROWS
from mapsight.index.rows import vectors_of
from mapsight.search.searcher import Searcher

TOP, AGAIN = 10, 20
NOISE = 40.0


def queries_of(searcher: Searcher, n: int) -> list[np.ndarray]:
    """(d,) int16 each: rows of cells that lie evenly among all, with noise."""
    rng = np.random.default_rng(0)
    cells = np.flatnonzero(searcher.index.cells.rows)
    found = []
    for cell in cells[np.linspace(0, len(cells) - 1, n).astype(int)].tolist():
        x = vectors_of(next(searcher.index.copies[0].batches(cell)))
        row = x[rng.integers(len(x))] + rng.normal(0, NOISE, x.shape[1])
        found.append(np.rint(row).clip(-32767, 32767).astype(np.int16))
    return [found[i] for i in rng.permutation(n)]


def waiting() -> float:
    """Seconds that this process stood ready while others had the cores."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def seconds_of(answer: Callable[[Any], Any], queries: Sequence[Any]) -> np.ndarray:
    """Of each query, after a round that warms: (n, 2), on the clock and of processors."""
    for query in queries:
        answer(query)
    taken = []
    for query in queries:
        started = time.perf_counter(), time.process_time()
        answer(query)
        ended = time.perf_counter(), time.process_time()
        taken.append([end - start for start, end in zip(started, ended, strict=True)])
    return np.array(taken)


def show(name: str, seconds: np.ndarray, waited: float, extra: str = "") -> None:
    clock, work = (np.percentile(one * 1000, [50, 99]) for one in seconds.T)
    share = waited / seconds[:, 0].sum()
    tell(
        f"{name:<30} p50 {clock[0]:6.2f} ms, p99 {clock[1]:6.2f}; of processors p50"
        f" {work[0]:5.2f}, p99 {work[1]:5.2f}; waited {share:.0%}{extra}"
    )


def memory() -> str:
    """Resident now: its own, and of mapped files; and at most so far."""
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))  # noqa: PTH123, SIM115
    own, mapped = (int(fields[name].split()[0]) >> 10 for name in ("RssAnon", "RssFile"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return f"resident {own} MiB and {mapped} MiB of mapped files (at most {peak} MiB together)"


def whole(searcher: Searcher, queries: Sequence[np.ndarray], probe: int) -> None:
    """The whole way of a query."""
    index = searcher.index
    before = waiting()
    seconds = seconds_of(lambda q: searcher.search(q, TOP, probe=probe), queries)
    waited = (waiting() - before) / 2
    d = index.facts.d
    rows = [
        int(index.cells.rows[nearest(probe)].sum())
        for nearest in index.rankings(np.stack(queries), d)
    ]
    size = np.mean(rows) * d * vectors_of(next(index.copies[0].batches(0))).itemsize
    extra = f"; {np.mean(rows) / index.rows:.2%} of {index.rows:,} rows, {size / 1e6:.1f} MB"
    show(f"search, {probe} of {len(index.centres):,} cells", seconds, waited, extra)


def cells_of(searcher: Searcher, query: np.ndarray, probe: int) -> np.ndarray:
    (nearest,) = searcher.index.rankings(query[None], searcher.index.facts.d)
    return nearest(probe)


def blockwise(kind: Callable[[int], np.ndarray]) -> Callable[[Any], np.ndarray]:
    """Scoring cells by products with rows as they are kept."""

    def score(asked: Any) -> np.ndarray:
        query, cells = asked
        real = query.astype(np.float32)
        found = []
        for cell in cells.tolist():
            x = kind(cell)
            for first in range(0, len(x), 128):
                found.append(x[first : first + 128].astype(np.float32, copy=False) @ real)
        return np.concatenate(found)

    return score


def ways(searcher: Searcher, queries: Sequence[np.ndarray], probe: int, scratch: Path) -> None:
    """Scoring alone, of cells that are chosen already."""
    index = searcher.index
    d, k = index.facts.d, len(index.centres)
    starts = np.concatenate([[0], np.cumsum(index.cells.rows)])
    real = np.memmap(scratch / "real.f32", np.float32, "w+", shape=(int(starts[-1]), d))
    place = 0
    for cell in range(k):
        for batch in index.copies[0].batches(cell):
            x = vectors_of(batch)
            real[place : place + len(x)] = x
            place += len(x)
    plain = np.asarray(real)
    asked = [(query, cells_of(searcher, query, probe)) for query in queries]
    stored: dict[str, Callable[[int], np.ndarray]] = {
        "int16 mapped, as stored": lambda cell: vectors_of(next(index.copies[0].batches(cell))),
        "float32 mapped": lambda cell: plain[starts[cell] : starts[cell + 1]],
    }
    for name, kind in stored.items():
        before = waiting()
        show(name, seconds_of(blockwise(kind), asked), (waiting() - before) / 2)
    try:
        import faiss
    except ImportError:
        return
    for name, made in faiss_ways(faiss, plain, starts, d, k, scratch):
        for threads in (1, 2):
            faiss.omp_set_num_threads(threads)
            before = waiting()
            seconds = seconds_of(rescored(faiss, made, plain, probe), asked)
            show(f"{name}, {threads} threads", seconds, (waiting() - before) / 2)


def faiss_ways(
    faiss: Any, x: np.ndarray, starts: np.ndarray, d: int, k: int, scratch: Path
) -> Iterator[tuple[str, Any]]:
    """The same cells in faiss, in memory, vectors of unit length."""
    near = faiss.IndexFlatL2(d)
    near.add(np.zeros((k, d), np.float32))  # cells are chosen already
    for name, bits in (("faiss IVFFlat", 32), ("faiss IVF fp16", 16)):
        if bits == 32:
            made = faiss.IndexIVFFlat(near, d, k, faiss.METRIC_INNER_PRODUCT)
        else:
            kind = faiss.ScalarQuantizer.QT_fp16
            made = faiss.IndexIVFScalarQuantizer(
                near, d, k, kind, faiss.METRIC_INNER_PRODUCT, False
            )
            made.train(np.zeros((1, d), np.float32))
        for cell in range(k):
            some = x[starts[cell] : starts[cell + 1]] / 32767
            if len(some):
                ids = np.arange(starts[cell], starts[cell + 1])
                cells = np.full(len(some), cell)
                made.add_core(
                    len(some), faiss.swig_ptr(some), faiss.swig_ptr(ids), faiss.swig_ptr(cells)
                )
        yield name, made
        del made


def rescored(faiss: Any, made: Any, x: np.ndarray, probe: int) -> Callable[[Any], np.ndarray]:
    """Searching faiss's lists, and the best of that exactly."""

    def score(asked: Any) -> np.ndarray:
        query, cells = asked
        real = query.astype(np.float32)[None] / 32767
        made.nprobe = len(cells)
        _, rows = made.search_preassigned(
            real, AGAIN, cells[None].astype(np.int64), np.zeros((1, len(cells)), np.float32)
        )
        return cosines(query[None], x[rows[0][rows[0] >= 0]])[0]

    return score


def main() -> int:
    """Print a line for each number of cells."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--probe", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--copy", help="folder for the copy of the index")
    parser.add_argument("--ways", action="store_true", help="also other ways of scoring cells")
    parser.add_argument("--scratch", help="folder for 4 kB a picture (default: the system's)")
    options = parser.parse_args()
    started = time.monotonic()
    searcher = Searcher(options.workspace, options.copy)
    size = sum(f.stat().st_size for f in searcher.index.copies[0].folder.iterdir())
    tell(f"opened in {time.monotonic() - started:.1f} s; the copy has {size / 1e6:,.0f} MB"
         f" ({ROWS} and ids); {memory()}")  # fmt: skip
    queries = queries_of(searcher, options.queries)
    for probe in options.probe:
        whole(searcher, queries, probe)
    tell(memory())
    if options.ways:
        with TemporaryDirectory(dir=options.scratch) as name:
            ways(searcher, queries[:300], options.probe[-1], Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
