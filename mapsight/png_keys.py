"""Transparency that a PNG gives as one grey level or colour (tRNS).

Pillow compares the level as it stands in the file with pixels that it has scaled to 8
bits: of 2, 4 and 16 bits per sample none or too few pixels become transparent.
"""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageChops

__all__ = ["apply_key", "key_memory"]

_SCALES = {"L;2": (3, 85), "L;4": (15, 17), "L": (255, 1)}


def key_memory(image: Any) -> int:
    """Return the bytes per pixel that `apply_key` needs beside the picture."""
    return 9 if _is_deep(image) else 0


def apply_key(image: Any, data: bytes) -> Image.Image:
    """Return the picture with its transparent level in the scale of its pixels.

    Args:
        image: an opened PNG, not loaded.
        data: the encoded picture.
    """
    key = image.info.get("transparency")
    rawmode = image.tile[0].args if image.tile else None
    if isinstance(key, int) and rawmode in _SCALES:
        mask, scale = _SCALES[rawmode]
        image.info["transparency"] = (key & mask) * scale
    elif isinstance(key, tuple) and rawmode == "RGB":
        image.info["transparency"] = tuple(level & 255 for level in key)
    elif _is_deep(image):
        return _with_alpha(image, data, key)
    return image


def _is_deep(image: Any) -> bool:
    deep = bool(image.tile) and image.tile[0].args == "RGB;16B"
    return image.format == "PNG" and deep and "transparency" in image.info


def _with_alpha(image: Any, data: bytes, key: tuple[int, ...]) -> Image.Image:
    """Compare both bytes of each level: only the upper ones are in the picture."""
    lower: Any = Image.open(io.BytesIO(data), formats=["PNG"])
    lower.tile = [lower.tile[0]._replace(args="RGB;16L")]
    image.load()
    same = ImageChops.lighter(
        _differs(image, tuple(level >> 8 for level in key)),
        _differs(lower, tuple(level & 255 for level in key)),
    )
    del image.info["transparency"]
    image.putalpha(same)
    return image


def _differs(image: Any, key: tuple[int, ...]) -> Image.Image:
    """255 where a pixel is not `key`, else 0."""
    table = [255 * (level != wanted) for wanted in key for level in range(256)]
    red, green, blue = image.convert("RGB").point(table).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)
