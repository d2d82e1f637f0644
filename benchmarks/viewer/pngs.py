"""PNGs of every colour type and depth, with each way of being transparent."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.viewer.profiles import SWAP, in_p3
from benchmarks.viewer.scenes import ALPHA, GREY, RGB, SIZE, Cell, over_white, rgb_of

__all__ = ["pngs"]


def png(
    rows: np.ndarray, bits: int, colour: int, *chunks: tuple[bytes, bytes], size: Any = SIZE
) -> bytes:
    """Rows of bytes, not filtered, with chunks before them."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0))
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = [chunk(*each) for each in chunks]
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(parts)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def png_grey(bits: int, *chunks: tuple[bytes, bytes]) -> tuple[bytes, np.ndarray]:
    """A grey PNG and its numbers."""
    levels = GREY.astype(">u2") * 257 if bits == 16 else GREY >> (8 - bits)
    if bits >= 8:
        rows = levels.astype(">u2" if bits == 16 else "u1")
    else:
        unpacked = np.unpackbits(levels[..., None], axis=2)[..., -bits:].reshape(len(levels), -1)
        rows = np.packbits(unpacked, axis=1)
    return png(rows, bits, 0, *chunks), levels.astype(int)


def pngs() -> Iterator[Cell]:
    """Every colour type and depth, with each way of being transparent."""
    for bits in (1, 2, 4, 8, 16):
        data, levels = png_grey(bits)
        shown = rgb_of(np.rint(levels * 255 / (2**bits - 1)).astype(np.uint8))
        yield Cell("PNG", f"grey {bits}-bit", data, shown)
        key = int(np.bincount(levels.ravel()).argmax())
        data, _ = png_grey(bits, (b"tRNS", struct.pack(">H", key)))
        yield Cell(
            "PNG",
            f"grey {bits}-bit, a transparent level",
            data,
            np.where((levels == key)[..., None], 255, shown).astype(np.uint8),
        )
    deep = RGB.astype(">u2") * 257
    deep[::2] ^= 1  # the lower bytes matter: half the rows are another colour
    for bits, array in ((8, RGB), (16, deep)):
        yield Cell("PNG", f"RGB {bits}-bit", png(array, bits, 2), RGB)
        key = array[-1, -1].astype(int)
        clear = (array == key).all(2)
        data = png(array, bits, 2, (b"tRNS", struct.pack(">3H", *key)))
        yield Cell(
            "PNG",
            f"RGB {bits}-bit, a transparent colour",
            data,
            np.where(clear[..., None], 255, RGB).astype(np.uint8),
        )
        alpha = ALPHA.astype(array.dtype) * (1 if bits == 8 else 257)
        yield Cell(
            "PNG",
            f"RGB + alpha {bits}-bit",
            png(np.dstack([array, alpha]), bits, 6),
            over_white(RGB),
            1.5,
        )
        grey = GREY.astype(array.dtype) * (1 if bits == 8 else 257)
        yield Cell(
            "PNG",
            f"grey + alpha {bits}-bit",
            png(np.dstack([grey, alpha]), bits, 4),
            over_white(rgb_of(GREY)),
            1.5,
        )
    yield from png_palettes()
    yield from png_colours()


def png_palettes() -> Iterator[Cell]:
    """Palettes of each depth: opaque, with one clear entry, with partial alpha."""
    for bits in (1, 2, 4, 8):
        few = Image.fromarray(RGB).quantize(2**bits if bits < 8 else 200)
        numbers = np.asarray(few)
        table = np.array(few.getpalette()[: 3 * (int(numbers.max()) + 1)], np.uint8).reshape(-1, 3)
        unpacked = np.unpackbits(numbers[..., None], axis=2)[..., 8 - bits :].reshape(
            len(numbers), -1
        )
        rows = np.packbits(unpacked, axis=1)
        for name, alphas in (
            ("opaque", None),
            ("one clear entry", np.array([0], np.uint8)),
            ("partial alpha", np.linspace(0, 255, len(table)).astype(np.uint8)),
        ):
            chunks = [(b"PLTE", table.tobytes())]
            alpha = np.full(len(table), 255, np.uint8)
            if alphas is not None:
                chunks.append((b"tRNS", alphas.tobytes()))
                alpha[: len(alphas)] = alphas
            data = png(rows, bits, 3, *chunks)
            yield Cell(
                "PNG",
                f"palette {bits}-bit, {name}",
                data,
                over_white(table[numbers], alpha[numbers]),
                1.5,
            )


def png_colours() -> Iterator[Cell]:
    """What PNGs say of their colours in numbers; text beside the picture."""
    linear = (RGB / 255.0) ** 2.2
    yield Cell(
        "PNG",
        "gAMA 1.0",
        png(np.rint(linear * 65535).astype(">u2"), 16, 2, (b"gAMA", struct.pack(">I", 100000))),
        RGB,
        4,
    )
    yield Cell("PNG", "gAMA 1/2.2", png(RGB, 8, 2, (b"gAMA", struct.pack(">I", 45455))), RGB, 0.1)
    usual_points = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    usual = [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *usual_points))]
    yield Cell("PNG", "gAMA 1/2.2 and cHRM of sRGB", png(RGB, 8, 2, *usual), RGB, 0.1)
    yield Cell(
        "PNG",
        "sRGB over gAMA 1.0",
        png(RGB, 8, 2, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))),
        RGB,
        0.1,
    )
    wide, shown = in_p3(RGB)
    points = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    chrm = (b"cHRM", struct.pack(">8I", *points))
    yield Cell(
        "PNG",
        "cHRM of Display P3",
        png(wide, 8, 2, (b"gAMA", struct.pack(">I", 45455)), chrm),
        shown,
        2,
    )
    yield Cell(
        "PNG", "cICP of Display P3", png(wide, 8, 2, (b"cICP", bytes([12, 13, 0, 1]))), shown, 2
    )
    text = b"Comment\0\0" + zlib.compress(bytes(3_000_000))
    yield Cell("PNG", "3 MB of text", png(RGB, 8, 2, (b"zTXt", text)), RGB, 0.1)
    large = b"large\0\0" + zlib.compress(SWAP.ljust(3_000_000, b"\0"))
    yield Cell("PNG", "a profile of 3 MB", png(RGB, 8, 2, (b"iCCP", large)), RGB, 60)
