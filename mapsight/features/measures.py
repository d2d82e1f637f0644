"""What can be said of a picture without a model: size, quality, a perceptual hash.

Quality is measured on one grey picture of WORKING_SIDE x WORKING_SIDE pixels
(the aspect ratio is not kept), so that large and small pictures compare.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from mapsight.features.decode import Picture

__all__ = [
    "WORKING_SIDE",
    "aspect_ratio",
    "dhash",
    "entropy",
    "gradient",
    "grey_working",
    "measure",
    "pixels_per_inch",
    "sharpness",
]

WORKING_SIDE = 256


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


def grey_working(image: Image.Image) -> np.ndarray:
    """Return (256, 256) uint8: luma (ITU-R BT.601), resized regardless of aspect ratio.

    Averaged over boxes, which changes least (sharpness within 2 %) when a JPEG
    was decoded at reduced size; bilinear where a side is enlarged, because
    boxes would add edges.
    """
    shrinks = min(image.size) >= WORKING_SIDE
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(_luma(image).resize((WORKING_SIDE, WORKING_SIDE), method))


def entropy(grey: np.ndarray) -> float:
    """Return the Shannon entropy of the histogram of grey levels, in bits, 0 to 8.

    Args:
        grey: (h, w) uint8, not empty.
    """
    counts = np.array(Image.fromarray(grey).histogram())
    share = counts[counts > 0] / grey.size
    return abs(float(np.dot(share, np.log2(share))))


def gradient(grey: np.ndarray) -> float:
    """Return the mean magnitude of the Sobel gradient, in grey levels per 8 pixels, 0 to 1443.

    The 3 x 3 operator of Sobel and Feldman (1968), not normalised; only pixels
    with all their neighbours count, so nothing is assumed beyond the border.

    Args:
        grey: (h, w) uint8, at least 3 x 3.
    """
    level = grey.astype(np.int16)
    down = level[:-2] + 2 * level[1:-1] + level[2:]
    across = level[:, :-2] + 2 * level[:, 1:-1] + level[:, 2:]
    gx = (down[:, 2:] - down[:, :-2]).astype(np.float32)
    gy = (across[2:] - across[:-2]).astype(np.float32)
    squares = np.square(gx, out=gx) + np.square(gy, out=gy)  # below 2**24: exact
    return float(np.sqrt(squares, out=squares).mean(dtype=np.float64))


def sharpness(grey: np.ndarray) -> float:
    """Return the variance of the Laplacian, in squared grey levels; 0 is flat, blur is low.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a
    comparative study", ICPR 2000. The four-neighbour operator; only pixels with
    all their neighbours count.

    Args:
        grey: (h, w) uint8, at least 3 x 3.
    """
    level = grey.astype(np.int16)
    middle = level[1:-1, 1:-1]
    sides = level[1:-1, :-2] + level[1:-1, 2:] + level[:-2, 1:-1] + level[2:, 1:-1]
    values = (sides - 4 * middle).ravel().astype(np.float64)  # whole numbers: exact sums
    mean = values.sum() / values.size
    return float(np.square(values).sum() / values.size - mean**2)


def dhash(image: Image.Image) -> str:
    """Return the 64-bit difference hash, 16 hex digits: is each pixel brighter than its left one.

    On luma resized to 9 x 8 (Lanczos), row by row: what `imagehash.dhash` of the
    same picture prints.

    Args:
        image: RGB or L.
    """
    size = (9, 8)
    tiny = np.asarray(_luma(image).resize(size, Image.Resampling.LANCZOS))
    return np.packbits(tiny[:, 1:] > tiny[:, :-1]).tobytes().hex()


def measure(picture: Picture) -> dict[str, Any]:
    """Return all measures of one picture, as fields of its Feature record.

    `width`, `height` and `pixels` are the declared ones. Floats are rounded to
    6 decimals.
    """
    width, height = picture.width, picture.height
    grey = _luma(picture.image)
    working = grey_working(grey)
    return {
        "width": width,
        "height": height,
        "pixels": width * height,
        "aspect": round(aspect_ratio(width, height), 6),
        "ppi": round(pixels_per_inch(width, height), 6),
        "format": picture.format,
        "entropy": round(entropy(working), 6),
        "gradient": round(gradient(working), 6),
        "sharpness": round(sharpness(working), 6),
        "dhash": dhash(grey),
    }


def _luma(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.convert("L")  # which would copy it


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} {value}: expected a positive number")
