"""Owl, parrot and penguin."""

from __future__ import annotations

import numpy as np

from catalogue_art.geometry import Points, ellipse, limb, smooth
from catalogue_art.pen import Colour, Mark, Pen, shade_of, tint

__all__ = ["owl", "parrot", "penguin"]

BLACK = (28, 26, 30)
WHITE = (250, 250, 248)
MACAWS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((206, 32, 38), (240, 190, 40), (32, 92, 176)),
    ((28, 110, 190), (245, 190, 40), (30, 80, 150)),
    ((52, 160, 70), (226, 60, 50), (40, 110, 190)),
    ((40, 150, 90), (240, 210, 60), (220, 70, 40)),
)
"""Body, wing and tail of some parrots."""


def owl(pen: Pen, rng: np.random.Generator) -> None:
    """Seen from the front: a round head with two large eyes in discs of feathers."""
    grey = rng.random() < 0.3
    brown = tint(rng, (150, 142, 138) if grey else (142, 104, 66), 18)
    pale, dark = tint(rng, (234, 218, 188), 8), shade_of(brown, 0.55)
    _branch(pen, rng)
    for x in (-0.12, 0.02, 0.16):
        pen.shape(limb([(x, -0.3, 0.12), (x * 1.1, 0.16, 0.07)]), shade_of(brown, 0.8))
    body = [(0, -1.25), (0.42, -1.0), (0.5, -0.55), (0.34, -0.12), (0, 0.0), (-0.34, -0.12)]
    chest = ellipse(0, -0.5, 0.32, 0.46)
    pen.shape(
        smooth([*body, (-0.5, -0.55), (-0.42, -1.0)]), brown, [(chest, pale), *_bars(rng, dark)]
    )
    droop = rng.uniform(0, 0.1)
    for side in (-1, 1):
        wing = [(0.34, -0.98), (0.54, -0.72), (0.56, -0.3), (0.4, 0.04 + droop), (0.32, -0.3)]
        feathers = [
            (ellipse(side * 0.46, y, 0.16, 0.025, 0.35 * side), dark)
            for y in (-0.7, -0.52, -0.34, -0.16)
        ]
        pen.shape(smooth([(side * x, y) for x, y in wing]), shade_of(brown, 0.86), feathers)
        for toe in (-0.09, 0.0, 0.09):
            pen.shape(ellipse(side * 0.17 + toe, 0.03, 0.04, 0.075), (196, 150, 60), bulge=0.5)
    _owl_head(pen, rng, brown, pale, dark)


def _bars(rng: np.random.Generator, colour: Colour) -> list[Mark]:
    marks = []
    for row, y in enumerate(np.arange(-0.86, -0.08, 0.1)):
        for x in np.arange(-0.3, 0.31, 0.12) + 0.06 * (row % 2):
            drop = [(x - 0.03, y), (x, y + 0.07 * rng.uniform(0.8, 1.3)), (x + 0.03, y)]
            marks.append((np.array(drop), colour))
    return marks


def _owl_head(
    pen: Pen, rng: np.random.Generator, brown: Colour, pale: Colour, dark: Colour
) -> None:
    nod, turn, tufts = rng.uniform(-0.04, 0.03), rng.uniform(-0.07, 0.07), rng.random() < 0.7
    y = -1.2 + nod
    for side in (-1, 1) if tufts else ():
        tuft = [(0.12, y - 0.2), (0.4, y - 0.56), (0.46, y - 0.05)]
        pen.shape(np.array([(side * x, z) for x, z in tuft]), dark)
    pen.shape(ellipse(0, y, 0.5, 0.4), brown)
    for side in (-1, 1):
        x = side * 0.2 + turn
        disc = [(_rays(x, y + 0.03, 0.25, shade_of(pale, 0.82)), shade_of(pale, 0.8))]
        pen.shape(ellipse(x, y + 0.03, 0.27, 0.29), dark)
        pen.shape(ellipse(x, y + 0.03, 0.235, 0.255), pale, disc, bulge=0.5)
    iris = tint(rng, (246, 178, 28), 14)
    for side in (-1, 1):
        x = side * 0.2 + turn
        pen.shape(ellipse(x, y, 0.155, 0.155), BLACK, bulge=0.3)
        pen.shape(ellipse(x, y, 0.135, 0.135), iris, bulge=0.3, edge=False)
        pen.shape(ellipse(x + turn * 0.2, y, 0.075, 0.075), BLACK, bulge=0.3, edge=False)
        pen.shape(ellipse(x + 0.035, y - 0.045, 0.026, 0.026), WHITE, edge=False, bulge=0.1)
    beak = [
        (turn - 0.055, y + 0.1),
        (turn + 0.055, y + 0.1),
        (turn + 0.03, y + 0.22),
        (turn, y + 0.28),
    ]
    pen.shape(smooth([*beak, (turn - 0.03, y + 0.22)]), (70, 62, 50), bulge=0.6)


