"""One picture of the catalogue: a figure or two in front of a background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from catalogue_art import birds, cats, heavy, hoofed, plants, scenery
from catalogue_art.pen import Look, Pen, Place, shade_of, tint

__all__ = ["FIGURES", "Drawn", "draw"]

Box = tuple[float, float, float, float]
GRASS = ("savanna", "dusk", "jungle", "meadow", "wood")


@dataclass(frozen=True)
class Figure:
    """How to draw an animal, and what it takes to frame it, in its own units.

    `whole` and `head` are (x0, y0, x1, y1); `places` where it likes to live.
    """

    draw: Callable[[Pen, np.random.Generator], None]
    whole: Box
    head: Box
    places: tuple[str, ...]
    fur: float = 1.0
    perched: bool = False


OPEN = ("savanna", "savanna", "savanna", "dusk", "meadow")
CAT = (-1.35, -1.5, 1.3, 0.05)
FIGURES = {
    "Lion": Figure(cats.lion, CAT, (0.3, -1.7, 1.5, -0.6), OPEN),
    "Tiger": Figure(cats.tiger, CAT, (0.4, -1.6, 1.4, -0.65), ("jungle", "jungle", "meadow")),
    "Leopard": Figure(cats.leopard, CAT, (0.4, -1.5, 1.4, -0.6), ("savanna", "jungle", "wood")),
    "Rhinoceros": Figure(
        heavy.rhinoceros, (-0.95, -1.3, 1.6, 0.05), (0.4, -1.4, 1.7, -0.2), OPEN, 0.3
    ),
    "Elephant": Figure(heavy.elephant, (-1.0, -1.6, 1.5, 0.05), (0.1, -1.7, 1.6, -0.3), OPEN, 0.3),
    "Zebra": Figure(hoofed.zebra, (-0.95, -1.9, 1.4, 0.05), (0.35, -1.95, 1.5, -0.8), OPEN, 0.6),
    "Giraffe": Figure(hoofed.giraffe, (-0.9, -2.85, 1.4, 0.05), (0.2, -2.95, 1.5, -1.7), OPEN, 0.6),
    "Cheetah": Figure(cats.cheetah, (-1.35, -1.75, 1.2, 0.05), (0.4, -1.8, 1.3, -0.95), OPEN),
    "Owl": Figure(
        birds.owl,
        (-0.75, -1.8, 0.75, 0.3),
        (-0.6, -1.8, 0.6, -0.6),
        ("wood", "night", "jungle"),
        perched=True,
    ),
    "Parrot": Figure(
        birds.parrot,
        (-0.8, -1.65, 0.85, 0.9),
        (-0.4, -1.75, 0.95, -0.6),
        ("jungle", "jungle", "meadow"),
        perched=True,
    ),
    "Penguin": Figure(
        birds.penguin,
        (-0.8, -1.85, 0.8, 0.08),
        (-0.6, -1.9, 0.6, -0.8),
        ("ice", "ice", "shore"),
        0.7,
    ),
    "Mushroom": Figure(
        plants.mushroom,
        (-0.95, -1.45, 0.95, 0.05),
        (-0.7, -1.5, 0.7, -0.4),
        ("wood", "meadow"),
        0.4,
    ),
}
"""By label."""

SIDES = (256, 288, 320, 400, 480, 560, 640, 800)
ASPECTS = (4 / 3, 4 / 3, 3 / 2, 1.0, 5 / 4, 3 / 2, 4 / 3, 3 / 4)
SIDE_CHANCE = np.array([3, 4, 6, 6, 5, 3, 2, 1]) / 30


@dataclass(frozen=True)
class Drawn:
    """A picture, where it is, and the boxes of its figures.

    A box is (x0, y0, x1, y1) as shares of the sides, and whether it is cut off.
    """

    picture: Image.Image
    where: str
    boxes: list[tuple[Box, bool]]


def draw(label: str, photo: bool, seed: int) -> Drawn:
    """Draw a picture of a label in one of the two styles.

    The same seed gives the same pixels (with the same Pillow and numpy).
    """
    rng = np.random.default_rng(seed)
    figure = FIGURES[label]
    size, look = _size(figure, rng), _look(photo, figure.fur, rng)
    spots = figure.places if rng.random() < 0.8 else tuple(scenery.PLACES)
    where = spots[rng.integers(len(spots))]
    places = _placed(figure, size, rng)
    horizon = rng.uniform(0.4, 0.7)
    if not figure.perched:
        horizon = min(places[0].y / size[1] - rng.uniform(0.05, 0.25), 0.75)
    picture = (scenery.landscape if photo else scenery.flat)(size, where, horizon, rng)
    boxes = []
    for place in places:
        pen = Pen(size, look, place)
        figure.draw(pen, rng)
        colour, alpha, box = pen.layer(rng)
        if not figure.perched:
            _shadow(picture, place, figure, photo)
        picture.paste(colour, box[:2], alpha)
        boxes.append(_shares(box, size))
        if photo and where in GRASS and not figure.perched:
            _grass(picture, place, where, rng)
    return Drawn(scenery.grain(picture, rng) if photo else picture, where, boxes)


def _size(figure: Figure, rng: np.random.Generator) -> tuple[int, int]:
    long, aspect = SIDES[rng.choice(len(SIDES), p=SIDE_CHANCE)], ASPECTS[rng.integers(len(ASPECTS))]
    short = round(long / max(aspect, 1 / aspect) / 2) * 2
    x0, y0, x1, y1 = figure.whole
    upright = (y1 - y0 > x1 - x0) != (aspect < 1)
    return (short, long) if upright else (long, short)


def _look(photo: bool, fur: float, rng: np.random.Generator) -> Look:
    if photo:
        light = (rng.uniform(-0.9, 0.9), -rng.uniform(0.6, 1))
        return Look(
            True, light=light, contrast=rng.uniform(0.45, 0.8), fur=rng.uniform(0.07, 0.15) * fur
        )
    if rng.random() < 0.2:
        return Look(False)  # cut from paper
    ink = tint(rng, (40, 34, 40) if rng.random() < 0.7 else (70, 40, 30), 12)
    return Look(False, line=rng.uniform(0.005, 0.011), ink=ink)


def _placed(figure: Figure, size: tuple[int, int], rng: np.random.Generator) -> list[Place]:
    """Where figures stand: mostly one as a whole, at times its head alone, or two."""
    chance = rng.random()
    flip = bool(rng.random() < 0.5)
    if chance < 0.12:
        near = _framed(figure.whole, size, rng, 0.85, flip)
        share, shift = rng.uniform(0.45, 0.65), rng.choice((-1, 1)) * rng.uniform(0.2, 0.3)
        raised = 0 if figure.perched else near.y - 0.04 * size[1]
        small = Place(near.x + shift * size[0], raised or near.y, near.scale * share, not flip)
        return [small, near]
    frame = figure.head if chance < 0.36 else figure.whole
    return [_framed(frame, size, rng, 1.0, flip)]


def _framed(
    frame: Box, size: tuple[int, int], rng: np.random.Generator, share: float, flip: bool
) -> Place:
    x0, y0, x1, y1 = frame
    room = min(size)
    scale = min(min(size[0], 1.2 * room) / (x1 - x0), min(size[1], 1.2 * room) / (y1 - y0))
    scale *= rng.uniform(0.78, 1.0) * share
    middle = -(x0 + x1) / 2 if flip else (x0 + x1) / 2
    x = size[0] * rng.uniform(0.46, 0.54) - middle * scale
    y = size[1] * rng.uniform(0.48, 0.56) - (y0 + y1) / 2 * scale
    return Place(x, y, scale, flip, rng.uniform(-0.05, 0.05))


def _shares(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[Box, bool]:
    (x0, y0, x1, y1), (w, h) = box, size
    return (x0 / w, y0 / h, x1 / w, y1 / h), x0 == 0 or y0 == 0 or x1 == w or y1 == h


def _shadow(picture: Image.Image, place: Place, figure: Figure, photo: bool) -> None:
    """A dark patch on the ground below the feet."""
    x0, _, x1, _ = figure.whole
    half = (x1 - x0) / 2.4 * place.scale
    x, y, flat = place.x, place.y, place.scale * 0.09
    if y - flat > picture.height:
        return
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse(
        (x - half, y - flat, x + half, y + flat), fill=110 if photo else 46
    )
    if photo:
        mask = mask.filter(ImageFilter.GaussianBlur(flat * 0.5))
    picture.paste((20, 18, 16), (0, 0), mask)


def _grass(picture: Image.Image, place: Place, where: str, rng: np.random.Generator) -> None:
    """Blades in front of the feet."""
    if place.y > picture.height * 1.05:
        return
    colour = scenery.PLACES[where][2][0]
    layer = Image.new("RGBA", (picture.width * 2, picture.height * 2))
    pencil, unit = ImageDraw.Draw(layer), place.scale * 2
    count = int(rng.integers(60, 160))
    xs = rng.uniform(-0.1, 1.1, count) * layer.width
    ys = place.y * 2 + rng.uniform(-0.02, 0.22, count) * unit
    tall, lean = rng.uniform(0.05, 0.2, count) * unit, rng.uniform(-0.05, 0.05, count) * unit
    for x, y, high, side, tone in zip(
        xs, ys, tall, lean, rng.uniform(0.6, 1.25, count), strict=True
    ):
        width = max(1.5, unit * 0.008)
        blade = (x - width, y, x + side, y - high, x + width, y)
        pencil.polygon(blade, fill=(*shade_of(colour, tone), 255))
    layer = layer.reduce(2)
    picture.paste(layer, (0, 0), layer)
