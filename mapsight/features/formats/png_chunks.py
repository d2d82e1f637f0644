"""What Pillow makes of a PNG's chunks otherwise than viewers do.

Transparency given as one grey level or colour (tRNS): Pillow compares the level as it
stands in the file with pixels that it has scaled to 8 bits, so of 2, 4 and 16 bits per
sample none or the wrong pixels become transparent. And a text or a profile that is damaged
or very large costs the picture there.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageChops

__all__ = ["apply_key", "key_memory", "png_chunks", "without_texts"]

_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP")
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


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and length of the content of a PNG's chunks."""
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, length
        at += 12 + length


def without_texts(data: bytes) -> bytes | None:
    """Return a PNG with nothing in it but what its pixels need; None if it has nothing else."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    parts, left_out = [data[:8]], False
    for name, at, length in png_chunks(data):
        if name in _NEEDED:
            parts.append(data[at - 8 : at + length + 4])
        elif name[:1].islower():
            left_out = True
    return b"".join(parts) if left_out else None


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