def _rays(x: float, y: float, r: float, colour: Colour) -> Points:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    reach = np.where(np.arange(48) % 2, r * 0.95, r * 0.6)
    return np.stack([x + reach * np.cos(t), y + reach * np.sin(t)], axis=1)


def _branch(pen: Pen, rng: np.random.Generator) -> None:
    bark, tilt = tint(rng, (104, 76, 52), 18), rng.uniform(-0.1, 0.1)
    path = [(-1.5, 0.14 - tilt, 0.16), (-0.4, 0.1, 0.14), (0.5, 0.12, 0.14), (1.5, 0.1 + tilt, 0.1)]
    lines = [
        (limb([(x, y, 0.01), (x + 0.3, y + 0.01, 0.012), (x + 0.6, y, 0.006)]), shade_of(bark, 0.7))
        for x, y in rng.uniform((-1.4, 0.06), (1.2, 0.17), (14, 2))
    ]
    pen.shape(limb(path), bark, lines)
    leaf = tint(rng, (76, 140, 62), 20)
    for x, side in ((-1.1, -1), (-0.85, 1), (0.95, -1), (1.2, 1)):
        pen.shape(ellipse(x, 0.12 + side * 0.16, 0.07, 0.16, rng.uniform(-0.7, 0.7)), leaf)


def parrot(pen: Pen, rng: np.random.Generator) -> None:
    """Bright, with a hooked beak and a long tail, on a branch."""
    body, wing, tail = MACAWS[rng.integers(len(MACAWS))]
    body, wing, tail = tint(rng, body), tint(rng, wing), tint(rng, tail)
    for shift, colour in ((-0.08, tail), (0.06, wing), (0.0, body)):
        feather = [(-0.2, -0.35, 0.16), (-0.44 + shift, 0.3, 0.15), (-0.6 + shift, 0.86, 0.05)]
        pen.shape(limb(feather), colour)
    _branch(pen, rng)
    trunk = [(0.2, -1.2), (0.4, -0.95), (0.38, -0.55), (0.18, -0.12), (-0.08, 0.0), (-0.3, -0.2)]
    pen.shape(
        smooth([*trunk, (-0.3, -0.6), (-0.12, -1.0)]), body, _scales(rng, shade_of(body, 0.8))
    )
    for toe in (0.0, 0.1, 0.2):
        pen.shape(ellipse(toe, 0.02, 0.045, 0.08), (96, 90, 92), bulge=0.5)
    _parrot_wing(pen, rng, (body, wing, tail))
    _parrot_head(pen, rng, body)


def _scales(rng: np.random.Generator, colour: Colour) -> list[Mark]:
    places = rng.uniform((-0.3, -1.1), (0.4, -0.05), (34, 2))
    return [
        (limb([(x - 0.03, y, 0.012), (x, y + 0.03, 0.018), (x + 0.03, y, 0.012)]), colour)
        for x, y in places
    ]


def _parrot_wing(
    pen: Pen, rng: np.random.Generator, colours: tuple[Colour, Colour, Colour]
) -> None:
    body, wing, tail = colours
    lift = rng.uniform(-0.12, 0.04)
    for low, colour in ((0.22, tail), (-0.1, wing), (-0.42, shade_of(body, 0.9))):
        outline = [(0.12, -1.0), (0.16, -0.7), (-0.02, (low - 1) / 2), (-0.42 + lift, low)]
        outline += [(-0.46 + lift, low - 0.3), (-0.3, -0.74)]
        lines = [
            (
                limb([(0.06 - k * 0.09, -0.75, 0.012), (-0.4 + lift - k * 0.02, low, 0.016)]),
                shade_of(colour, 0.75),
            )
            for k in range(-2, 4)
        ]
        pen.shape(smooth(outline), colour, lines)


