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
_POWERS = np.stack([np.arange(256), np.arange(256) ** 2])


def tones(
    grey: Image.Image, image: Image.Image, level: np.ndarray | None = None
) -> dict[str, float]:
    """Return measures that flags are made of, rounded to 6 decimals.

    Args:
        grey: `measures.grey_working` of the picture.
        image: the picture, RGB or L.
        level: the grey levels, (256, 256) int16, where they are at hand.

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
    level = np.asarray(grey).astype(np.int16) if level is None else level
    across, down = level[:, 1:] - level[:, :-1], level[1:] - level[:-1]
    inner = across[1:-1:2]
    bends = inner[:, 1:] - inner[:, :-1]
    bends += (down[1::2] - down[:-1:2])[:, 1:-1]
    edges = np.abs(across)
    slope = max(_share_below(_counted(edges[::2]), 99), 1)
    found = {
        **_levels(np.array(grey.histogram(), np.int64)),
        "flat": (edges.size - np.count_nonzero(edges)) / edges.size,
        "stripes": max(_along(level, np.abs(down, out=down), 1), _along(level, edges, 0)),
        "crispness": _steepest(np.abs(bends, out=bends)) / slope,
        "chroma": float(_chroma(image)),
    }
    return {name: round(float(value), 6) for name, value in found.items()}


def _levels(counts: np.ndarray) -> dict[str, float]:
    """Return what the 256 counts of grey levels say."""
    sums = np.zeros(257, np.int64)
    counts.cumsum(out=sums[1:])
    n, total, squares = int(sums[-1]), *map(int, _POWERS @ counts)
    shadows, lights = sums[1:].searchsorted((-(-5 * n // 100), -(-95 * n // 100))).tolist()
    return {
        "brightness": total / n,
        "contrast": math.sqrt(n * squares - total**2) / n,
        "shadows": shadows,
        "lights": lights,
        "plain": int((sums[NEAR:] - sums[:-NEAR]).max()) / n,
    }


def _counted(numbers: np.ndarray) -> np.ndarray:
    """Return how many there are of each of the numbers 0 to 255."""
    return np.array(Image.fromarray(numbers.astype(np.uint8)).histogram(), np.int64)


def _steepest(bends: np.ndarray) -> int:
    """Return the 99th percentile of numbers that are seldom above 254."""
    top = _share_below(_counted(np.minimum(bends, 255)), 99)
    return top if top < 255 else _share_below(np.bincount(bends.ravel()), 99)


def _share_below(counts: np.ndarray, percent: int) -> int:
    """Return the least number that so many per cent of what was counted do not exceed."""
    sums = counts.cumsum()
    return int(sums.searchsorted(-(-percent * int(sums[-1]) // 100)))


def _along(level: np.ndarray, steps: np.ndarray, axis: int) -> float:
    """Return the change between sums along an axis as a share of all steps across it."""
    sums = level.sum(axis=axis, dtype=np.int32)
    changed = np.abs(sums[1:] - sums[:-1]).sum(dtype=np.int32)
    return int(changed) / max(int(steps.sum(dtype=np.int32)), 1)


def _chroma(image: Image.Image) -> int:
    if image.mode == "L":
        return 0
    grid = np.asarray(image.resize((GRID, GRID), Image.Resampling.NEAREST))
    colours = np.ascontiguousarray(grid.reshape(-1, 3).T)  # along the last axis it is slower
    spread = colours.max(axis=0) - colours.min(axis=0)
    place = math.ceil(0.99 * spread.size) - 1
    return int(np.partition(spread, place)[place])
