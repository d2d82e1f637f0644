"""What is no animal, so that the catalogue has something else in it too."""

from __future__ import annotations

import numpy as np

from catalogue_art.geometry import ellipse, limb, smooth
from catalogue_art.pen import Pen, shade_of, tint

__all__ = ["mushroom"]


def mushroom(pen: Pen, rng: np.random.Generator) -> None:
    """One or three toadstools with white dots on a red or brown cap."""
    colour = tint(rng, (208, 44, 36) if rng.random() < 0.7 else (150, 92, 50), 16)
    if rng.random() < 0.6:
        _toadstool(pen, rng, -0.52, 0.5, colour)
        _toadstool(pen, rng, 0.5, 0.6, colour)
    _toadstool(pen, rng, 0.0, 1.0, colour)


def _toadstool(
    pen: Pen, rng: np.random.Generator, x: float, s: float, colour: tuple[int, int, int]
) -> None:
    stem, lean = tint(rng, (240, 232, 214), 8), rng.uniform(-0.08, 0.08)
    foot = [
        (x, 0.0, 0.34 * s),
        (x + lean * 0.5, -0.4 * s, 0.24 * s),
        (x + lean, -0.9 * s, 0.22 * s),
    ]
    pen.shape(limb(foot), stem)
    pen.shape(ellipse(x + lean, -0.62 * s, 0.19 * s, 0.05 * s), shade_of(stem, 0.92))
    pen.shape(ellipse(x + lean, -0.84 * s, 0.52 * s, 0.12 * s), shade_of(stem, 0.82))
    cap = [(-0.62, -0.86), (-0.5, -1.16), (-0.2, -1.38), (0.2, -1.38), (0.5, -1.16), (0.62, -0.86)]
    cap += [(0.3, -0.9), (-0.3, -0.9)]
    places = [
        (-0.34, -1.08),
        (0.02, -1.25),
        (0.36, -1.08),
        (-0.08, -1.0),
        (0.2, -0.96),
        (-0.5, -0.93),
    ]
    dots = [
        (ellipse(x + lean + dx * s, y * s, 0.085 * s * grow, 0.065 * s * grow), (250, 246, 236))
        for (dx, y), grow in zip(places, rng.uniform(0.6, 1.25, len(places)), strict=True)
    ]
    pen.shape(smooth([(x + lean + dx * s, y * s) for dx, y in cap]), colour, dots)
