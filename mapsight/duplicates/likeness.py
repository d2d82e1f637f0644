"""Whether tiles show the same picture, in one of its views: by the correlation of their detail.

Of each tile the Laplacian is taken (what differs from the neighbours), which neither brightness
nor contrast nor soft shadows change, and which two pictures of like layout do not share.
"""

from __future__ import annotations

import numpy as np

from mapsight.duplicates.tiles import SIDE, VIEWS, view

__all__ = ["LEAST_LIKENESS", "alike", "best_view", "detail_of", "laplacian", "unit"]

LEAST_LIKENESS = 0.75
"""Of copies: correlation of what two tiles have in detail."""
BLOCK = 6
LEAST_DETAIL = 0.25
"""Of what blocks have on average: those with less are not looked at one by one."""
LEAST_IN_BLOCK, MOST_UNLIKE = 0.6, 1 / 8
"""Cosine of the detail of a block, and the share of blocks that may have less."""


def laplacian(x: np.ndarray) -> np.ndarray:
    """Return four times each pixel less its neighbours: (…, h, w) becomes (…, h - 2, w - 2)."""
    beside = x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return 4 * x[..., 1:-1, 1:-1] - x[..., :-2, 1:-1] - x[..., 2:, 1:-1] - beside


def unit(x: np.ndarray) -> np.ndarray:
    """Return pictures less their mean, of length 1, as float64; one without contrast stays zero.

    Args:
        x: (…, h, w).
    """
    x = x - x.mean(axis=(-2, -1), keepdims=True)
    length = np.sqrt((x * x).sum(axis=(-2, -1), keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length > 1e-9)


def detail_of(tiles: np.ndarray) -> np.ndarray:
    """Return the detail of tiles: (n, SIDE, SIDE) uint8 becomes (n, SIDE - 2, SIDE - 2) float64."""
    return unit(laplacian(tiles.reshape(-1, SIDE, SIDE).astype(np.float64)))


def best_view(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return in which view pictures are alike to others; -1 where in none.

    Args:
        one, other: (n, s, s) of `detail_of`, pairs.

    Returns:
        (n,) int.
    """
    scores = np.stack([np.einsum("nij,nij->n", view(one, v), other) for v in range(VIEWS)])
    best = scores.argmax(axis=0)
    seen = np.stack([view(x, v) for x, v in zip(one, best, strict=True)]) if len(one) else one
    return np.where(alike(seen, other, LEAST_LIKENESS), best, -1)


def alike(one: np.ndarray, other: np.ndarray, least: float) -> np.ndarray:
    """Return which pairs of pictures are alike as they lie, on the whole and nearly everywhere.

    Documents of one form are alike on the whole, but not where their texts differ: of the blocks
    of BLOCK x BLOCK pixels that have detail, few may differ.

    Args:
        one, other: (n, s, s) of `unit`, s a multiple of BLOCK.
        least: correlation.
    """
    dots, mine, yours = (_by_block(x) for x in (one * other, one * one, other * other))
    with_detail = mine + yours > 2 * LEAST_DETAIL / mine.shape[1]
    unlike = with_detail & (dots < LEAST_IN_BLOCK * np.sqrt(mine * yours))
    few = unlike.sum(axis=1) <= MOST_UNLIKE * with_detail.sum(axis=1)
    return (dots.sum(axis=1) >= least) & few


def _by_block(x: np.ndarray) -> np.ndarray:
    n, side = len(x), x.shape[-1] // BLOCK
    return x.reshape(n, side, BLOCK, side, BLOCK).sum(axis=(2, 4)).reshape(n, side * side)
