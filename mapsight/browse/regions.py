"""Regions of the map: polygons, and which places lie in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapsight.browse.filter_values import Point

__all__ = ["inside"]


def inside(places: np.ndarray, polygon: Sequence[Point]) -> np.ndarray:
    """Return which places a polygon has an odd number of edges to the right of: (k,) bool.

    That is inside, also for one that crosses itself (then as in the even-odd rule of SVG).

    Args:
        places: (k, 2). polygon: its corners; the last is joined to the first.
    """
    x, y = places.T
    odd = np.zeros(len(places), bool)
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if ay == by:
            continue
        crossing = ax + (y - ay) / (by - ay) * (bx - ax)
        odd ^= ((ay > y) != (by > y)) & (x < crossing)
    return odd
