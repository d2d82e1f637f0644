"""Zebra and giraffe: from the side."""

from __future__ import annotations

import numpy as np

from catalogue_art.coats import Coat, bands, patches
from catalogue_art.geometry import Path, along, ellipse, limb, smooth, spiky
from catalogue_art.limbs import Legs, dot_eye, far_legs, near_legs, tail
from catalogue_art.pen import Colour, Pen, shade_of, tint

__all__ = ["giraffe", "zebra"]

BLACK = (28, 24, 24)


def zebra(pen: Pen, rng: np.random.Generator) -> None:
    """White with black stripes all over, and a brush of a mane."""
    white = tint(rng, (240, 236, 228), 8)
    coat = Coat(white, white, BLACK, bands(BLACK, rng.uniform(0.095, 0.125)))
    legs, step = Legs(0.25, 0.13, 0.085, 0.82), rng.uniform(-0.14, 0.14)
    tail(pen, rng, coat, (-0.72, -1.08), 0.62)
    far_legs(pen, rng, coat, legs, step)
    outline = [(-0.7, -1.12), (-0.3, -1.16), (0.1, -1.1), (0.5, -1.18), (0.7, -1.0)]
    outline += [
        (0.66, -0.76),
        (0.4, -0.64),
        (0, -0.6),
        (-0.4, -0.66),
        (-0.68, -0.74),
        (-0.78, -0.95),
    ]
    spine = [(-0.8, -0.9, 0.6), (0, -0.88, 0.6), (0.74, -0.9, 0.6)]
    pen.shape(smooth(outline), coat.base, coat.pattern(spine, rng))
    near_legs(pen, rng, coat, legs, step)
    lift = rng.uniform(-0.1, 0.14)
    poll = (0.98, -1.55 + lift)
    neck = [(0.5, -0.96, 0.5), (0.72, -1.22, 0.36), (poll[0] - 0.02, poll[1] + 0.06, 0.25)]
    _mane(pen, rng, neck, (white, BLACK))
    pen.shape(limb(neck), coat.base, coat.pattern(neck, rng), root=(0.5, -0.96, 0.36))
    head = [(poll[0], poll[1], 0.26), (1.14, -1.38 + lift, 0.23), (1.3, -1.16 + lift, 0.15)]
    _long_head(pen, rng, coat, head, shade_of(BLACK, 1.6))


def giraffe(pen: Pen, rng: np.random.Generator) -> None:
    """A long neck, brown patches with pale seams, and two knobs on the head."""
    patch = tint(rng, (156, 92, 40), 16)
    pale = tint(rng, (240, 214, 160), 10)
    coat = Coat(pale, pale, tint(rng, (80, 48, 28)), patches(patch, rng.uniform(0.17, 0.21)))
    legs, step = Legs(0.24, 0.12, 0.085, 1.02), rng.uniform(-0.14, 0.14)
    tail(pen, rng, coat, (-0.6, -1.2), 0.6)
    far_legs(pen, rng, coat, legs, step, hind=-0.42, front=0.36)
    outline = [(-0.6, -1.22), (-0.2, -1.32), (0.2, -1.5), (0.5, -1.56), (0.62, -1.3)]
    outline += [(0.56, -1.02), (0.3, -0.86), (-0.1, -0.84), (-0.5, -0.92), (-0.66, -1.06)]
    spine = [(-0.68, -1.05, 0.55), (0, -1.14, 0.66), (0.66, -1.24, 0.7)]
    pen.shape(smooth(outline), coat.base, coat.pattern(spine, rng))
    near_legs(pen, rng, coat, legs, step, hind=-0.48, front=0.42)
    lean = rng.uniform(-0.12, 0.22)
    x, y = 0.8 + lean, -2.55 + abs(lean) * 0.4
    neck = [(0.4, -1.3, 0.5), (0.56, -1.65, 0.3), (0.68 + lean * 0.6, -2.15, 0.22), (x, y, 0.18)]
    _mane(pen, rng, neck, (coat.dark, shade_of(patch, 0.9)), 0.05)
    pen.shape(limb(neck), coat.base, coat.pattern(neck, rng), root=(0.4, -1.3, 0.38))
    for dx in (-0.03, 0.06):
        horn = [(x + dx, y - 0.06, 0.05), (x + dx - 0.04, y - 0.24, 0.045)]
        pen.shape(limb(horn), coat.base)
        pen.shape(ellipse(x + dx - 0.045, y - 0.25, 0.045, 0.04), coat.dark)
    head = [(x, y, 0.22), (x + 0.17, y + 0.07, 0.18), (x + 0.36, y + 0.2, 0.13)]
    small = Coat(coat.base, coat.belly, coat.dark, patches(patch, 0.085))
    _long_head(pen, rng, small, head, shade_of(pale, 0.82), ear=0.8)


def _long_head(
    pen: Pen, rng: np.random.Generator, coat: Coat, path: Path, muzzle: Colour, ear: float = 1.0
) -> None:
    """A head like a horse's along a path from the poll to the mouth."""
    (x, y, w), (_, _, _), (mx, my, mw) = path
    for dx in (-0.08, 0.02):
        tip = [(x + dx - 0.05, y - 0.05), (x + dx - 0.09, y - 0.2 * ear), (x + dx, y - 0.3 * ear)]
        pen.shape(
            smooth([*tip, (x + dx + 0.06, y - 0.07)]),
            coat.base,
            [(ellipse(x + dx - 0.02, y - 0.15, 0.03, 0.09 * ear), coat.dark)],
        )
    pen.shape(limb(path), coat.base, coat.pattern(path, rng))
    pen.shape(ellipse(mx, my, mw * 0.6, mw * 0.52, 0.8), muzzle)
    pen.shape(ellipse(mx + mw * 0.22, my - mw * 0.05, 0.022, 0.016, points=8), BLACK, edge=False)
    dot_eye(pen, x + w * 0.3, y + 0.03, 0.032)


def _mane(
    pen: Pen,
    rng: np.random.Generator,
    neck: Path,
    colours: tuple[Colour, Colour],
    high: float = 0.1,
) -> None:
    """Upright tufts along the back of a neck, in two colours by turns."""
    for number, (place, _, normal) in enumerate(zip(*along(neck, 0.07), strict=True)):
        x, y = place[:2] - normal * (place[2] / 2)
        pen.shape(spiky(x, y, high, high, 5, 0.3, rng), colours[number % 2], edge=False)
