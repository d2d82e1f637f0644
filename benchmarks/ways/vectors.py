"""faiss IVF and scikit-learn's MiniBatchKMeans on the rows of benchmarks/index.py, in memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

PROBES = (1, 2, 4, 8, 16, 32, 64, 128)


def rows_of(folder: Path) -> np.ndarray:
    """(n, d) float32 of unit length, from all files of rows."""
    found = []
    for path in sorted(folder.glob("*.arrow")):
        with path.open("rb") as file:
            for batch in pa.ipc.open_stream(file):
                x = batch.column("vector")
                found.append(x.flatten().to_numpy().reshape(len(x), -1).astype(np.float32))
    x = np.concatenate(found)
    del found
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def tell(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def memory() -> str:
    """Peak memory of this process so far."""
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB"


def main() -> int:
    """Arguments: folder of rows, scratch folder with exact.npz, cells, iterations."""
    import faiss
    from sklearn.cluster import MiniBatchKMeans

    folder, scratch, k, iterations = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
    x = rows_of(folder)
    exact = np.load(scratch / "exact.npz")
    q = exact["queries"].astype(np.float32)
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(x.shape[1]), x.shape[1], k, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = iterations
    index.cp.max_points_per_centroid = 128
    started = time.monotonic()
    index.train(x)
    trained = time.monotonic()
    index.add(x)
    tell(f"faiss IVF-Flat, {k} cells: train {trained - started:.1f} s, add"
          f" {time.monotonic() - trained:.1f} s, {memory()}")  # fmt: skip
    for probes in PROBES:
        index.nprobe = probes
        started = time.monotonic()
        scores, _ = index.search(q, 10)
        seconds = (time.monotonic() - started) / len(q)
        hits = (scores >= exact["best"][:, -1:] - 1e-6).mean()
        tell(f"  probe {probes}: recall@10 {hits:.3f}, {seconds * 1e3:.2f} ms a query")
    del index
    started = time.monotonic()
    found = MiniBatchKMeans(k, batch_size=4096, max_iter=iterations, n_init=1, random_state=0).fit(
        x
    )
    tell(f"MiniBatchKMeans: {time.monotonic() - started:.1f} s, inertia"
          f" {found.inertia_:.1f} of unit vectors, {memory()}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
