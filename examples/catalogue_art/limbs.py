"""What zebra, giraffe, elephant and rhinoceros have in common: legs, a tail, an eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalogue_art.coats import Coat
from catalogue_art.geometry import ellipse, limb, spiky
from catalogue_art.pen import Pen

__all__ = ["Legs", "dot_eye", "far_legs", "near_legs", "tail"]


@dataclass(frozen=True)
class Legs:
    """Widths of a leg at the top, the knee and above the hoof, and its length."""

    top: float
    knee: float
    foot: float
    length: float


def dot_eye(pen: Pen, x: float, y: float, r: float) -> None:
    """A dark eye with a gleam."""
    pen.shape(ellipse(x, y, r * 1.5, r * 1.2), (70, 60, 55), edge=False, bulge=0.2)
    pen.shape(ellipse(x, y, r, r), (15, 12, 12), edge=False, bulge=0.2)
    pen.shape(
        ellipse(x + r * 0.3, y - r * 0.4, r * 0.3, r * 0.3, points=8), (255, 255, 255), edge=False
    )


def tail(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    root: tuple[float, float],
    length: float,
    width: float = 0.06,
) -> None:
    """A hanging tail with a tuft."""
    x, y = root
    sway = rng.uniform(-0.16, 0.1)
    path = [
        (x, y, width),
        (x - 0.13, y + length * 0.4, width),
        (x - 0.1 + sway, y + length, width * 0.7),
    ]
    pen.shape(limb(path), coat.base)
    pen.shape(spiky(x - 0.1 + sway, y + length, 0.055, 0.12, 6, 0.35, rng), coat.dark)


def _leg(
    pen: Pen, rng: np.random.Generator, coat: Coat, legs: Legs, x: float, swing: float, far: bool
) -> None:
    top = -legs.length
    path = [(x, top - 0.06, legs.top), (x + swing * 0.35, top * 0.52, legs.knee)]
    path += [(x + swing * 0.9, -0.12, legs.foot), (x + swing, -0.05, legs.foot * 1.1)]
    colour, root = (coat.far(), None) if far else (coat.base, (x, top - 0.02, 0.26))
    pen.shape(limb(path), colour, coat.pattern(path, rng), root=root)
    hoof, half = x + swing, legs.foot * 0.62
    outline = [(hoof - half * 0.9, -0.07), (hoof + half * 0.9, -0.07), (hoof + half * 1.2, 0.02)]
    pen.shape(np.array([*outline, (hoof - half * 1.1, 0.02)]), coat.dark)


def far_legs(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    legs: Legs,
    step: float,
    hind: float = -0.48,
    front: float = 0.4,
) -> None:
    """The two legs behind the body."""
    _leg(pen, rng, coat, legs, hind, -step - 0.08, True)
    _leg(pen, rng, coat, legs, front, step + 0.1, True)


def near_legs(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    legs: Legs,
    step: float,
    hind: float = -0.56,
    front: float = 0.5,
) -> None:
    """The two legs before it."""
    _leg(pen, rng, coat, legs, hind, step, False)
    _leg(pen, rng, coat, legs, front, -step, False)
