"""Zebra, giraffe, elephant and rhinoceros: from the side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalogue_art.coats import Coat, bands, patches, wrinkles
from catalogue_art.geometry import Path, ellipse, limb, smooth, spiky
from catalogue_art.pen import Colour, Pen, shade_of, tint

__all__ = ["elephant", "giraffe", "rhinoceros", "zebra"]

BLACK = (28, 24, 24)
IVORY = (240, 230, 205)


@dataclass(frozen=True)
class Legs:
    """Widths of a leg at the top, the knee and above the hoof, and its length."""

    top: float
    knee: float
    foot: float
    length: float


def zebra(pen: Pen, rng: np.random.Generator) -> None:
    """White with black stripes all over, and a brush of a mane."""
    white = tint(rng, (240, 236, 228), 8)
    coat = Coat(white, white, BLACK, bands(BLACK, rng.uniform(0.095, 0.125)))
    legs, step = Legs(0.25, 0.13, 0.085, 0.82), rng.uniform(-0.14, 0.14)
    _tail(pen, rng, coat, (-0.72, -1.08), 0.62)
    _far_legs(pen, rng, coat, legs, step)
    outline = [(-0.7, -1.12), (-0.3, -1.16), (0.1, -1.1), (0.5, -1.18), (0.7, -1.0)]
    outline += [(0.66, -0.76), (0.4, -0.64), (0, -0.6), (-0.4, -0.66), (-0.68, -0.74), (-0.78, -0.95)]
    spine = [(-0.8, -0.9, 0.6), (0, -0.88, 0.6), (0.74, -0.9, 0.6)]
    pen.shape(smooth(outline), coat.base, coat.pattern(spine, rng))
    _near_legs(pen, rng, coat, legs, step)
    lift = rng.uniform(-0.1, 0.14)
    poll = (0.98, -1.55 + lift)
    neck = [(0.5, -0.96, 0.5), (0.72, -1.22, 0.36), (poll[0] - 0.02, poll[1] + 0.06, 0.25)]
    _mane(pen, rng, neck, (white, BLACK))
    pen.shape(limb(neck), coat.base, coat.pattern(neck, rng))
    head = [(poll[0], poll[1], 0.26), (1.14, -1.38 + lift, 0.23), (1.3, -1.16 + lift, 0.15)]
    _long_head(pen, rng, coat, head, shade_of(BLACK, 1.6))


def giraffe(pen: Pen, rng: np.random.Generator) -> None:
    """A long neck, brown patches with pale seams, and two knobs on the head."""
    patch = tint(rng, (156, 92, 40), 16)
    pale = tint(rng, (240, 214, 160), 10)
    coat = Coat(pale, pale, tint(rng, (80, 48, 28)), patches(patch, rng.uniform(0.17, 0.21)))
    legs, step = Legs(0.24, 0.12, 0.085, 1.02), rng.uniform(-0.14, 0.14)
    _tail(pen, rng, coat, (-0.6, -1.2), 0.6)
    _far_legs(pen, rng, coat, legs, step, hind=-0.42, front=0.36)
    outline = [(-0.6, -1.22), (-0.2, -1.32), (0.2, -1.5), (0.5, -1.56), (0.62, -1.3)]
    outline += [(0.56, -1.02), (0.3, -0.86), (-0.1, -0.84), (-0.5, -0.92), (-0.66, -1.06)]
    spine = [(-0.68, -1.05, 0.55), (0, -1.14, 0.66), (0.66, -1.24, 0.7)]
    pen.shape(smooth(outline), coat.base, coat.pattern(spine, rng))
    _near_legs(pen, rng, coat, legs, step, hind=-0.48, front=0.42)
    lean = rng.uniform(-0.12, 0.22)
    x, y = 0.8 + lean, -2.55 + abs(lean) * 0.4
    neck = [(0.4, -1.3, 0.5), (0.56, -1.65, 0.3), (0.68 + lean * 0.6, -2.15, 0.22), (x, y, 0.18)]
    _mane(pen, rng, neck, (coat.dark, shade_of(patch, 0.9)), 0.05)
    pen.shape(limb(neck), coat.base, coat.pattern(neck, rng))
    for dx in (-0.03, 0.06):
        horn = [(x + dx, y - 0.06, 0.05), (x + dx - 0.04, y - 0.24, 0.045)]
        pen.shape(limb(horn), coat.base)
        pen.shape(ellipse(x + dx - 0.045, y - 0.25, 0.045, 0.04), coat.dark)
    head = [(x, y, 0.22), (x + 0.17, y + 0.07, 0.18), (x + 0.36, y + 0.2, 0.13)]
    small = Coat(coat.base, coat.belly, coat.dark, patches(patch, 0.085))
    _long_head(pen, rng, small, head, shade_of(pale, 0.82), ear=0.8)


def elephant(pen: Pen, rng: np.random.Generator) -> None:
    """Grey, with a trunk, large ears and tusks."""
    grey = tint(rng, (138, 134, 136), 18)
    coat = Coat(grey, shade_of(grey, 1.1), shade_of(grey, 0.55), wrinkles(shade_of(grey, 0.8), 0.1))
    legs, step = Legs(0.36, 0.28, 0.25, 0.6), rng.uniform(-0.1, 0.1)
    _tail(pen, rng, coat, (-0.86, -1.0), 0.5, 0.04)
    _far_legs(pen, rng, coat, legs, step, hind=-0.5, front=0.32)
    outline = [(-0.8, -1.12), (-0.4, -1.34), (0.05, -1.38), (0.45, -1.28), (0.66, -1.0)]
    outline += [(0.6, -0.66), (0.3, -0.48), (-0.2, -0.44), (-0.6, -0.54), (-0.88, -0.8)]
    pen.shape(smooth(outline), coat.base)
    _near_legs(pen, rng, coat, legs, step, hind=-0.6, front=0.42)
    nod = rng.uniform(-0.05, 0.08)
    _trunk(pen, rng, coat, nod)
    skull = [(0.5, -1.42), (0.78, -1.52), (1.0, -1.4), (1.08, -1.12), (1.0, -0.84), (0.74, -0.72)]
    pen.shape(smooth([(x, y + nod) for x, y in [*skull, (0.5, -0.9)]]), coat.base)
    _dot_eye(pen, 0.9, -1.15 + nod, 0.035)
    tusk = [(0.98, -0.84 + nod, 0.1), (1.16, -0.66 + nod, 0.08), (1.36, -0.68 + nod, 0.025)]
    pen.shape(limb(tusk), IVORY)
    flap = rng.uniform(0, 0.16)
    ear = [(0.72, -1.36), (0.5 - flap, -1.5), (0.2 - flap, -1.36), (0.14 - flap, -1.05)]
    ear += [(0.3 - flap / 2, -0.76), (0.5, -0.62), (0.66, -0.78), (0.74, -1.05)]
    rim = smooth([(x * 0.8 + 0.1, y * 0.8 - 0.2 + nod) for x, y in ear])
    pen.shape(smooth([(x, y + nod) for x, y in ear]), shade_of(grey, 0.9), [(rim, shade_of(grey, 0.98))])


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
    coat = Coat(grey, shade_of(grey, 1.1), shade_of(grey, 0.55), wrinkles(shade_of(grey, 0.78), 0.13))
    legs, step = Legs(0.34, 0.24, 0.2, 0.44), rng.uniform(-0.1, 0.1)
    _tail(pen, rng, coat, (-0.86, -0.82), 0.34, 0.04)
    _far_legs(pen, rng, coat, legs, step, hind=-0.52, front=0.36)
    outline = [(-0.84, -0.92), (-0.45, -1.04), (0, -0.98), (0.4, -1.12), (0.66, -1.02)]
    outline += [(0.74, -0.7), (0.62, -0.4), (0.2, -0.3), (-0.3, -0.3), (-0.7, -0.4), (-0.92, -0.66)]
    folds = [(limb([(x, -1.1, 0.02), (x + 0.07, -0.7, 0.03), (x, -0.3, 0.02)]), shade_of(grey, 0.72))
             for x in (-0.42, 0.34)]
    pen.shape(smooth(outline), coat.base, folds)
    _near_legs(pen, rng, coat, legs, step, hind=-0.62, front=0.48)
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
        ear = smooth(low([(x - 0.05, -0.9), (x - 0.11, -1.16), (x + 0.03, -1.2), (x + 0.08, -0.92)]))
        pen.shape(ear, shade_of(coat.base, 0.85))
    head = [(0.5, -0.98), (0.8, -0.98), (1.08, -0.86), (1.3, -0.72), (1.5, -0.62), (1.56, -0.44)]
    head += [(1.42, -0.32), (1.14, -0.32), (0.86, -0.34), (0.56, -0.44)]
    pen.shape(smooth(low(head)), coat.base)
    _dot_eye(pen, 1.06, -0.68 + nod * 0.5, 0.032)
    pen.shape(np.array(low(list(ellipse(1.47, -0.5, 0.035, 0.025)))), coat.dark, edge=False)
    pen.line(np.array(low([(1.53, -0.4), (1.38, -0.39), (1.26, -0.42)])), 0.02, coat.dark)


def _dot_eye(pen: Pen, x: float, y: float, r: float) -> None:
    pen.shape(ellipse(x, y, r * 1.5, r * 1.2), (70, 60, 55), edge=False, bulge=0.2)
    pen.shape(ellipse(x, y, r, r), (15, 12, 12), edge=False, bulge=0.2)
    pen.shape(ellipse(x + r * 0.3, y - r * 0.4, r * 0.3, r * 0.3, points=8), (255, 255, 255), edge=False)


def _long_head(
    pen: Pen, rng: np.random.Generator, coat: Coat, path: Path, muzzle: Colour, ear: float = 1.0
) -> None:
    """A head like a horse's along a path from the poll to the mouth."""
    (x, y, w), (_, _, _), (mx, my, mw) = path
    for dx in (-0.08, 0.02):
        tip = [(x + dx - 0.05, y - 0.05), (x + dx - 0.09, y - 0.2 * ear), (x + dx, y - 0.3 * ear)]
        pen.shape(smooth([*tip, (x + dx + 0.06, y - 0.07)]), coat.base, [
            (ellipse(x + dx - 0.02, y - 0.15, 0.03, 0.09 * ear), coat.dark)])
    pen.shape(limb(path), coat.base, coat.pattern(path, rng))
    pen.shape(ellipse(mx, my, mw * 0.6, mw * 0.52, 0.8), muzzle)
    pen.shape(ellipse(mx + mw * 0.22, my - mw * 0.05, 0.022, 0.016, points=8), BLACK, edge=False)
    _dot_eye(pen, x + w * 0.3, y + 0.03, 0.032)


