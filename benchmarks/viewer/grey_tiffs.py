"""TIFFs of one sample: every kind of number, meaning of zero, byte order and compression."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile

from benchmarks.viewer.scenes import GREY, SIZE, Cell, rgb_of

__all__ = ["grey_tiffs", "large_numbers", "plain_tiff", "small_depths", "tiff"]


def tiff(array: np.ndarray, **options: Any) -> bytes:
    """One page as tifffile writes it."""
    buffer = io.BytesIO()
    byteorder = options.pop("byteorder", "<")
    with tifffile.TiffWriter(buffer, byteorder=byteorder, bigtiff=options.pop("big", False)) as out:
        out.write(array, metadata=None, **options)
    return buffer.getvalue()


def grey_tiffs() -> Iterator[Cell]:
    """Every kind of number x meaning x byte order x compression."""
    unit = GREY / 255
    kinds: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "8-bit": (GREY, 255 - GREY),
        "16-bit": (GREY * np.uint16(257), 65535 - GREY * np.uint16(257)),
        "float16": (unit.astype("f2"), (1 - unit).astype("f2")),
        "float32": (unit.astype("f4"), (1 - unit).astype("f4")),
        "float64": (unit, 1 - unit),
        "float32 to 255": (GREY.astype("f4"), (255 - GREY).astype("f4")),
        "signed 16-bit": ((GREY * 128.498).astype("i2"), 32767 - (GREY * 128.498).astype("i2")),
        "unsigned 32-bit": (GREY * np.uint32(257), 65535 - GREY * np.uint32(257)),
        "signed 32-bit": (GREY * np.int32(257), 65535 - GREY * np.int32(257)),
        "signed 8-bit": ((GREY // 2).astype("i1"), (127 - GREY // 2).astype("i1")),
    }
    for name, (black_zero, white_zero) in kinds.items():
        for meaning, array in (("black is zero", black_zero), ("white is zero", white_zero)):
            for order in "<>":
                for compression in (None, "lzw", "adobe_deflate"):
                    photometric = "minisblack" if meaning == "black is zero" else "miniswhite"
                    data = tiff(
                        array, photometric=photometric, byteorder=order, compression=compression
                    )
                    kind = f"grey {name}, {meaning}, {'II' if order == '<' else 'MM'}"
                    yield Cell(
                        "TIFF", f"{kind}, {compression or 'plain'}", data, rgb_of(GREY), 1.5, array
                    )


def large_numbers() -> Iterator[Cell]:
    """Numbers beyond what 16 bits hold, below zero, or not finite."""
    full = GREY.astype("u4") * np.uint32(16843009)
    low, high = int(GREY.min()), int(GREY.max())
    stretched = rgb_of(np.rint((GREY.astype(float) - low) * 255 / (high - low)).astype(np.uint8))
    yield Cell("TIFF", "grey unsigned 32-bit, all of it", tiff(full), stretched, 1, full)
    below = GREY.astype("i2") * 100 - 12800
    yield Cell("TIFF", "grey signed 16-bit below zero", tiff(below), stretched, 1, below)
    below = GREY.astype("i4") * 1000 - 128000
    yield Cell("TIFF", "grey signed 32-bit below zero", tiff(below), stretched, 1, below)
    below = (GREY.astype("i2") - 128).astype("i1")
    yield Cell("TIFF", "grey signed 8-bit below zero", tiff(below), stretched, 1, below)
    for dtype in ("f2", "f4", "f8"):
        for odd in (np.nan, np.inf, -np.inf):
            for photometric in ("minisblack", "miniswhite"):
                unit = (GREY / 255).astype(dtype)
                unit = unit if photometric == "minisblack" else (1 - unit).astype(dtype)
                unit[0, 0] = unit[9, 9] = odd
                data = tiff(unit, photometric=photometric)
                yield Cell(
                    "TIFF", f"grey {dtype} with {odd}, {photometric}", data, rgb_of(GREY), 1.5
                )


def twelve_bits(turned: bool) -> bytes:
    """Rows of packed 12-bit numbers."""
    levels = np.rint(GREY.astype(float) * 4095 / 255).astype(int)
    levels = 4095 - levels if turned else levels
    pairs = levels.reshape(levels.shape[0], -1, 2)
    packed = np.stack(
        [pairs[..., 0] >> 4, (pairs[..., 0] & 15) << 4 | pairs[..., 1] >> 8, pairs[..., 1] & 255],
        -1,
    ).astype(np.uint8)
    return plain_tiff(packed.tobytes(), 12, 0 if turned else 1)


def plain_tiff(
    pixels: bytes, bits: int, photometric: int, more: dict[int, int] | None = None
) -> bytes:
    """One strip of one sample, little-endian."""
    tags = {256: SIZE[0], 257: SIZE[1], 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1}
    tags |= {278: SIZE[1], 279: len(pixels), **(more or {})}
    pixels += bytes(len(pixels) % 2)
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(pixels))
        + pixels
        + struct.pack("<H", len(tags))
        + body
        + bytes(4)
    )


def small_depths() -> Iterator[Cell]:
    """1, 2, 4 and 12 bits, both meanings."""
    for bits in (1, 2, 4):
        levels = GREY >> (8 - bits)
        shown = rgb_of((levels * (255 // (2**bits - 1))).astype(np.uint8))
        for photometric in (0, 1):
            stored = levels if photometric else 2**bits - 1 - levels
            rows = np.unpackbits(stored[..., None], axis=2)[..., -bits:].reshape(len(stored), -1)
            data = plain_tiff(np.packbits(rows, axis=1).tobytes(), bits, photometric)
            yield Cell("TIFF", f"grey {bits}-bit, photometric {photometric}", data, shown, 0.1)
    for turned in (False, True):
        yield Cell(
            "TIFF", f"grey 12-bit, photometric {1 - turned}", twelve_bits(turned), rgb_of(GREY)
        )
