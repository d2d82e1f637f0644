"""What an index of int8 loses against one of int16: recall of exact search.

    python -m benchmarks.quality.int8 --workspace DONE [--rows 50000]

Every picture of a finished workspace is a query, itself left out, with new features and with
embeddings alone; then 200 mixtures (benchmarks/mixtures.py) among so many others.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.index import QUERIES, embeddings_of, tell
from benchmarks.mixtures import mixtures
from driver.workspace.workspace import Workspace
from mapsight.index.rows import read_batches, to_int8, vectors_of

DEPTHS = (1, 10, 100)


def likeness(queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(nq, n) cosines."""
    q, x = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (queries, rows))
    return q @ x.T


def show(name: str, queries: np.ndarray, rows: np.ndarray, *, itself: bool) -> None:
    """Print recall@1, 10 and 100 of int8, and by how much a score is off at most."""
    stored, _ = to_int8(rows)
    exact, rough = (likeness(queries.astype(float), x.astype(float)) for x in (rows, stored))
    if itself:
        for scores in (exact, rough):
            np.fill_diagonal(scores, -1)
    best = [np.argsort(-scores, axis=1, kind="stable") for scores in (exact, rough)]
    found = [
        np.mean([np.isin(a[:k], b[:k]).mean() for a, b in zip(*best, strict=True)]) for k in DEPTHS
    ]
    recalls = ", ".join(f"recall@{k} {value:.3f}" for k, value in zip(DEPTHS, found, strict=True))
    tell(f"{name}, {len(rows):,} rows, {len(queries):,} queries: {recalls};"
         f" scores off by {np.abs(exact - rough).max():.4f} at most")  # fmt: skip


def main() -> int:
    """Print a line for each kind of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--rows", type=int, default=50_000, help="mixtures")
    options = parser.parse_args()
    parts = Workspace(options.workspace).parts("vectors")
    uris = [uri for uri in parts if uri.endswith(".arrow")]
    rows = np.concatenate([vectors_of(batch) for uri in uris for batch in read_batches(uri)])
    show("new features", rows, rows, itself=True)
    pictures = embeddings_of(options.workspace)
    show("embeddings", pictures, pictures, itself=True)
    mixed, queries = (
        np.concatenate(list(mixtures(pictures, n, seed)))
        for n, seed in ((options.rows, 1), (QUERIES, 2))
    )
    show("mixtures", queries, mixed, itself=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
