"""BMPs: depths, headers, and what their alpha means."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.viewer.scenes import ALPHA, RGB, Cell, over_white, saved

__all__ = ["bmp", "bmps"]


def bmp(
    colours: np.ndarray,
    bits: int,
    alpha: Any = None,
    version: int = 3,
    masks: Any = None,
    profile: bytes = b"",
    down: bool = False,
) -> bytes:
    """A BMP of 16, 24 or 32 bits; `masks` for red, green, blue and alpha."""
    h, w = colours.shape[:2]
    if bits == 24:
        rows = colours[..., ::-1].reshape(h, -1)
    else:
        alphas = np.broadcast_to(np.asarray(255 if alpha is None else alpha), (h, w))
        places = masks or (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        word = np.zeros((h, w), np.uint64)
        for levels, mask in zip([*np.moveaxis(colours, 2, 0), alphas], places, strict=True):
            shift = (mask & -mask).bit_length() - 1 if mask else 0
            word |= (levels.astype(np.uint64) * (mask >> shift) + 127) // 255 << np.uint64(shift)
        rows = word.astype(f"<u{bits // 8}").view(np.uint8).reshape(h, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    pixels = (rows if down else rows[::-1]).tobytes()
    size = {3: 40, 4: 108, 5: 124}[version]
    head = struct.pack(
        "<IiiHHIIiiII",
        size,
        w,
        -h if down else h,
        1,
        bits,
        3 if masks else 0,
        len(pixels),
        2835,
        2835,
        0,
        0,
    )
    extra = (
        struct.pack("<4I", *masks)
        if masks
        else struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    )
    if version > 3:
        space = b"DEBM" if profile else b"BGRs"
        head += extra + space + bytes(48)
        if version == 5:
            head += struct.pack("<4I", 4, size + len(pixels) if profile else 0, len(profile), 0)
    elif masks:
        head += extra[:12]
    offset = 14 + len(head)
    whole = offset + len(pixels) + len(profile)
    return b"BM" + struct.pack("<IHHI", whole, 0, 0, offset) + head + pixels + profile


def bmps() -> Iterator[Cell]:
    """Depths, headers and what their alpha means."""
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for version in (3, 4, 5):
        for down in (False, True):
            yield Cell(
                "BMP",
                f"24-bit, version {version}, down={down}",
                bmp(RGB, 24, version=version, down=down),
                RGB,
            )
            for name, alpha in (("0 everywhere", 0), ("255 everywhere", 255), ("mixed", ALPHA)):
                yield Cell(
                    "BMP",
                    f"32-bit, version {version}, alpha {name}, down={down}",
                    bmp(RGB, 32, alpha, version, down=down),
                    RGB,
                )
    for version in (4, 5):
        for order, each in (("BGRA", masks), ("RGBA", (0xFF, 0xFF00, 0xFF0000, 0xFF000000))):
            for name, alpha, shown in (
                ("0 everywhere", 0, RGB),
                ("255 everywhere", 255, RGB),
                ("mixed", ALPHA, over_white(RGB)),
            ):
                yield Cell(
                    "BMP",
                    f"32-bit with masks {order}, version {version}, alpha {name}",
                    bmp(RGB, 32, alpha, version, each),
                    shown,
                    1.5,
                )
    yield Cell("BMP", "16-bit 5-5-5", bmp(RGB, 16, masks=(0x7C00, 0x3E0, 0x1F, 0)), RGB, 5)
    yield Cell("BMP", "16-bit 5-6-5", bmp(RGB, 16, masks=(0xF800, 0x7E0, 0x1F, 0)), RGB, 5)
    yield Cell(
        "BMP",
        "16-bit 4-4-4",
        bmp(RGB, 16, masks=(0xF00, 0xF0, 0xF, 0)),
        "BMP with unusual bit masks",
    )
    for colours in (2, 16, 256):
        few = Image.fromarray(RGB).quantize(colours)
        yield Cell(
            "BMP", f"palette of {colours}", saved(few, "BMP"), np.asarray(few.convert("RGB"))
        )
    around = bytearray(bmp(RGB, 24))
    for number, name in ((4, "JPEG"), (5, "PNG")):
        around[30:34] = struct.pack("<I", number)
        yield Cell("BMP", f"around a {name}", bytes(around), f"BMP around a {name}")
