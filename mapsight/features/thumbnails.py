"""Small pictures for contact sheets."""

from __future__ import annotations

import io

from PIL import Image

from mapsight.features.decode import PictureError, decode

__all__ = ["THUMBNAIL_SIDE", "fitted", "made_small", "thumbnail"]

THUMBNAIL_SIDE = 240
"""Pixels of a thumbnail's longer side."""


def thumbnail(data: bytes, side: int = THUMBNAIL_SIDE) -> bytes | None:
    """Return a JPEG of the picture in `data`, nothing but its pixels; None if it cannot be decoded.

    Args:
        data: an encoded picture.
        side: pixels; neither side is longer, and nothing is enlarged.

    Raises:
        ValueError: `side` is not positive.
    """
    try:
        return made_small(data, side)
    except PictureError:
        return None


def made_small(data: bytes, side: int) -> bytes:
    """Return what `thumbnail` does.

    Raises:
        PictureError: the picture cannot be decoded.
        ValueError: `side` is not positive.
    """
    if side < 1:
        raise ValueError(f"expected a side of at least 1 pixel, got {side}")
    picture = decode(data, working_side=max(1, side // 2))
    size = fitted(*picture.image.size, side)
    small = picture.image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82, optimize=True)
    return buffer.getvalue()


def fitted(width: int, height: int, side: int = THUMBNAIL_SIDE) -> tuple[int, int]:
    """Return width and height scaled down to fit a square of `side`, each at least 1.

    >>> fitted(500, 375), fitted(20, 8000), fitted(30, 20)
    ((240, 180), (1, 240), (30, 20))
    """
    longer = max(width, height, side)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))
