"""Discs that are pushed apart until no two overlap, and fitted into the unit square."""

from __future__ import annotations

import numpy as np

__all__ = ["apart"]

ROUNDS = 60
FILLED = 0.35
"""Share of the places' extent that all discs have together at first."""
LEAST, MOST = 0.5, 3.0
"""Radii, in those of the middle one."""
MARGIN = 1.02


def apart(places: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (places (k, 2), radii (k,)) of discs in the unit square that do not overlap.

    Args:
        places: (k, 2) where they should be.
        sizes: (k,) pictures of each; the radius grows with the root, within LEAST and MOST.
    """
    if not len(places):
        return places, sizes.astype(np.float64)
    y, r = places - places.mean(axis=0), _radii(places, sizes)
    for _ in range(ROUNDS):
        one, other = _near(y, r * MARGIN)
        if not len(one):
            break
        y = y + _moves(y, r * MARGIN, one, other)
    return _fitted(y, _free(y, r))


def _radii(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    roots = np.sqrt(np.maximum(sizes, 0).astype(np.float64))
    radii = np.clip(roots / max(float(np.median(roots)), 1.0), LEAST, MOST)
    area = float(np.prod(np.maximum(np.ptp(places, axis=0), 1e-9)))
    return radii * np.sqrt(FILLED * area / (np.pi * (radii**2).sum()))


def _near(y: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (one, other) of discs that overlap, each once."""
    box = np.floor((y - y.min(axis=0)) / (2 * r.max())).astype(np.int64)
    width = int(box[:, 1].max()) + 3
    keys = box[:, 0] * width + box[:, 1] + 1
    order = np.argsort(keys, kind="stable")
    boxed = keys[order]
    pairs = [_pairs(order, boxed, step) for step in (0, 1, width - 1, width, width + 1)]
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    gap = np.hypot(*(y[one] - y[other]).T)
    close = gap < r[one] + r[other] - 1e-15
    return one[close], other[close]


def _pairs(order: np.ndarray, boxed: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of discs whose boxes are a step apart; each once within a box."""
    first = np.searchsorted(boxed, boxed + step, "left")
    last = np.searchsorted(boxed, boxed + step, "right")
    if not step:
        first = np.arange(1, len(order) + 1)
    counts = np.maximum(last - first, 0)
    one = np.repeat(np.arange(len(order)), counts)
    other = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + first[one]
    return order[one], order[other]


def _moves(y: np.ndarray, r: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how far each disc is pushed by those that it overlaps: (k, 2)."""
    gaps = y[one] - y[other]
    lengths = np.hypot(*gaps.T)
    apart_ = np.where(lengths[:, None] > 0, gaps, [1.0, 0.0])
    unit = apart_ / np.where(lengths > 0, lengths, 1.0)[:, None]
    push = ((r[one] + r[other] - lengths) / 2)[:, None] * unit
    moves = np.zeros_like(y)
    for axis in (0, 1):
        moves[:, axis] += np.bincount(one, push[:, axis], len(y))
        moves[:, axis] -= np.bincount(other, push[:, axis], len(y))
    touching = np.bincount(one, minlength=len(y)) + np.bincount(other, minlength=len(y))
    return moves / np.maximum(touching, 1)[:, None] * 1.2


def _free(y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return radii, those of discs that still overlap made so much smaller that they touch."""
    one, other = _near(y, r)
    shares = np.hypot(*(y[one] - y[other]).T) / (r[one] + r[other])
    least = np.ones(len(r))
    np.minimum.at(least, one, shares)
    np.minimum.at(least, other, shares)
    return r * least


def _fitted(y: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places and radii in the unit square, in the middle of it."""
    low, high = (y - r[:, None]).min(axis=0), (y + r[:, None]).max(axis=0)
    scale = 1 / max(float((high - low).max()), 1e-12)
    return (y - (low + high) / 2) * scale + 0.5, r * scale
