"""What decoding a picture takes in memory, judged from its header."""

from __future__ import annotations

from typing import Any

from PIL import Image, TiffImagePlugin

from mapsight.features.formats.gif_frames import screen_memory
from mapsight.features.formats.png_chunks import key_memory

__all__ = ["PLUGIN_BYTES", "decoding_memory", "reduction"]

_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_WHOLE_FRAME = {"WEBP": 12, "AVIF": 16, "JPEG2000": 20, "HEIF": 8, "JXL": 8}
PLUGIN_BYTES = 12
"""A pixel of JPEG XL, as its plugin decodes it."""


def decoding_memory(image: Image.Image, size: tuple[int, int], shorter: int) -> int:
    """Return the bytes that decoding needs at its peak, beside the encoded bytes.

    Args:
        image: opened, not loaded, after `draft`.
        size: declared width and height, before `draft`.
        shorter: pixels; what the shorter side is kept above.

    The sum of, per pixel as decoded: 1, 2 or 4 bytes as Pillow stores it (RGB
    takes 4); what the codec holds beside it, as measured with Pillow 13
    (WebP 12, AVIF 16, JPEG 2000 20, HEIC and JPEG XL 8 bytes per pixel, compressed TIFF up to 8 in
    one strip); for a JPEG of several scans all its coefficients at 2 bytes,
    which scaling does not reduce; and twice 4 bytes per pixel returned, for
    conversion and orientation.
    """
    pixels = image.width * image.height
    need = pixels * (_STORED.get(image.mode, 4) + _WHOLE_FRAME.get(str(image.format), 0))
    need += 8 * image.width * _rows_held(image) + pixels * (
        key_memory(image) + screen_memory(image)
    )
    if _has_several_scans(image):
        need += 2 * _coefficients(image, size)
    return need + 8 * pixels // reduction(image, shorter) ** 2


def _rows_held(image: Any) -> int:
    """Rows that libtiff decodes at once; 0 without libtiff."""
    if image.format != "TIFF" or all(tile[0] != "libtiff" for tile in image.tile):
        return 0
    return min(image.height, image.tag_v2.get(TiffImagePlugin.ROWSPERSTRIP, image.height))


def _has_several_scans(image: Any) -> bool:
    """Return whether libjpeg must keep all coefficients: progressive, or not interleaved."""
    if image.format not in ("JPEG", "MPO"):
        return False
    if image.info.get("progressive"):
        return True
    data, at = image.fp.getvalue(), 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at + 4 : at + 5] != bytes([len(image.layer)])


def _coefficients(image: Any, size: tuple[int, int]) -> int:
    """How many coefficients a JPEG has, by the sampling factors of its components."""
    full = max(h for _, h, _, _ in image.layer) * max(v for _, _, v, _ in image.layer)
    return size[0] * size[1] * sum(h * v for _, h, v, _ in image.layer) // full


def reduction(image: Image.Image, shorter: int) -> int:
    """Return by how much both sides can shrink while the shorter one stays above a length."""
    return max(1, min(image.size) // shorter)
