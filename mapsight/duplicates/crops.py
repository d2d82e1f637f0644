"""Whether one tile is a part of another: a crop, or what is inside of a border or above a caption.

Windows of a tile are laid over the other tile, first coarsely (all windows on a grid of 16 x 16,
seen as 8 x 8 pixels), then the windows around the best on the grid of 32 x 32, as 20 x 20.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mapsight.duplicates.likeness import alike, laplacian, unit
from mapsight.duplicates.tiles import SIDE

__all__ = ["are_parts", "windows"]

COARSE, FINE = (SIDE // 2, 8), (SIDE, 20)
"""Pixels of the grid that windows lie on, and of a window."""

LEAST_SHARE = 0.7
"""Of each side of a picture that a part of it has at least: some .5 of the area, with both."""
LEAST_COARSE, LEAST_FINE = 0.65, 0.8
"""Correlation of detail, coarse and fine, of a part and the window of the whole that shows it."""
TRIED = 24
"""Coarse windows whose neighbours are tried: the best is not always next to the true one."""


@lru_cache
def windows(grid: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the spans of a side, the whole side first, and what makes pixels of each.

    Returns:
        (k, 2): length and start of each span; (k, pixels, grid) float64, whole numbers: how
        much of each pixel of the grid is in a pixel of the window.
    """
    lengths = range(grid, int(LEAST_SHARE * grid) - 1, -1)
    spans = [(length, start) for length in lengths for start in range(grid - length + 1)]
    edges = np.arange(grid + 1) * pixels
    shares = []
    for length, start in spans:
        cut = start * pixels + np.arange(pixels + 1) * length
        low = np.maximum(cut[:-1, None], edges[None, :-1])
        shares.append(np.maximum(np.minimum(cut[1:, None], edges[None, 1:]) - low, 0))
    return np.array(spans), np.stack(shares).astype(np.float64)


def are_parts(wholes: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return which tiles are parts of others.

    Args:
        wholes, parts: (n, SIDE, SIDE) uint8, pairs of tiles.

    Returns:
        (n,) bool.
    """
    small, fine = (_seen(_pooled(parts), *COARSE), _seen(parts.astype(np.float64), *FINE))
    scores = np.einsum("nkij,nij->nk", _coarse(wholes), small)
    found = np.zeros(len(wholes), bool)
    for i in np.flatnonzero(scores.max(axis=1, initial=0) >= LEAST_COARSE):
        best = np.argsort(-scores[i], kind="stable")[:TRIED].tolist()
        whole = wholes[i].astype(np.float64)
        tried = np.concatenate([_around(whole, one) for one in best])
        like = int(np.einsum("kij,ij->k", tried, fine[i]).argmax())
        found[i] = alike(tried[like : like + 1], fine[i : i + 1], LEAST_FINE)[0]
    return found


def _pooled(x: np.ndarray) -> np.ndarray:
    """Return sums of 2 x 2 pixels: (n, s, s) becomes (n, s / 2, s / 2) float64."""
    n, side = len(x), x.shape[-1] // 2
    return x.reshape(n, side, 2, side, 2).sum(axis=(2, 4), dtype=np.float64)


def _seen(x: np.ndarray, grid: int, pixels: int) -> np.ndarray:
    """Return the detail of whole tiles in the pixels of a window: (n, grid, grid) float64."""
    whole = windows(grid, pixels)[1][0]
    return unit(laplacian(whole @ x @ whole.T))


def _coarse(tiles: np.ndarray) -> np.ndarray:
    """Return the detail of all coarse windows: (n, k * k, 6, 6)."""
    _, shares = windows(*COARSE)
    k, pixels, grid = shares.shape
    rows = shares.reshape(k * pixels, grid)
    seen = rows @ _pooled(tiles) @ rows.T
    seen = seen.reshape(-1, k, pixels, k, pixels).transpose(0, 1, 3, 2, 4)
    return unit(laplacian(seen)).reshape(len(tiles), k * k, pixels - 2, pixels - 2)


def _around(whole: np.ndarray, best: int) -> np.ndarray:
    """Return the detail of the fine windows near a coarse one: (m, 18, 18)."""
    spans, _ = windows(*COARSE)
    down, across = (_near(*spans[one].tolist()) for one in divmod(best, len(spans)))
    seen = np.einsum("aip,pq,bjq->abij", down, whole, across, optimize=True)
    return unit(laplacian(seen)).reshape(-1, FINE[1] - 2, FINE[1] - 2)


@lru_cache
def _near(length: int, start: int) -> np.ndarray:
    """Return those fine windows of a side whose length and start are next to a coarse one's."""
    spans, shares = windows(*FINE)
    near = (abs(spans[:, 0] - 2 * length) <= 1) & (abs(spans[:, 1] - 2 * start) <= 1)
    return shares[near]
