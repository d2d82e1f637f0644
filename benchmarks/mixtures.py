"""Made-up embeddings that are as hard to search as real ones, always the same.

Each is a convex mixture of four embeddings of pictures, with Dirichlet(1) weights, and a
little noise, of unit length. (Gaussian clusters would be easier to search than pictures are.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["BLOCK", "mixtures"]

BLOCK = 1024
PARTS = 4
NOISE = 0.002


def mixtures(pictures: np.ndarray, rows: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of BLOCK mixtures, and one of the rest: (n, d) int16, times 32767.

    Args:
        pictures: (m, d) int16 embeddings of pictures.
        rows: how many in all.
        seed: different seeds give different mixtures; a block depends on it and its number.
    """
    real = pictures.astype(np.float32) / 32767
    for number, start in enumerate(range(0, rows, BLOCK)):
        n = min(BLOCK, rows - start)
        rng = np.random.default_rng([seed, number])
        weights = rng.dirichlet(np.ones(PARTS), n).astype(np.float32)
        chosen = rng.integers(0, len(real), (n, PARTS))
        mixed = np.einsum("np,npd->nd", weights, real[chosen])
        mixed += rng.standard_normal(mixed.shape, np.float32) * NOISE
        mixed *= 32767 / np.linalg.norm(mixed, axis=1, keepdims=True)
        yield np.rint(mixed).astype(np.int16)
