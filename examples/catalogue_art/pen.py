"""A pen that draws shapes flat and outlined, or shaded like solid things in light."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from catalogue_art.geometry import Points, turned

__all__ = ["Colour", "Look", "Mark", "Pen", "Place", "noise", "shade_of", "tint"]

Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]
Mark = tuple[Points, Colour]
"""A part of a coat's pattern."""

FINE = 2
"""Shapes are drawn this much larger and averaged down."""


@dataclass(frozen=True)
class Look:
    """How a picture is drawn.

    `photo` shades and textures; else `line` is the width of outlines as a share of
    the picture's side (0 for none) in the colour `ink`. `light` points to the light.
    """

    photo: bool
    line: float = 0.0
    ink: Colour = (30, 25, 25)
    light: tuple[float, float] = (-0.5, -0.85)
    contrast: float = 0.6
    fur: float = 0.12


@dataclass(frozen=True)
class Place:
    """Where the origin of a figure comes to lie (pixels), pixels per unit, flip and turn."""

    x: float
    y: float
    scale: float
    flip: bool = False
    turn: float = 0.0

    def pixels(self, points: Points) -> Points:
        """Points of the figure as pixels."""
        p = turned(np.asarray(points, float), self.turn) * self.scale
        return p * ((-1, 1) if self.flip else (1, 1)) + (self.x, self.y)


def tint(rng: np.random.Generator, colour: Sequence[int], amount: float = 14) -> Colour:
    """A colour near another one."""
    together, each = rng.uniform(-amount, amount), rng.uniform(-amount / 2, amount / 2, 3)
    r, g, b = np.clip(np.asarray(colour) + together + each, 0, 255).astype(int).tolist()
    return r, g, b


def shade_of(colour: Sequence[int], by: float) -> Colour:
    """A colour made darker (`by` below 1) or lighter."""
    r, g, b = (min(255, max(0, round(channel * by))) for channel in colour)
    return r, g, b


