"""Farthest-first: of some vectors those that leave no other far from all of them."""

from __future__ import annotations

import numpy as np

from mapsight.index.cosines import cosines_from, squares

__all__ = ["farthest_first"]


def farthest_first(x: np.ndarray, count: int) -> np.ndarray:
    """Return which vectors the greedy choice of k centres takes, in its order: (count,) int64.

    It begins with the first and adds, again and again, the one that is least like all that are
    chosen; of equal ones the first. No choice of as many leaves the farthest of the others less
    than half as far (T. Gonzalez, "Clustering to minimize the maximum intercluster distance",
    1985). In active learning it is known as the core-set approach, or k-center greedy (O. Sener,
    S. Savarese, ICLR 2018). Exact: the same on every machine. Memory: 8 bytes a number of `x`.

    Args:
        x: (n, d) int16, compared by cosine.
        count: how many; all are taken of fewer.
    """
    real, lengths = x.astype(np.float64), squares(x)
    nearest = np.full(len(x), -np.inf)
    chosen = np.zeros(min(count, len(x)), np.int64)
    for place in range(1, len(chosen)):
        last = chosen[place - 1]
        alike = cosines_from((real @ real[last])[None], lengths[last : last + 1], lengths)[0]
        nearest = np.maximum(nearest, alike)
        nearest[last] = np.inf
        chosen[place] = nearest.argmin()
    return chosen
