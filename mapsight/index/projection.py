"""Embeddings in fewer numbers, in which cells are chosen: exact at the speed of float32.

The axes are principal components (Pearson 1901) in whole numbers, and embeddings are rounded to
multiples of STEP, so that all sums stay below 2**24, where float32 is exact: |Σ a·b| ≤ |a|·|b|
(Cauchy and Schwarz) holds for every part of a sum too. The result depends on no order of summation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["AXIS", "Projection", "load_projection"]

STEP_BITS = 3
AXIS = 2048
"""The length of an axis."""
MOST = 32767
EXACT = (1 << 24) / (AXIS + 64)
"""The length of a rounded embedding up to which float32 is exact; of unit length it is 4,112."""
BLOCK = 1024


class Projection:
    """Turns the embedding in a vector into fewer numbers; what follows it (label scores) stays.

    Args:
        axes: (p, plain_d) int16, rows of length AXIS, at right angles to each other.
    """

    def __init__(self, axes: np.ndarray) -> None:
        self.axes = axes
        self._real = np.ascontiguousarray(axes.T, np.float32)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return (n, d) int16 vectors in fewer numbers: (n, d - plain_d + p) int16.

        Lengths and distances stay about the same.
        """
        p, plain_d = self.axes.shape
        y = np.empty((len(x), x.shape[1] - plain_d + p), np.int16)
        y[:, p:] = x[:, plain_d:]
        for first in range(0, len(x), BLOCK):
            rows = slice(first, first + BLOCK)
            y[rows, :p] = self._turned(x[rows, :plain_d])
        return y

    def _turned(self, x: np.ndarray) -> np.ndarray:
        real = ((x >> STEP_BITS) + (x >> STEP_BITS - 1 & 1)).astype(np.float32)
        longest = np.einsum("nd,nd->n", real, real).max(initial=0.0)
        axes = self._real
        if longest > (0.99 * EXACT) ** 2:  # of no embedding, but of a vector that somebody gives
            real, axes = real.astype(np.float64), axes.astype(np.float64)
        return np.clip(np.rint(real @ axes * (2**STEP_BITS / AXIS)), -MOST, MOST)


def load_projection(path: str | Path) -> Projection:
    """Return the projection in a .npy file.

    Raises:
        ValueError: it holds something else; names the file.
    """
    axes = np.load(path, allow_pickle=False)
    if axes.dtype != np.int16 or axes.ndim != 2 or not len(axes):
        raise ValueError(f"{path}: no projection ({axes.dtype} {axes.shape})")
    return Projection(axes)
