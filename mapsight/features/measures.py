"""What can be said of a picture without a model: size, quality, a perceptual hash.

Quality is measured on one grey picture of WORKING_SIDE x WORKING_SIDE pixels
(the aspect ratio is not kept), so that large and small pictures compare.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from PIL import Image

from mapsight.features.decode import Picture
from mapsight.features.tones import tones

__all__ = [
    "WORKING_SIDE",
    "aspect_ratio",
    "detail",
    "dhash",
    "gradient_and_sharpness",
    "grey_working",
    "measure",
    "pixels_per_inch",
    "tile",
]

WORKING_SIDE = 256
TILE_SIDE = 32


def pixels_per_inch(width: float, height: float, diagonal: float | None = None) -> float:
    """Return pixels per inch, or the project's stand-in for it.

    With a `diagonal` in inches, of a screen or a print that the picture fills:
    sqrt(width² + height²) / diagonal, an optical density. Without one the
    diagonal is the picture's own in pixels and the value is
    sqrt((width² + height²) / diagonal) = sqrt(diagonal), whose unit is the
    square root of a pixel: it grows with resolution and orders pictures by
    it, but is no density. 224 x 224 gives 17.8.

    Args:
        width, height: pixels, positive.
        diagonal: inches, positive.

    Raises:
        ValueError: a value is not positive and finite.
    """
    _check_positive(width=width, height=height)
    pixels = math.hypot(width, height)
    if diagonal is None:
        return math.sqrt(pixels)
    _check_positive(diagonal=diagonal)
    return pixels / diagonal


def aspect_ratio(width: float, height: float) -> float:
    """Return width over height; above 1 is landscape. ValueError unless both are positive."""
    _check_positive(width=width, height=height)
    return width / height


def grey_working(image: Image.Image) -> Image.Image:
    """Return 256 x 256 pixels of luma (ITU-R BT.601), resized regardless of aspect ratio.

    Averaged over boxes, which changes least (sharpness within 2 %) when a JPEG
    was decoded at reduced size; bilinear where a side is enlarged, because
    boxes would add edges.
    """
    shrinks = min(image.size) >= WORKING_SIDE
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return _luma(image).resize((WORKING_SIDE, WORKING_SIDE), method)


def gradient_and_sharpness(grey: np.ndarray) -> tuple[float, float]:
    """Return how strong the edges of a picture are, and how fine its detail is.

    Only pixels with all their neighbours count, so nothing is assumed beyond the border.

    Args:
        grey: (h, w) of 0 to 255, at least 3 x 3, and h below 2,000 (sums are of 32 bits).

    Returns:
        The mean magnitude of the gradient by the 3 x 3 operator of Sobel and Feldman
        (1968), not normalised, in grey levels per 8 pixels, 0 to 1443.
        The variance of the four-neighbour Laplacian in squared grey levels; 0 is flat,
        blur is low. Pech-Pacheco et al., "Diatom autofocusing in brightfield
        microscopy: a comparative study", ICPR 2000.
    """
    h, w = grey.shape
    # rows behind each other: sums of neighbours run over the ends of rows, which are left out below
    level = np.zeros(h * w + 2, np.int16)
    level[:-2] = grey.ravel()
    down, across = _weighted(level, w), _weighted(level, 1)
    gx, gy = down[2:] - down[:-2], across[2 * w :] - across[: -2 * w]
    # the sums hold the middle twice each, of which the operator takes four times away
    laplacian = down[1:-1] + across[w:-w] - 8 * level[w + 1 : -w - 1]
    return _mean_length(gx, gy, w), _variance(laplacian, w)


def _weighted(level: np.ndarray, step: int) -> np.ndarray:
    """Sums of three numbers that are `step` apart, the middle one twice."""
    pairs = level[step:] + level[:-step]
    return pairs[step:] + pairs[:-step]


def _mean_length(gx: np.ndarray, gy: np.ndarray, width: int) -> float:
    """The mean of sqrt(gx² + gy²), the last two of each row left out."""
    x, y = gx.astype(np.float32), gy.astype(np.float32)
    squares = np.square(x, out=x)
    squares += np.square(y, out=y)  # below 2**24: exact
    lengths = np.sqrt(squares, out=squares).reshape(-1, width)
    lengths[:, -2:] = 0
    return float(lengths.sum(dtype=np.float64) / (len(lengths) * (width - 2)))


def _variance(numbers: np.ndarray, width: int) -> float:
    """The variance of whole numbers below 2**10, the last two of each row left out; exact."""
    rows = numbers.astype(np.int32).reshape(-1, width)
    n = len(rows) * (width - 2)
    total = int(rows.sum(axis=0, dtype=np.int32)[:-2].sum(dtype=np.int64))
    squares = np.square(rows, out=rows).sum(axis=0, dtype=np.int32)[:-2]
    return (n * int(squares.sum(dtype=np.int64)) - total**2) / n**2


def dhash(image: Image.Image) -> str:
    """Return the 64-bit difference hash, 16 hex digits: is each pixel brighter than its left one.

    On luma resized to 9 x 8 (Lanczos), row by row; a large picture is first averaged
    over whole boxes to about eight times that. `imagehash.dhash`, which averages
    nothing, prints the same for less than 144 x 128 pixels.

    Args:
        image: RGB or L.
    """
    tiny = _luma(image).resize((9, 8), Image.Resampling.LANCZOS, reducing_gap=8.0)
    levels = np.asarray(tiny)
    return np.packbits(levels[:, 1:] > levels[:, :-1]).tobytes().hex()


def tile(working: Image.Image) -> str:
    """Return a picture as 32 x 32 grey levels, row by row, base64: the means of 8 x 8 pixels.

    Args:
        working: of `grey_working`.
    """
    small = working.reduce(WORKING_SIDE // TILE_SIDE)
    return base64.b64encode(small.tobytes()).decode("ascii")


def detail(grey: np.ndarray) -> float:
    """Return how much real detail a picture has in all, whatever its size.

    The squared four-neighbour Laplacian, added up over the pixels of every fourth row. An
    enlarged picture has less of it than before, for its edges are softer, and so has a reduced
    one, for it has fewer pixels, a blurred and a strongly compressed one.

    Args:
        grey: (h, w) uint8, as large as it was decoded.

    Returns:
        Squared grey levels, a whole number; 0 is flat, or smaller than 3 x 3.
    """
    if min(grey.shape) < 3:
        return 0.0
    above, middle, below = (grey[at : len(grey) - 2 + at : 4].astype(np.int16) for at in range(3))
    beside = above[:, 1:-1] + below[:, 1:-1]
    beside += middle[:, :-2]
    beside += middle[:, 2:]
    squares = np.square((4 * middle[:, 1:-1] - beside).astype(np.int32))  # below 2**21
    return 4.0 * int(squares.sum(axis=0, dtype=np.int64).sum())


def measure(picture: Picture) -> dict[str, Any]:
    """Return all measures of one picture, as fields of its Feature record.

    `width`, `height` and `pixels` are the declared ones. Floats are rounded to
    6 decimals. Of several frames `frames` says how many, and `frame` which is measured.
    """
    width, height = picture.width, picture.height
    grey = _luma(picture.image)
    working = grey_working(grey)
    level = np.asarray(working).astype(np.int16)
    gradient, sharpness = gradient_and_sharpness(level)
    return {
        "width": width,
        "height": height,
        "pixels": width * height,
        "aspect": round(aspect_ratio(width, height), 6),
        "ppi": round(pixels_per_inch(width, height), 6),
        "format": picture.format,
        "entropy": round(abs(working.entropy()), 6),
        "gradient": round(gradient, 6),
        "sharpness": round(sharpness, 6),
        "dhash": dhash(grey),
        **tones(working, picture.image, level),
        **({"frames": picture.frames, "frame": picture.frame} if picture.frames > 1 else {}),
        "tile": tile(working),
        "detail": detail(np.asarray(grey)),
        "quantizer": round(picture.quantizer, 6),
    }


def _luma(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.convert("L")  # which would copy it


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} {value}: expected a positive number")
