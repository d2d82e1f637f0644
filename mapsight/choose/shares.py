"""Equal shares of a number, where some groups are too small for theirs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["shares"]


def shares(sizes: Sequence[int], count: int) -> list[int]:
    """Return how many to take of each group, as equal as their sizes allow.

    What a small group cannot give, the others give in equal shares (max-min fairness, by water
    filling); what is left over is one each of the largest, of equal ones the first.

    Args:
        sizes: of the groups, 0 or more.
        count: how many in all; of fewer all are taken.

    >>> shares([2, 50, 90], 30)
    [2, 14, 14]
    >>> shares([5, 5, 9], 8), shares([1, 2], 9)
    ([3, 2, 3], [1, 2])
    """
    known = np.asarray(sizes, np.int64)
    count = min(count, int(known.sum()))
    level = _level(known, count)
    taken = np.minimum(known, level)
    more = np.argsort(-known, kind="stable")[: count - int(taken.sum())]
    taken[more] += 1
    return taken.tolist()


def _level(sizes: np.ndarray, count: int) -> int:
    """Return the greatest share that all groups, or all that they have, can give."""
    low, high = 0, int(sizes.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(sizes, middle).sum() <= count:
            low = middle
        else:
            high = middle - 1
    return low
