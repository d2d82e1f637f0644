"""Elephant and rhinoceros: from the side."""

from __future__ import annotations

import numpy as np

from catalogue_art.coats import Coat, wrinkles
from catalogue_art.geometry import ellipse, limb, smooth
from catalogue_art.limbs import Legs, dot_eye, far_legs, near_legs, tail
from catalogue_art.pen import Pen, shade_of, tint

__all__ = ["elephant", "rhinoceros"]

IVORY = (240, 230, 205)


def elephant(pen: Pen, rng: np.random.Generator) -> None:
    """Grey, with a trunk, large ears and tusks."""
    grey = tint(rng, (138, 134, 136), 18)
    coat = Coat(grey, shade_of(grey, 1.1), shade_of(grey, 0.55), wrinkles(shade_of(grey, 0.8), 0.1))
    legs, step = Legs(0.36, 0.28, 0.25, 0.6), rng.uniform(-0.1, 0.1)
    tail(pen, rng, coat, (-0.86, -1.0), 0.5, 0.04)
    far_legs(pen, rng, coat, legs, step, hind=-0.5, front=0.32)
    outline = [(-0.8, -1.12), (-0.4, -1.34), (0.05, -1.38), (0.45, -1.28), (0.66, -1.0)]
    outline += [(0.6, -0.66), (0.3, -0.48), (-0.2, -0.44), (-0.6, -0.54), (-0.88, -0.8)]
    pen.shape(smooth(outline), coat.base)
    near_legs(pen, rng, coat, legs, step, hind=-0.6, front=0.42)
    nod = rng.uniform(-0.05, 0.08)
    _trunk(pen, rng, coat, nod)
    skull = [(0.5, -1.42), (0.78, -1.52), (1.0, -1.4), (1.08, -1.12), (1.0, -0.84), (0.74, -0.72)]
    pen.shape(smooth([(x, y + nod) for x, y in [*skull, (0.5, -0.9)]]), coat.base)
    dot_eye(pen, 0.9, -1.15 + nod, 0.035)
    tusk = [(0.98, -0.84 + nod, 0.1), (1.16, -0.66 + nod, 0.08), (1.36, -0.68 + nod, 0.025)]
    pen.shape(limb(tusk), IVORY)
    flap = rng.uniform(0, 0.16)
    ear = [(0.72, -1.36), (0.5 - flap, -1.5), (0.2 - flap, -1.36), (0.14 - flap, -1.05)]
    ear += [(0.3 - flap / 2, -0.76), (0.5, -0.62), (0.66, -0.78), (0.74, -1.05)]
    rim = smooth([(x * 0.8 + 0.1, y * 0.8 - 0.2 + nod) for x, y in ear])
    pen.shape(
        smooth([(x, y + nod) for x, y in ear]), shade_of(grey, 0.9), [(rim, shade_of(grey, 0.98))]
    )


def _trunk(pen: Pen, rng: np.random.Generator, coat: Coat, nod: float) -> None:
    if rng.random() < 0.3:  # raised
        path = [(0.98, -1.1 + nod, 0.34), (1.22, -0.86 + nod, 0.24), (1.46, -1.0 + nod, 0.17)]
        path += [(1.5, -1.3 + nod, 0.13), (1.38, -1.5 + nod, 0.1)]
    else:
        curl = rng.uniform(-0.14, 0.2)
        path = [(0.96, -1.1 + nod, 0.36), (1.12, -0.78 + nod, 0.25), (1.17, -0.42, 0.18)]
        path += [(1.16 + curl * 0.5, -0.16, 0.14), (1.22 + curl, -0.05 - abs(curl) * 0.6, 0.11)]
    pen.shape(limb(path), coat.base, coat.pattern(path, rng))


def rhinoceros(pen: Pen, rng: np.random.Generator) -> None:
    """Heavy and grey-brown, the head low, with two horns on the nose."""
    grey = tint(rng, (140, 126, 112), 16)
    coat = Coat(
        grey, shade_of(grey, 1.1), shade_of(grey, 0.55), wrinkles(shade_of(grey, 0.78), 0.13)
    )
    legs, step = Legs(0.34, 0.24, 0.2, 0.44), rng.uniform(-0.1, 0.1)
    tail(pen, rng, coat, (-0.86, -0.82), 0.34, 0.04)
    far_legs(pen, rng, coat, legs, step, hind=-0.52, front=0.36)
    outline = [(-0.84, -0.92), (-0.45, -1.04), (0, -0.98), (0.4, -1.12), (0.66, -1.02)]
    outline += [(0.74, -0.7), (0.62, -0.4), (0.2, -0.3), (-0.3, -0.3), (-0.7, -0.4), (-0.92, -0.66)]
    folds = [
        (limb([(x, -1.1, 0.02), (x + 0.07, -0.7, 0.03), (x, -0.3, 0.02)]), shade_of(grey, 0.72))
        for x in (-0.42, 0.34)
    ]
    pen.shape(smooth(outline), coat.base, folds)
    near_legs(pen, rng, coat, legs, step, hind=-0.62, front=0.48)
    nod = rng.uniform(-0.1, 0.12)
    _horned_head(pen, rng, coat, nod)


def _horned_head(pen: Pen, rng: np.random.Generator, coat: Coat, nod: float) -> None:
    def low(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x, y + nod * (x - 0.5)) for x, y in points]

    horn = tint(rng, (92, 80, 66), 14)
    tall = rng.uniform(0.9, 1.2)
    for x, y, wide, high in ((1.42, -0.66, 0.12, 0.56 * tall), (1.2, -0.78, 0.1, 0.27 * tall)):
        cone = [(x - wide, y + 0.1), (x - wide * 0.4, y - high * 0.5), (x + wide * 0.7, y - high)]
        cone += [(x + wide * 0.6, y - high * 0.4), (x + wide, y + 0.1)]
        pen.shape(np.array(low(cone)), horn)
    for x in (0.8, 0.92):
        ear = smooth(
            low([(x - 0.05, -0.9), (x - 0.11, -1.16), (x + 0.03, -1.2), (x + 0.08, -0.92)])
        )
        pen.shape(ear, shade_of(coat.base, 0.85))
    head = [(0.5, -0.98), (0.8, -0.98), (1.08, -0.86), (1.3, -0.72), (1.5, -0.62), (1.56, -0.44)]
    head += [(1.42, -0.32), (1.14, -0.32), (0.86, -0.34), (0.56, -0.44)]
    pen.shape(smooth(low(head)), coat.base)
    dot_eye(pen, 1.06, -0.68 + nod * 0.5, 0.032)
    pen.shape(np.array(low(list(ellipse(1.47, -0.5, 0.035, 0.025)))), coat.dark, edge=False)
    pen.line(np.array(low([(1.53, -0.4), (1.38, -0.39), (1.26, -0.42)])), 0.02, coat.dark)
