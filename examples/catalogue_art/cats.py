"""Lion, tiger, leopard and cheetah: from the side, the face turned to the viewer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalogue_art.coats import Coat, plain, rosettes, spots, wedges
from catalogue_art.faces import (
    BLACK,
    Face,
    Head,
    cheetah_face,
    leopard_face,
    lion_face,
    tiger_face,
)
from catalogue_art.geometry import ellipse, limb, smooth, spiky
from catalogue_art.pen import Mark, Pen, shade_of, tint

__all__ = ["cheetah", "leopard", "lion", "tiger"]


@dataclass(frozen=True)
class Build:
    """Proportions of a cat, in body heights."""

    legs: float = 0.62
    heavy: float = 1.0
    head: float = 0.25
    tail: float = 0.09


def lion(pen: Pen, rng: np.random.Generator) -> None:
    """Tawny, with a mane and a tuft on the tail."""
    base = tint(rng, (205, 160, 95), 18)
    coat = Coat(base, tint(rng, (232, 205, 160)), tint(rng, (105, 58, 25), 18), plain)
    _cat(pen, rng, coat, Build(0.6, 1.08, 0.26, 0.06), lion_face, mane=True)


def tiger(pen: Pen, rng: np.random.Generator) -> None:
    """Orange with black stripes and white cheeks."""
    base = tint(rng, (226, 128, 42), 16)
    coat = Coat(base, tint(rng, (248, 238, 220), 8), BLACK, wedges(BLACK, rng.uniform(0.1, 0.13)))
    _cat(pen, rng, coat, Build(0.58, 1.08, 0.27, 0.09), tiger_face)


def leopard(pen: Pen, rng: np.random.Generator) -> None:
    """Gold with rosettes."""
    base = tint(rng, (222, 172, 92), 14)
    inner = shade_of(base, 0.78)
    coat = Coat(
        base,
        tint(rng, (243, 228, 196), 8),
        BLACK,
        rosettes(BLACK, inner, base, rng.uniform(0.125, 0.15)),
    )
    _cat(pen, rng, coat, Build(0.54, 1.0, 0.24, 0.09), leopard_face)


def cheetah(pen: Pen, rng: np.random.Generator) -> None:
    """Pale and slender, with full spots and a dark line from eye to mouth."""
    coat = Coat(
        tint(rng, (226, 190, 125), 14),
        tint(rng, (246, 234, 208), 8),
        BLACK,
        spots(BLACK, rng.uniform(0.075, 0.09), 0.27),
    )
    _cat(pen, rng, coat, Build(0.86, 0.76, 0.2, 0.07), cheetah_face)


def _cat(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    build: Build,
    face: Face,
    mane: bool = False,
) -> None:
    h, step = build.heavy, rng.uniform(-0.16, 0.16)
    hip = -build.legs - 0.12
    _tail(pen, rng, coat, build, hip, tuft=mane)
    _leg(pen, rng, coat, (-0.5, hip), -step - 0.1, h, hind=True, far=True)
    _leg(pen, rng, coat, (0.42, hip), step + 0.12, h, hind=False, far=True)
    _torso(pen, rng, coat, hip, h)
    _leg(pen, rng, coat, (-0.55, hip), step, h, hind=True, far=False)
    _leg(pen, rng, coat, (0.5, hip), -step, h, hind=False, far=False)
    lift = rng.uniform(-0.12, 0.1)
    head = Head(0.9, hip - 0.42 + lift, build.head, rng.uniform(-0.3, 0.3))
    neck = [(0.5, hip - 0.08, 0.44 * h), (0.72, hip - 0.25, 0.36 * h), (0.88, head.y, 0.3 * h)]
    pen.shape(limb(neck), coat.base, coat.pattern(neck, rng), root=(0.5, hip - 0.08, 0.32 * h))
    if mane:
        _mane(pen, rng, head, coat)
    face(pen, rng, head, coat)


def _torso(pen: Pen, rng: np.random.Generator, coat: Coat, hip: float, h: float) -> None:
    top, low = hip - 0.28 * h, hip + 0.2 * h
    sag = rng.uniform(0, 0.05)
    outline = [(-0.66, top + 0.04), (-0.3, top + 0.02 + sag), (0.1, top + 0.03 + sag)]
    outline += [(0.5, top - 0.03), (0.7, top + 0.12), (0.68, hip + 0.1), (0.5, low)]
    outline += [(0.05, low - 0.03), (-0.4, low - 0.09), (-0.66, low - 0.1), (-0.76, hip - 0.04)]
    path = [(-0.78, hip - 0.04, 0.5 * h), (0.0, hip - 0.03, 0.5 * h), (0.74, hip - 0.04, 0.5 * h)]
    belly = ellipse(0.0, low + 0.05, 0.55, 0.13 * h)
    pen.shape(smooth(outline), coat.base, [(belly, coat.belly), *coat.pattern(path, rng)])


def _leg(
    pen: Pen,
    rng: np.random.Generator,
    coat: Coat,
    top: tuple[float, float],
    swing: float,
    h: float,
    *,
    hind: bool,
    far: bool,
) -> None:
    x, y = top
    colour = coat.far() if far else coat.base
    if hind:
        path = [(x, y - 0.06, 0.36 * h), (x + 0.06 + swing * 0.3, y * 0.62, 0.22 * h)]
        path += [(x - 0.08 + swing * 0.8, y * 0.34, 0.12), (x + swing, -0.05, 0.11)]
    else:
        path = [(x, y, 0.26 * h), (x + swing * 0.4, y * 0.55, 0.16 * h), (x + swing, -0.05, 0.11)]
    root = None if far else (x, y - 0.03, 0.26 * h)
    pen.shape(limb(path), colour, coat.pattern(path, rng), root=root)
    paw = smooth([(x + swing + dx, dy) for dx, dy in PAW])
    pen.shape(paw, coat.belly if not far else shade_of(coat.belly, 0.8))


PAW = [(-0.08, -0.08), (0.06, -0.1), (0.15, -0.04), (0.13, 0.01), (-0.06, 0.01)]


def _tail(
    pen: Pen, rng: np.random.Generator, coat: Coat, build: Build, hip: float, tuft: bool
) -> None:
    w, lift = build.tail, rng.uniform(-0.35, 0.35)
    path = [(-0.68, hip - 0.16, w), (-0.95, hip - 0.02, w), (-1.08, hip + 0.25 + lift * 0.5, w)]
    path += [(-1.22, hip + 0.3 + lift, w * 0.9), (-1.32, hip + 0.16 + lift, w * 0.8)]
    pen.shape(limb(path), coat.base, coat.pattern(path, rng))
    x, y, _ = path[-1]
    if tuft:
        pen.shape(spiky(x - 0.02, y - 0.04, 0.1, 0.12, 7, 0.35, rng), coat.dark)
    else:
        pen.shape(ellipse(x - 0.01, y - 0.02, w * 0.5, w * 0.55), coat.dark)


def _mane(pen: Pen, rng: np.random.Generator, head: Head, coat: Coat) -> None:
    for grow, tone in ((1.95, 0.8), (1.7, 1.15), (1.4, 1.6)):
        r, y = head.r * grow, head.y + head.r * (grow - 1) * 0.35
        shape = spiky(head.x - (grow - 1) * 0.04, y, r, r * 1.05, 28, 0.18, rng)
        pen.shape(shape, shade_of(coat.dark, tone), _strands(rng, head.x, y, r, coat, tone))


def _strands(
    rng: np.random.Generator, x: float, y: float, r: float, coat: Coat, tone: float
) -> list[Mark]:
    marks = []
    for way in rng.uniform(0, 2 * np.pi, 34):
        out = np.array([np.cos(way), np.sin(way)])
        side = np.array([-out[1], out[0]]) * r * 0.035
        start, end = np.array([x, y]) + out * r * 0.5, np.array([x, y]) + out * r * 0.98
        marks.append(
            (np.array([start - side, end, start + side]), shade_of(coat.dark, tone * 0.72))
        )
    return marks
