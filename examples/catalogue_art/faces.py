"""Faces of cats, seen from the front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalogue_art.coats import Coat
from catalogue_art.geometry import Points, ellipse, smooth
from catalogue_art.pen import Colour, Mark, Pen, shade_of

__all__ = ["BLACK", "Face", "Head", "cheetah_face", "leopard_face", "lion_face", "tiger_face"]

BLACK = (28, 22, 20)


@dataclass(frozen=True)
class Head:
    """Where a face is: its middle, its radius, and how far it is turned to the side."""

    x: float
    y: float
    r: float
    turn: float

    def at(self, points: Points) -> Points:
        """Points of a face, in radii, as points of the figure."""
        shift = self.turn * np.sqrt(np.maximum(0, 1.3 - (points**2).sum(1)))[:, None]
        return (points + shift * (1, 0)) * self.r + (self.x, self.y)

    def both(self, points: Points) -> list[Points]:
        """The points and their mirror image."""
        return [self.at(points * (side, 1)) for side in (-1, 1)]


Face = Callable[[Pen, np.random.Generator, Head, Coat], None]

SKULL = [(0, -0.98), (0.5, -0.9), (0.86, -0.45), (0.95, 0.05), (0.72, 0.5), (0.42, 0.9), (0, 1.05)]


def _outline(head: Head) -> Points:
    right = np.array(SKULL)
    return smooth(head.at(np.concatenate([right, right[-2:0:-1] * (-1, 1)])))


def _ears(pen: Pen, head: Head, colour: Colour, inner: Colour, spread: float = 0.72) -> None:
    for outer in head.both(ellipse(spread, -0.76, 0.3, 0.31)):
        pen.shape(outer, colour)
    for inside in head.both(ellipse(spread, -0.72, 0.17, 0.19)):
        pen.shape(inside, inner, edge=False)


def _muzzle(pen: Pen, head: Head, white: Colour, nose: Colour, eye: Colour) -> None:
    pen.shape(head.at(ellipse(0, 0.78, 0.27, 0.24)), white, bulge=0.6)
    for cheek in head.both(ellipse(0.23, 0.46, 0.31, 0.26)):
        pen.shape(cheek, white, bulge=0.6)
    tip = smooth([(-0.2, 0.14), (0, 0.1), (0.2, 0.14), (0.08, 0.32), (0, 0.36), (-0.08, 0.32)])
    pen.shape(head.at(tip), nose, bulge=0.5)
    pen.line(head.at(np.array([(0, 0.34), (0, 0.56)])), 0.045 * head.r, BLACK)
    for smile in head.both(np.array([(0, 0.56), (0.14, 0.66), (0.32, 0.62)])):
        pen.line(smile, 0.05 * head.r, BLACK)
    for side in (-1, 1):
        _eye(pen, head, side, eye)
        for rise in (-0.06, 0.03, 0.12):
            hair = np.array([(0.34 * side, 0.46 + rise * 0.4), (1.05 * side, 0.36 + rise * 2.2)])
            pen.line(head.at(hair), 0.018 * head.r, (250, 248, 240))


def _eye(pen: Pen, head: Head, side: int, colour: Colour) -> None:
    pen.shape(head.at(ellipse(0.4 * side, -0.14, 0.22, 0.165, 0.25 * side)), BLACK, edge=False)
    pen.shape(head.at(ellipse(0.4 * side, -0.14, 0.16, 0.125)), colour, edge=False, bulge=0.2)
    pen.shape(head.at(ellipse(0.4 * side, -0.14, 0.075, 0.1)), BLACK, edge=False, bulge=0.2)
    gleam = head.at(ellipse(0.4 * side + 0.05, -0.19, 0.035, 0.035, points=8))
    pen.shape(gleam, (255, 255, 255), edge=False, bulge=0.1)


def lion_face(pen: Pen, rng: np.random.Generator, head: Head, coat: Coat) -> None:
    """Plain, with a light bridge of the nose."""
    _ears(pen, head, coat.base, shade_of(coat.dark, 1.2), 0.8)
    bridge = (head.at(ellipse(0, -0.1, 0.2, 0.5)), shade_of(coat.base, 1.12))
    pen.shape(_outline(head), coat.base, [bridge])
    _muzzle(pen, head, coat.belly, (92, 58, 50), (214, 160, 40))


def tiger_face(pen: Pen, rng: np.random.Generator, head: Head, coat: Coat) -> None:
    """Striped on brow and cheeks, white around the eyes."""
    _ears(pen, head, BLACK, coat.belly)
    marks: list[Mark] = []
    for side in (-1, 1):
        for x, y, rx, ry in ((0.85, 0.5, 0.42, 0.36), (0.4, -0.34, 0.2, 0.15)):
            marks.append((head.at(ellipse(side * x, y, rx, ry)), coat.belly))
        for y in (-0.02, 0.24, 0.5, 0.72):
            stripe = [(1.1 * side, y - 0.08), (0.58 * side, y + 0.05), (1.1 * side, y + 0.06)]
            marks.append((head.at(np.array(stripe)), BLACK))
        for x, y in ((0.3, -0.92), (0.46, -0.66)):
            stripe = [(x * side, y - 0.1), (0.05 * side, y + 0.22), (x * side * 1.25, y + 0.06)]
            marks.append((head.at(np.array(stripe)), BLACK))
    marks.append((head.at(np.array([(-0.07, -1.1), (0.07, -1.1), (0, -0.36)])), BLACK))
    pen.shape(_outline(head), coat.base, marks)
    _muzzle(pen, head, coat.belly, (214, 130, 120), (222, 190, 60))


def leopard_face(pen: Pen, rng: np.random.Generator, head: Head, coat: Coat) -> None:
    """Spotted."""
    _ears(pen, head, BLACK, coat.base, 0.76)
    _freckled(pen, rng, head, coat, 0.085, 0.19)
    _muzzle(pen, head, coat.belly, (150, 90, 80), (196, 196, 90))


def cheetah_face(pen: Pen, rng: np.random.Generator, head: Head, coat: Coat) -> None:
    """Finely spotted, with the dark tears."""
    _ears(pen, head, BLACK, coat.base, 0.74)
    _freckled(pen, rng, head, coat, 0.05, 0.17)
    _muzzle(pen, head, coat.belly, BLACK, (222, 150, 40))
    for tear in head.both(np.array([(0.24, -0.1), (0.2, 0.16), (0.32, 0.4), (0.4, 0.68)])):
        pen.line(tear, 0.12 * head.r, BLACK)


def _freckled(
    pen: Pen, rng: np.random.Generator, head: Head, coat: Coat, size: float, gap: float
) -> None:
    x, y = np.meshgrid(np.arange(-0.95, 1, gap), np.arange(-0.95, 0.3, gap))
    places = np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(-0.04, 0.04, (x.size, 2))
    clear = (abs(places[:, 0]) > 0.24) | (places[:, 1] < -0.3)
    marks = [
        (head.at(ellipse(p[0], p[1], size, size * 0.9, points=8)), BLACK) for p in places[clear]
    ]
    pen.shape(_outline(head), coat.base, marks)
