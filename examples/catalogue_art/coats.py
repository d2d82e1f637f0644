"""Patterns of coats: marks laid along a part's path, cut off at its outline by the pen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalogue_art.geometry import Path, along, ellipse
from catalogue_art.pen import Colour, Mark, shade_of

__all__ = ["Coat", "bands", "patches", "plain", "rosettes", "spots", "wedges", "wrinkles"]

Pattern = Callable[[Path, np.random.Generator], list[Mark]]


@dataclass(frozen=True)
class Coat:
    """The colours of an animal and the pattern on it."""

    base: Colour
    belly: Colour
    dark: Colour
    pattern: Pattern

    def far(self) -> Colour:
        """The base colour of legs on the far side."""
        return shade_of(self.base, 0.78)


def plain(path: Path, rng: np.random.Generator) -> list[Mark]:
    """No pattern."""
    return []


def _places(path: Path, gap: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`along` a path and its round ends."""
    p = np.asarray(path, float)
    for end, inner in ((0, 1), (-1, -2)):
        way = p[end, :2] - p[inner, :2]
        way = way / max(float(np.hypot(*way)), 1e-9) * p[end, 2] / 2
        tip = [[*(p[end, :2] + way), p[end, 2]]]
        p = np.concatenate([tip, p] if end == 0 else [p, tip])
    return along(p, gap)


def _across(places: np.ndarray, normals: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Points at shares `q` (m,) of the width across each place: (n, m, 2)."""
    return places[:, None, :2] + normals[:, None] * (places[:, None, 2:] * q[None, :, None])


def bands(colour: Colour, gap: float, share: float = 0.52) -> Pattern:
    """Stripes all the way across, as a zebra's; `share` of the coat is of their colour."""

    def pattern(path: Path, rng: np.random.Generator) -> list[Mark]:
        places, tangents, normals = _places(path, gap)
        q = np.linspace(-0.62, 0.62, 7)
        marks = []
        for middle, tangent in zip(_across(places, normals, q), tangents, strict=True):
            bend = rng.uniform(-0.5, 0.5) * gap * q + rng.uniform(-0.1, 0.1, 7) * gap
            thick = gap * share / 2 * rng.uniform(0.75, 1.25, 7)
            near = middle + tangent * (bend - thick)[:, None]
            far = middle + tangent * (bend + thick)[:, None]
            marks.append((np.concatenate([near, far[::-1]]), colour))
        return marks

    return pattern


def wedges(colour: Colour, gap: float) -> Pattern:
    """Pointed stripes from both edges towards the middle, as a tiger's."""

    def pattern(path: Path, rng: np.random.Generator) -> list[Mark]:
        marks = []
        for place, tangent, normal in zip(*_places(path, gap), strict=True):
            for side in (-1, 1):
                start, end = side * 0.6, side * rng.uniform(-0.14, 0.12)
                q = np.array([start, (start + end) / 2, end])
                middle = place[:2] + normal * (place[2] * q)[:, None]
                lean = tangent * gap * rng.uniform(-0.7, 0.7)
                middle = middle + lean * np.array([[0], [0.35], [1.1]])
                thick = tangent * gap * rng.uniform(0.18, 0.3)
                outline = [middle[0] - thick, middle[1] - thick * 0.8, middle[2]]
                outline += [middle[1] + thick * 0.8, middle[0] + thick]
                marks.append((np.array(outline), colour))
        return marks

    return pattern


def _scattered(path: Path, gap: float, rng: np.random.Generator) -> np.ndarray:
    """Places all over a part, about `gap` apart, (n, 2)."""
    places, tangents, normals = _places(path, gap)
    found = []
    for number, (place, tangent, normal) in enumerate(zip(places, tangents, normals, strict=True)):
        half = int(place[2] / gap / 2) + 1
        for step in range(-half, half + 1):
            across = normal * (step + 0.5 * (number % 2)) * gap
            found.append(place[:2] + across + tangent * rng.uniform(-0.22, 0.22) * gap)
    return np.array(found).reshape(-1, 2) + rng.uniform(-0.12, 0.12, (len(found), 2)) * gap


def spots(colour: Colour, gap: float, size: float = 0.26) -> Pattern:
    """Full spots, as a cheetah's; `size` is their radius as a share of `gap`."""

    def pattern(path: Path, rng: np.random.Generator) -> list[Mark]:
        radius = gap * size
        return [
            (ellipse(x, y, radius * rng.uniform(0.8, 1.2), radius * 0.9, 0, 9), colour)
            for x, y in _scattered(path, gap, rng)
        ]

    return pattern


def rosettes(colour: Colour, inner: Colour, base: Colour, gap: float) -> Pattern:
    """Rings with gaps in them, as a leopard's; full spots where a part is thin."""

    def pattern(path: Path, rng: np.random.Generator) -> list[Mark]:
        if max(width for _, _, width in path) < 2.2 * gap:
            return spots(colour, gap * 0.62, 0.3)(path, rng)
        marks: list[Mark] = []
        for x, y in _scattered(path, gap, rng):
            r, turn = gap * 0.4 * rng.uniform(0.85, 1.1), rng.uniform(0, np.pi)
            marks.append((ellipse(x, y, r, r * 0.85, turn, 12), colour))
            marks.append((ellipse(x, y, r * 0.52, r * 0.45, turn, 10), inner))
            for _ in range(2):
                way = rng.uniform(0, 2 * np.pi)
                spot = x + np.cos(way) * r * 0.8, y + np.sin(way) * r * 0.75
                marks.append((ellipse(*spot, r * 0.3, r * 0.22, way, 8), base))
        return marks

    return pattern


def patches(colour: Colour, gap: float) -> Pattern:
    """Large angular fields with light seams, as a giraffe's."""

    def pattern(path: Path, rng: np.random.Generator) -> list[Mark]:
        places, _, normals = _places(path, gap)
        if len(places) < 2:
            return []
        rows = max(2, round(places[:, 2].max() * 1.3 / gap) + 1)
        grid = _across(places, normals, np.linspace(-0.72, 0.72, rows))
        grid[1::2] += normals[1::2, None] * gap * 0.3
        grid = grid + rng.uniform(-0.24, 0.24, grid.shape) * gap
        corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=2)
        fields = corners.reshape(-1, 4, 2)
        middle = fields.mean(1, keepdims=True)
        return [(field, colour) for field in middle + (fields - middle) * 0.84]

    return pattern


def wrinkles(colour: Colour, gap: float) -> Pattern:
    """Thin folds across, as on a thick skin."""
    return bands(colour, gap, 0.07)
