"""Places of cells in two dimensions, by the likeness of their centres."""

from __future__ import annotations

import numpy as np

__all__ = ["cell_places"]


def cell_places(centres: np.ndarray) -> np.ndarray:
    """Return the first two principal coordinates of centres: (k, 2) float64, to 6 digits.

    A coordinate's largest entry is positive, so that its sign is not a matter of chance.

    Args:
        centres: (k, d), up to some thousand.

    Reference: Torgerson, "Multidimensional scaling: I. Theory and method", 1952.
    """
    if not len(centres):
        return np.zeros((0, 2))
    x = centres.astype(np.float64)
    x -= x.mean(axis=0)
    values, vectors = np.linalg.eigh(x @ x.T)
    places = np.zeros((len(x), 2))
    first = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    signs = np.sign(first[np.abs(first).argmax(axis=0), np.arange(first.shape[1])])
    places[:, : first.shape[1]] = first * signs
    scale = np.abs(places).max() or 1.0
    return (places / scale).round(6)