def _mane(
    pen: Pen, rng: np.random.Generator, neck: Path, colours: tuple[Colour, Colour], high: float = 0.1
) -> None:
    """Upright tufts along the back of a neck, in two colours by turns."""
    from catalogue_art.geometry import along

    for number, (place, _, normal) in enumerate(zip(*along(neck, 0.07), strict=True)):
        x, y = place[:2] - normal * (place[2] / 2)
        pen.shape(spiky(x, y, high, high, 5, 0.3, rng), colours[number % 2], edge=False)


def _tail(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    root: tuple[float, float],
    length: float,
    width: float = 0.06,
) -> None:
    x, y = root
    sway = rng.uniform(-0.16, 0.1)
    path = [(x, y, width), (x - 0.13, y + length * 0.4, width), (x - 0.1 + sway, y + length, width * 0.7)]
    pen.shape(limb(path), coat.base)
    pen.shape(spiky(x - 0.1 + sway, y + length, 0.055, 0.12, 6, 0.35, rng), coat.dark)


def _leg(
    pen: Pen, rng: np.random.Generator, coat: Coat, legs: Legs, x: float, swing: float, far: bool
) -> None:
    top = -legs.length
    path = [(x, top - 0.06, legs.top), (x + swing * 0.35, top * 0.52, legs.knee)]
    path += [(x + swing * 0.9, -0.12, legs.foot), (x + swing, -0.05, legs.foot * 1.1)]
    pen.shape(limb(path), coat.far() if far else coat.base, coat.pattern(path, rng))
    hoof, half = x + swing, legs.foot * 0.62
    outline = [(hoof - half * 0.9, -0.07), (hoof + half * 0.9, -0.07), (hoof + half * 1.2, 0.02)]
    pen.shape(np.array([*outline, (hoof - half * 1.1, 0.02)]), coat.dark)


def _far_legs(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    legs: Legs,
    step: float,
    hind: float = -0.48,
    front: float = 0.4,
) -> None:
    _leg(pen, rng, coat, legs, hind, -step - 0.08, True)
    _leg(pen, rng, coat, legs, front, step + 0.1, True)


def _near_legs(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    legs: Legs,
    step: float,
    hind: float = -0.56,
    front: float = 0.5,
) -> None:
    _leg(pen, rng, coat, legs, hind, step, False)
    _leg(pen, rng, coat, legs, front, -step, False)
