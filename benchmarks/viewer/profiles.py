"""One colour profile that changes every colour, in each format that can hold one."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms

from benchmarks.viewer.bmps import bmp
from benchmarks.viewer.scenes import ALPHA, GREY, RGB, Cell, over_white, rgb_of, saved
from mapsight.features.formats.embedded_profiles import matrix_profile

__all__ = ["SWAP", "in_p3", "profiles"]


_SRGB = ((0.3127, 0.329), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
SWAP = matrix_profile((_SRGB[0], _SRGB[3], _SRGB[1], _SRGB[2]), None)
_P3 = matrix_profile((_SRGB[0], (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), None)


def through(colours: np.ndarray, profile: bytes, back: bool = False) -> np.ndarray:
    """sRGB in a profile's colours, or back."""
    pair = [ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile))]
    pair = pair[::-1] if back else pair
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(colours), *pair, outputMode="RGB"))


def in_p3(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of Display P3, and what they are in sRGB."""
    return through(colours, _P3), colours


def grey_profile(gamma: float) -> bytes:
    """An ICC profile for grey."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    tags[b"kTRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(value))
        body += value
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += (
        struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
        + struct.pack(">3i", 63190, 65536, 54061)
    )
    return head.ljust(128, b"\0") + table + body


def profiles() -> Iterator[Cell]:
    """One profile that changes every colour, in each format that can hold one."""
    stored = through(RGB, SWAP)
    for kind, options in (
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 95}),
    ):
        data = saved(stored, kind, icc_profile=SWAP, **options)
        yield Cell(kind, "a profile", data, RGB, 6)
        yield Cell(
            kind, "a damaged profile", saved(RGB, kind, icc_profile=SWAP[:200], **options), RGB, 4
        )
        yield Cell(
            kind, "noise for a profile", saved(RGB, kind, icc_profile=b"?" * 500, **options), RGB, 4
        )
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        yield Cell(
            kind, "the profile of sRGB", saved(RGB, kind, icc_profile=srgb, **options), RGB, 4
        )
    yield Cell("JPEG 2000", "a profile", jp2_with(saved(stored, "JPEG2000"), SWAP), RGB, 2)
    yield Cell("BMP", "a profile", bmp(stored, 24, 0, version=5, profile=SWAP), RGB, 2)
    linear = np.rint((GREY / 255) ** 2.2 * 255).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        data = saved(linear, kind, icc_profile=grey_profile(1.0))
        yield Cell(kind, "a profile for grey", data, rgb_of(GREY), 6)
        yield Cell(
            kind,
            "a profile for grey, on colours",
            saved(RGB, kind, icc_profile=grey_profile(1.0)),
            RGB,
            0.1,
        )
    with_alpha = np.dstack([stored, ALPHA])
    for kind in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        yield Cell(
            kind,
            "a profile, and alpha",
            saved(with_alpha, kind, icc_profile=SWAP, **options),
            over_white(RGB),
            3,
        )
    few = Image.fromarray(stored).quantize(200)
    shown = through(np.asarray(few.convert("RGB")), SWAP, back=True)
    yield Cell("PNG", "a profile, and a palette", saved(few, "PNG", icc_profile=SWAP), shown, 2)


def jp2_with(data: bytes, profile: bytes) -> bytes:
    """A JP2 whose colour box holds a profile."""
    at = data.index(b"colr") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    head = data.index(b"jp2h") - 4
    size = int.from_bytes(data[head : head + 4], "big") + len(box) - length
    return data[:head] + struct.pack(">I", size) + data[head + 4 : at] + box + data[at + length :]
