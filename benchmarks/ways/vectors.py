"""faiss IVF and scikit-learn's MiniBatchKMeans on the rows of benchmarks/index.py, in memory.

    python -m benchmarks.ways.vectors faiss|minibatch ROWS SCRATCH CELLS ITERATIONS

Each is a process of its own, for its memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

PROBES = (1, 2, 4, 8, 16, 32, 64, 128)
TRAIN_PER_CELL = 128
"""As many vectors a cell to learn from as Mapsight takes."""
BLOCK = 65536
MEASURED = 2 * BLOCK


def batches_of(folder: Path) -> Iterator[np.ndarray]:
    """The vectors of all files of rows, (n, d) int16 of each batch."""
    for path in sorted(folder.glob("*.arrow")):
        with path.open("rb") as file:
            for batch in pa.ipc.open_stream(file):
                x = batch.column("vector")
                yield x.flatten().to_numpy().reshape(len(x), -1)


def rows_of(folder: Path) -> np.ndarray:
    """(n, d) float32 of unit length, from all files of rows."""
    shapes = [x.shape for x in batches_of(folder)]
    found = np.empty((sum(n for n, _ in shapes), shapes[0][1]), np.float32)
    start = 0
    for x in batches_of(folder):
        found[start : start + len(x)] = x
        start += len(x)
    for first in range(0, len(found), BLOCK):
        found[first : first + BLOCK] /= np.linalg.norm(found[first : first + BLOCK], axis=1)[
            :, None
        ]
    return found


def tell(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def memory() -> str:
    """Peak memory of this process so far."""
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB"


def inertia(centres: np.ndarray, x: np.ndarray) -> float:
    """Mean squared distance of rows to the nearest centre, of MEASURED of them at most."""
    import faiss

    x = x[:MEASURED]
    nearest = faiss.IndexFlatL2(centres.shape[1])
    nearest.add(centres)
    return sum(
        float(nearest.search(x[first : first + BLOCK], 1)[0].sum(dtype=np.float64))
        for first in range(0, len(x), BLOCK)
    ) / len(x)


def with_faiss(x: np.ndarray, k: int, iterations: int) -> np.ndarray:
    """The centres that faiss learns."""
    import faiss

    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(x.shape[1]), x.shape[1], k, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = iterations
    index.cp.max_points_per_centroid = TRAIN_PER_CELL
    index.train(x)
    return index.quantizer.reconstruct_n(0, k)


def with_minibatch(x: np.ndarray, k: int, iterations: int) -> np.ndarray:
    """The centres that scikit-learn learns; random seeds, for k-means++ alone takes minutes."""
    from sklearn.cluster import MiniBatchKMeans

    found: Any = MiniBatchKMeans(
        k, init="random", batch_size=16384, max_iter=iterations, n_init=1, random_state=0,
        reassignment_ratio=0, max_no_improvement=None, compute_labels=False,
    ).fit(x)  # fmt: skip
    return found.cluster_centers_


def search(centres: np.ndarray, x: np.ndarray, exact: Any) -> None:
    """Recall of an inverted file with these centres."""
    import faiss

    quantizer = faiss.IndexFlatL2(x.shape[1])
    quantizer.add(np.ascontiguousarray(centres, np.float32))
    index = faiss.IndexIVFFlat(quantizer, x.shape[1], len(centres), faiss.METRIC_INNER_PRODUCT)
    started, before = time.monotonic(), time.process_time()
    index.add(x)
    spent = time.process_time() - before
    tell(f"  add {time.monotonic() - started:.1f} s, {spent:.1f} s of processor time, {memory()}")
    q = exact["queries"].astype(np.float32)
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    sizes = np.array([index.invlists.list_size(cell) for cell in range(len(centres))])
    ranked = quantizer.search(q, min(PROBES[-1], len(centres)))[1]
    for probes in PROBES:
        index.nprobe = probes
        started = time.monotonic()
        scores, _ = index.search(q, 10)
        seconds = (time.monotonic() - started) / len(q)
        hits = (scores >= exact["best"][:, -1:] - 1e-6).mean()
        share = sizes[ranked[:, :probes]].sum() / len(q) / len(x)
        tell(f"  probe {probes}: recall@10 {hits:.3f}, {share:.2%} of the rows,"
             f" {seconds * 1e3:.2f} ms a query, all at once")  # fmt: skip


def main() -> int:
    """Print a line for each step."""
    way, folder, scratch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    k, iterations = map(int, sys.argv[4:])
    x = rows_of(folder)
    started, before = time.monotonic(), time.process_time()
    centres = {"faiss": with_faiss, "minibatch": with_minibatch}[way](x, k, iterations)
    spent = time.process_time() - before
    tell(f"{way}, {k} cells, {iterations} iterations: {time.monotonic() - started:.1f} s,"
         f" {spent:.1f} s of processor time, {memory()}")  # fmt: skip
    tell(f"  mean squared distance {inertia(centres, x):.5f}")
    search(centres, x, np.load(scratch / "exact.npz"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
