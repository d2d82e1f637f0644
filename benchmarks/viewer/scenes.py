"""What all cells of the table are made of: a scene, its grey, an alpha, and the judge."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mapsight.features.measures import dhash

__all__ = [
    "ALPHA",
    "GREY",
    "RGB",
    "SIZE",
    "Cell",
    "fault",
    "over_white",
    "rgb_of",
    "saved",
    "scene",
]


SIZE = (96, 64)
_HASH_BITS = 3


@dataclass(frozen=True)
class Cell:
    """One picture: `expected` is (h, w, 3) uint8, or the name of a kind that is not read.

    `tolerance` is the mean absolute difference in levels that coding and colour may cost.
    `samples` are the numbers that an independent reader must find.
    """

    format: str
    kind: str
    data: bytes
    expected: np.ndarray | str
    tolerance: float = 1.0
    samples: Any = None

    @property
    def name(self) -> str:
        return f"{self.format} {self.kind}"


def scene(seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Shapes on a ground, (h, w, 3) uint8."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(rng.integers(40, 216, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for number in range(12):
        x, y, w, h = rng.integers(0, size[0]), rng.integers(0, size[1]), *rng.integers(8, 40, 2)
        shape = (draw.ellipse, draw.rectangle)[number % 2]
        colour = tuple(rng.integers(0, 256, 3).tolist())
        shape([int(x), int(y), int(x + w), int(y + h)], fill=colour)
    return np.asarray(image)


RGB = scene()
GREY = np.asarray(Image.fromarray(RGB).convert("L"))
ALPHA = np.asarray(Image.fromarray(scene(2)).convert("L"))
ALPHA = np.where(ALPHA < 90, 0, np.where(ALPHA > 150, 255, ALPHA)).astype(np.uint8)


def rgb_of(grey: np.ndarray) -> np.ndarray:
    """Grey levels as (h, w, 3)."""
    return np.repeat(grey[..., None], 3, axis=2)


def over_white(colours: np.ndarray, alpha: np.ndarray = ALPHA) -> np.ndarray:
    """What is seen of colours with an alpha channel on white."""
    share = alpha[..., None] / 255
    return np.rint(colours * share + 255 * (1 - share)).astype(np.uint8)


def saved(image: Any, kind: str, **options: Any) -> bytes:
    """A picture or array as Pillow writes it."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def fault(cell: Cell, result: Any) -> str:
    """What is wrong with a cell; empty if nothing is.

    Args:
        result: an RGB picture, or code and detail of an error.
    """
    if isinstance(cell.expected, str):
        named = isinstance(result, tuple) and result[0] == "not_an_image"
        good = named and cell.expected in result[1]
        return "" if good else f"not named: {result if isinstance(result, tuple) else 'decoded'}"
    if isinstance(result, tuple):
        return f"not read: {': '.join(result)}"
    pixels = np.asarray(result)
    if pixels.shape != cell.expected.shape:
        return f"{pixels.shape} for {cell.expected.shape}"
    apart = float(np.abs(pixels.astype(int) - cell.expected).mean())
    bits = _bits_apart(pixels, cell.expected) if pixels.std() > 1 else 0
    if apart <= cell.tolerance and bits <= _HASH_BITS:
        return ""
    return f"{apart:.1f} levels and {bits} bits of the hash apart"


def _bits_apart(one: np.ndarray, other: np.ndarray) -> int:
    pair = [int(dhash(Image.fromarray(pixels)), 16) for pixels in (one, other)]
    return (pair[0] ^ pair[1]).bit_count()