def _parrot_head(pen: Pen, rng: np.random.Generator, body: Colour) -> None:
    nod = rng.uniform(-0.05, 0.05)
    x, y = 0.24 + nod, -1.3 + abs(nod)
    beak = BLACK if rng.random() < 0.6 else tint(rng, (226, 206, 170), 10)
    lower = [(x + 0.18, y + 0.1), (x + 0.36, y + 0.12), (x + 0.34, y + 0.24), (x + 0.2, y + 0.24)]
    pen.shape(smooth(lower), shade_of(BLACK, 1.3))
    pen.shape(ellipse(x, y, 0.3, 0.29), body)
    face = [
        (x + 0.0, y - 0.12),
        (x + 0.2, y - 0.14),
        (x + 0.28, y + 0.02),
        (x + 0.2, y + 0.2),
        (x, y + 0.14),
    ]
    lines = [
        (limb([(x + 0.04, y + d, 0.01), (x + 0.24, y + d + 0.02, 0.01)]), (150, 140, 140))
        for d in (0.06, 0.1, 0.14)
    ]
    pen.shape(smooth(face), WHITE, lines, bulge=0.5)
    hook = [(x + 0.16, y - 0.14), (x + 0.36, y - 0.14), (x + 0.53, y + 0.04), (x + 0.5, y + 0.32)]
    hook += [(x + 0.42, y + 0.18), (x + 0.32, y + 0.1), (x + 0.2, y + 0.12)]
    pen.shape(smooth(hook), beak, bulge=0.7)
    pen.shape(ellipse(x + 0.1, y - 0.04, 0.055, 0.055), (240, 200, 60), bulge=0.3)
    pen.shape(ellipse(x + 0.105, y - 0.04, 0.032, 0.032), BLACK, edge=False, bulge=0.2)
    pen.shape(ellipse(x + 0.12, y - 0.055, 0.01, 0.01, points=8), WHITE, edge=False, bulge=0.1)


def penguin(pen: Pen, rng: np.random.Generator) -> None:
    """Upright, black with a white front, flippers and orange feet."""
    black, orange = tint(rng, (34, 38, 48), 10), tint(rng, (240, 150, 40), 14)
    turn, wave = rng.uniform(-0.1, 0.16), rng.uniform(0, 0.3)
    for x in (-0.16, 0.2):
        foot = [(x - 0.14, 0.0), (x, -0.1), (x + 0.18, -0.02), (x + 0.16, 0.05), (x - 0.1, 0.05)]
        pen.shape(smooth(foot), orange)
    _flipper(pen, black, -1, wave)
    body = [(0, -1.4), (0.3, -1.16), (0.46, -0.66), (0.42, -0.2), (0.2, -0.02), (-0.2, -0.02)]
    pen.shape(smooth([*body, (-0.42, -0.2), (-0.46, -0.66), (-0.3, -1.16)]), black)
    front = [
        (turn, -1.24),
        (turn + 0.22, -1.0),
        (0.34 + turn * 0.4, -0.6),
        (0.3 + turn * 0.4, -0.18),
    ]
    front += [(turn * 0.5, -0.05), (-0.3 + turn * 0.5, -0.18), (-0.34 + turn * 0.6, -0.6)]
    gold = (ellipse(turn, -1.18, 0.2, 0.12), tint(rng, (246, 206, 90)))
    emperor = rng.random() < 0.55
    pen.shape(
        smooth([*front, (turn - 0.22, -1.0)]),
        tint(rng, WHITE, 4),
        [gold] if emperor else (),
        edge=False,
    )
    _flipper(pen, black, 1, wave * rng.uniform(0, 1))
    _penguin_head(pen, rng, black, orange, turn, emperor)


def _flipper(pen: Pen, black: Colour, side: int, wave: float) -> None:
    path = [(side * 0.32, -1.04, 0.16), (side * (0.5 + wave), -0.7, 0.18)]
    path += [(side * (0.54 + wave * 1.5), -0.32 - wave * 0.6, 0.07)]
    pen.shape(limb(path), shade_of(black, 1.25))


def _penguin_head(
    pen: Pen, rng: np.random.Generator, black: Colour, orange: Colour, turn: float, emperor: bool
) -> None:
    y = -1.5
    cheeks = (
        [
            (ellipse(turn + side * 0.24, y + 0.08, 0.09, 0.15, -0.4 * side), (248, 190, 60))
            for side in (-1, 1)
        ]
        if emperor
        else [(ellipse(turn, y + 0.2, 0.22, 0.14), WHITE)]
    )
    pen.shape(ellipse(turn * 0.8, y, 0.3, 0.28), black, cheeks)
    for side in (-1, 1):
        x = turn * 1.4 + side * 0.11
        pen.shape(ellipse(x, y - 0.04, 0.055, 0.055), WHITE, bulge=0.2, edge=False)
        pen.shape(ellipse(x, y - 0.04, 0.034, 0.036), BLACK, bulge=0.2, edge=False)
        pen.shape(
            ellipse(x + 0.012, y - 0.055, 0.012, 0.012, points=8), WHITE, edge=False, bulge=0.1
        )
    x = turn * 1.5
    beak = [
        (x - 0.085, y + 0.06),
        (x, y + 0.02),
        (x + 0.085, y + 0.06),
        (x + 0.02 + turn * 0.5, y + 0.2),
    ]
    pen.shape(smooth(beak), orange, bulge=0.6)
