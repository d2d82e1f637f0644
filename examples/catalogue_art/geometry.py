"""Outlines as arrays of points, (n, 2) float, x to the right and y down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

__all__ = ["Path", "Points", "along", "curve", "ellipse", "limb", "smooth", "spiky", "turned"]

Points = np.ndarray
"""(n, 2) float."""

Path = Sequence[tuple[float, float, float]]
"""A line with its width: (x, y, width) at each of its points."""


def _spline(p: np.ndarray, samples: int) -> np.ndarray:
    """A Catmull-Rom spline through p[1] ... p[-2]; Catmull and Rom 1974.

    Args:
        p: (k, d), k at least 4.

    Returns:
        ((k - 3) * samples, d).
    """
    t = np.arange(samples)[None, :, None] / samples
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    cubic = (3 * b - a - 3 * c + d) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2
    return (0.5 * (cubic + (c - a) * t + 2 * b)).reshape(-1, p.shape[1])


def smooth(points: Sequence[tuple[float, float]] | Points, samples: int = 6) -> Points:
    """A closed outline through the points."""
    p = np.asarray(points, float)
    return _spline(np.concatenate([p[-1:], p, p[:2]]), samples)


def curve(path: Path | np.ndarray, samples: int = 6) -> np.ndarray:
    """A path made smooth, (n, 3), from its first to its last point."""
    p = np.asarray(path, float)
    return np.concatenate([_spline(np.concatenate([p[:1], p, p[-1:]]), samples), p[-1:]])


def along(path: Path | np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places every `gap` along a path.

    Returns:
        places (n, 3), unit tangents (n, 2), unit normals (n, 2).
    """
    line = curve(path)
    steps = np.hypot(*np.diff(line[:, :2], axis=0).T)
    length = np.concatenate([[0], np.cumsum(steps)])
    at = np.arange(gap / 2, length[-1], gap)
    places = np.stack([np.interp(at, length, column) for column in line.T], axis=1)
    tangents = np.stack([np.interp(at, length, g) for g in _directions(line).T], axis=1)
    return places, tangents, np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)


def _directions(line: np.ndarray) -> np.ndarray:
    d = np.gradient(line[:, :2], axis=0)
    return d / np.maximum(np.hypot(*d.T), 1e-9)[:, None]


def limb(path: Path | np.ndarray) -> Points:
    """The outline of a path: as wide as it says, with round ends."""
    line = curve(path)
    d = _directions(line)
    side = np.stack([-d[:, 1], d[:, 0]], axis=1) * line[:, 2:] / 2
    return np.concatenate(
        [
            line[:, :2] + side,
            _cap(line[-1], d[-1]),
            (line[:, :2] - side)[::-1],
            _cap(line[0], -d[0]),
        ]
    )


def _cap(end: np.ndarray, direction: np.ndarray) -> Points:
    turn = np.linspace(np.pi / 2, -np.pi / 2, 7)[1:-1] + np.arctan2(direction[1], direction[0])
    return end[:2] + end[2] / 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0, points: int = 26) -> Points:
    """An ellipse; `turn` in radians, clockwise."""
    outline = _circle(points) * (rx, ry)
    return (turned(outline, turn) if turn else outline) + (x, y)


@cache
def _circle(points: int) -> Points:
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def turned(points: Points, turn: float) -> Points:
    """Points turned about the origin, clockwise as y points down."""
    c, s = np.cos(turn), np.sin(turn)
    return points @ np.array([[c, s], [-s, c]])


def spiky(
    x: float, y: float, rx: float, ry: float, spikes: int, depth: float, rng: np.random.Generator
) -> Points:
    """A round tuft: an ellipse whose edge goes in and out by about `depth` of its radius."""
    t = np.linspace(0, 2 * np.pi, 2 * spikes, endpoint=False)
    t = t + rng.uniform(-0.3, 0.3, 2 * spikes) * np.pi / spikes
    r = 1 - depth * (np.arange(2 * spikes) % 2) * rng.uniform(0.6, 1.4, 2 * spikes)
    return np.stack([x + rx * r * np.cos(t), y + ry * r * np.sin(t)], axis=1)
