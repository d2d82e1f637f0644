"""What tells whether something is wrong with a picture: its tones, how crisp, how plain it is.

All are of the grey picture of 256 x 256 pixels that the other measures are of, but `chroma`.
They are ratios of whole numbers, so that every machine gives the same.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

__all__ = ["GRID", "NEAR", "tones"]

GRID = 64
"""Pixels a side that are looked at for colour."""
NEAR = 9
"""Neighbouring grey levels that count as one."""


def tones(grey: Image.Image, image: Image.Image) -> dict[str, float]:
    """Return measures that flags are made of, rounded to 6 decimals.

    Args:
        grey: `measures.grey_working` of the picture.
        image: the picture, RGB or L.

    Returns:
        brightness: mean luma, 0 to 255.
        contrast: its standard deviation (RMS contrast, Peli 1990), 0 to 127.5.
        shadows, lights: the luma that 5 % and 95 % of the pixels do not exceed.
        plain: share of pixels within the NEAR neighbouring levels that have most.
        flat: share of pixels whose right neighbour has the same level.
        stripes: how much of the change from row to row, or from column to column, is the
            same along all of it, 0 to 1: high for lines of text, frames and tables.
        crispness: the 99th percentile of the absolute Laplacian over that of the difference
            of neighbours, both in every other row: how abrupt the strongest edges are, whatever
            their contrast.
        chroma: max - min of red, green and blue that 99 % of pixels on a grid do not exceed.
    """
    level = np.asarray(grey).astype(np.int16)
    across, down = np.diff(level, axis=1), np.diff(level, axis=0)
    bends = np.diff(across[1:-1:2], axis=1) + (down[1::2] - down[:-1:2])[:, 1:-1]
    edges = np.abs(across)
    slope = max(_share_below(_counted(edges[::2]), 99), 1)
    found = {
        **_levels(np.array(grey.histogram(), np.int64)),
        "flat": np.count_nonzero(edges == 0) / edges.size,
        "stripes": max(_along(level, np.abs(down), 1), _along(level, edges, 0)),
        "crispness": _share_below(_counted(np.abs(bends)), 99) / slope,
        "chroma": float(_chroma(image)),
    }
    return {name: round(float(value), 6) for name, value in found.items()}


def _levels(counts: np.ndarray) -> dict[str, float]:
    """Return what the 256 counts of grey levels say."""
    levels, n = np.arange(256), int(counts.sum())
    total, squares = int(counts @ levels), int(counts @ levels**2)
    sums = np.cumsum(np.concatenate([[0], counts]))
    return {
        "brightness": total / n,
        "contrast": math.sqrt(n * squares - total**2) / n,
        "shadows": _share_below(counts, 5),
        "lights": _share_below(counts, 95),
        "plain": int((sums[NEAR:] - sums[:-NEAR]).max()) / n,
    }


def _counted(numbers: np.ndarray) -> np.ndarray:
    return np.bincount(numbers.ravel())


def _share_below(counts: np.ndarray, percent: int) -> int:
    """Return the least number that so many per cent of what was counted do not exceed."""
    sums = np.cumsum(counts)
    return int(np.searchsorted(100 * sums, percent * int(sums[-1])))


def _along(level: np.ndarray, steps: np.ndarray, axis: int) -> float:
    """Return the change between sums along an axis as a share of all steps across it."""
    sums = np.abs(np.diff(level.sum(axis=axis, dtype=np.int32))).sum(dtype=np.int32)
    return int(sums) / max(int(steps.sum(dtype=np.int32)), 1)


def _chroma(image: Image.Image) -> int:
    if image.mode == "L":
        return 0
    grid = np.asarray(image.resize((GRID, GRID), Image.Resampling.NEAREST))
    red, green, blue = (grid[..., i] for i in range(3))  # along an axis is ten times as slow
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return _share_below(_counted(spread), 99)