def _noise_tile(side: int = 1024) -> np.ndarray:
    """Fractal noise that repeats, (side, side) float32, mean 0, most within -1 to 1."""
    rng = np.random.default_rng(20)
    total = np.zeros((side, side), np.float32)
    for octave in range(2, 10):
        cells = rng.standard_normal((2**octave, 2**octave)).astype(np.float32)
        big = Image.fromarray(np.tile(cells, (2, 2))).resize(
            (2 * side, 2 * side), Image.Resampling.BICUBIC
        )
        total += np.asarray(big)[side // 2 : -side // 2, side // 2 : -side // 2] * 0.6**octave
    return total / (2 * total.std())


_TILES: dict[str, np.ndarray] = {}


def noise(rng: np.random.Generator, width: int, height: int, kind: str = "smooth") -> np.ndarray:
    """A piece of noise, (height, width) float32, at most 1024 each.

    "smooth" as hills and clouds are, "fur" that lies in strands, or "grain".
    """
    if not _TILES:
        _TILES["smooth"] = np.tile(_noise_tile(), (2, 2))
        white = np.random.default_rng(21).integers(0, 256, (1024, 1024), dtype=np.uint8)
        fine = Image.fromarray(white).filter(ImageFilter.GaussianBlur(0.7))
        long = Image.fromarray(white.T.copy()).filter(ImageFilter.BoxBlur((0.6, 4)))
        both = np.asarray(fine, np.float32) * 0.35 + np.asarray(long, np.float32)
        _TILES["fur"] = np.tile((both - both.mean()) / (2 * both.std()), (2, 2))
        plain = np.asarray(fine, np.float32)
        _TILES["grain"] = np.tile((plain - plain.mean()) / (2 * plain.std()), (2, 2))
    y, x = rng.integers(0, 1024, 2)
    return _TILES[kind][y : y + height, x : x + width]


class Pen:
    """Draws one figure on a layer of its own.

    Args:
        size: of the picture, (width, height) pixels.
        place: where the figure's units come to lie.
    """

    def __init__(self, size: tuple[int, int], look: Look, place: Place) -> None:
        self.size, self.look, self.place = size, look, place
        fine = (size[0] * FINE, size[1] * FINE)
        self._colour, self._alpha = Image.new("RGB", fine), Image.new("L", fine)
        self._light = np.ones((size[1], size[0]), np.float32)
        self._line = max(1, round(look.line * min(fine)))

    def shape(
        self,
        outline: Points,
        colour: Colour,
        marks: Iterable[Mark] = (),
        *,
        bulge: float = 1.0,
        edge: bool = True,
        root: tuple[float, float, float] | None = None,
    ) -> None:
        """A filled shape with a pattern inside.

        Args:
            bulge: how round it looks in light.
            edge: whether it gets an outline where figures are outlined.
            root: (x, y, reach) where it grows out of another part: there it has no
                outline and takes over that part's light.
        """
        points = self.place.pixels(outline) * FINE
        box = self._box(points)
        if box is None:
            return
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon((points - box[:2]).ravel().tolist(), fill=255)
        fill = Image.new("RGB", mask.size, colour)
        draw = ImageDraw.Draw(fill)
        for mark, other in marks:
            spot = self.place.pixels(mark) * FINE - box[:2]
            draw.polygon(spot.ravel().tolist(), fill=other)
        self._colour.paste(fill, box, mask)
        self._alpha.paste(255, box, mask)
        if self.look.photo:
            self._shade(mask, box, bulge, root)
        elif edge and self.look.line:
            self._outline(outline, points, root)

    def _outline(
        self, outline: Points, points: np.ndarray, root: tuple[float, float, float] | None
    ) -> None:
        if root is None:
            points = np.concatenate([points, points[:2]])
        else:  # begin at the root, so that the rest is one stroke
            away = np.hypot(*(outline - root[:2]).T)
            start = -int(np.argmin(away))
            points = np.roll(points, start, axis=0)[np.roll(away, start) > root[2]]
        if len(points) > 1:
            self._stroke(points, self.look.ink, self._line)

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """A line of a width in the figure's units."""
        thick = max(1, round(width * self.place.scale * FINE))
        self._stroke(self.place.pixels(points) * FINE, colour, thick)

    def _stroke(self, points: np.ndarray, colour: Colour, width: int) -> None:
        xy = points.ravel().tolist()
        ImageDraw.Draw(self._colour).line(xy, fill=colour, width=width, joint="curve")
        ImageDraw.Draw(self._alpha).line(xy, fill=255, width=width, joint="curve")

    def _box(self, points: np.ndarray) -> Box | None:
        """The pixels around some points, with room for soft edges; None outside the picture."""
        room = 8 * FINE
        low = np.floor(points.min(0) / FINE).astype(int) * FINE - room
        high = np.ceil(points.max(0) / FINE).astype(int) * FINE + room
        x0, y0 = np.maximum(low, 0).tolist()
        x1, y1 = np.minimum(high, self._colour.size).tolist()
        return (x0, y0, x1, y1) if x1 - x0 > room and y1 - y0 > room else None

    def _shade(
        self,
        fine: Image.Image,
        box: Box,
        bulge: float,
        root: tuple[float, float, float] | None,
    ) -> None:
        """Light on a shape as if it were filled out, and a shadow around it on what is behind."""
        x0, y0, x1, y1 = (side // FINE for side in box)
        mask = fine.reduce(FINE)
        inside = np.asarray(mask, np.float32) / 255
        radius = max(1.0, bulge * 0.16 * float(np.sqrt(inside.sum())))
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
        dy, dx = np.gradient(soft)
        lx, ly = self.look.light
        if self.place.flip:
            lx = -abs(lx)
        light = 1.04 - self.look.contrast * 2.2 * radius * (dx * lx + dy * ly)
        behind = self._light[y0:y1, x0:x1]
        shadow = behind * (1 - (0.3 if root is None else 0.12) * soft)
        if root is not None:
            (rx, ry), reach = self.place.pixels(np.array([root[:2]]))[0], root[2] * self.place.scale
            away = np.hypot(np.arange(y0, y1)[:, None] - ry, np.arange(x0, x1)[None] - rx)
            inside = inside * np.clip(away / (1.5 * reach) - 0.15, 0, 1)
        behind[...] = shadow + inside * (np.clip(light, 0.4, 1.45) - shadow)

    def layer(self, rng: np.random.Generator) -> tuple[Image.Image, Image.Image, Box]:
        """The finished figure: its colours (RGB), where it is (L), and the pixels it lies in."""
        x0, y0, x1, y1 = self._alpha.getbbox() or (0, 0, FINE, FINE)
        box = (x0 // FINE, y0 // FINE, -(-x1 // FINE), -(-y1 // FINE))
        fine = (box[0] * FINE, box[1] * FINE, box[2] * FINE, box[3] * FINE)
        colour, alpha = self._colour.reduce(FINE, fine), self._alpha.reduce(FINE, fine)
        if self.look.photo:
            colour, alpha = self._textured(colour, alpha, box, rng)
        return colour, alpha, box

    def _textured(
        self, colour: Image.Image, alpha: Image.Image, box: Box, rng: np.random.Generator
    ) -> tuple[Image.Image, Image.Image]:
        """Light and fur on a figure."""
        x0, y0, x1, y1 = box
        width, height = alpha.size
        pixels = np.dstack([np.asarray(colour), np.asarray(alpha)])
        fur = noise(rng, width, height, "fur")
        reach = self.look.fur * (self.place.scale * 0.035 + 4)
        rows = np.clip(np.arange(height)[:, None] + np.rint(fur * reach).astype(int), 0, height - 1)
        across = np.rint(fur[::-1] * reach * 0.6).astype(int)
        columns = np.clip(np.arange(width)[None] + across, 0, width - 1)
        pixels = pixels[rows, columns]
        texture = 1 + self.look.fur * fur + 0.10 * noise(rng, width, height)
        lit = pixels[..., :3] * (self._light[y0:y1, x0:x1] * texture)[..., None]
        fur_colour = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
        return fur_colour, Image.fromarray(np.ascontiguousarray(pixels[..., 3]))
