"""A table of pictures that mean the same in many ways, and what a viewer shows of each.

Every cell is one format, mode, depth, alpha, photometric meaning or kind of page. What is
expected comes from the scene that was written, never from the decoder; where another
reader knows the format, it is asked whether the file holds what it should.
`python -m benchmarks.viewer` prints the table.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms, ImageDraw

from mapsight.embedded_profiles import matrix_profile

SIZE = (96, 64)


@dataclass(frozen=True)
class Cell:
    """One picture: `expected` is (h, w, 3) uint8, or the name of a kind that is not read.

    `tolerance` is the mean absolute difference in levels that coding and colour may cost.
    `samples` are the numbers that an independent reader must find.
    """

    format: str
    kind: str
    data: bytes
    expected: np.ndarray | str
    tolerance: float = 1.0
    samples: Any = None

    @property
    def name(self) -> str:
        return f"{self.format} {self.kind}"


def scene(seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Shapes on a ground, (h, w, 3) uint8."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(rng.integers(40, 216, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for number in range(12):
        x, y, w, h = rng.integers(0, size[0]), rng.integers(0, size[1]), *rng.integers(8, 40, 2)
        shape = (draw.ellipse, draw.rectangle)[number % 2]
        colour = tuple(rng.integers(0, 256, 3).tolist())
        shape([int(x), int(y), int(x + w), int(y + h)], fill=colour)
    return np.asarray(image)


RGB = scene()
GREY = np.asarray(Image.fromarray(RGB).convert("L"))
ALPHA = np.asarray(Image.fromarray(scene(2)).convert("L"))
ALPHA = np.where(ALPHA < 90, 0, np.where(ALPHA > 150, 255, ALPHA)).astype(np.uint8)


def rgb_of(grey: np.ndarray) -> np.ndarray:
    """Grey levels as (h, w, 3)."""
    return np.repeat(grey[..., None], 3, axis=2)


def over_white(colours: np.ndarray, alpha: np.ndarray = ALPHA) -> np.ndarray:
    """What is seen of colours with an alpha channel on white."""
    share = alpha[..., None] / 255
    return np.rint(colours * share + 255 * (1 - share)).astype(np.uint8)


def saved(image: Any, kind: str, **options: Any) -> bytes:
    """A picture or array as Pillow writes it."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# --- TIFF ---------------------------------------------------------------------------


def tiff(array: np.ndarray, **options: Any) -> bytes:
    """One page as tifffile writes it."""
    buffer = io.BytesIO()
    byteorder = options.pop("byteorder", "<")
    with tifffile.TiffWriter(buffer, byteorder=byteorder, bigtiff=options.pop("big", False)) as out:
        out.write(array, metadata=None, **options)
    return buffer.getvalue()


def patched(data: bytes, **tags: int) -> bytes:
    """A TIFF whose tags of the first page have other numbers, as programs write them."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page, order = file.pages[0], file.byteorder
        changed = bytearray(data)
        for name, value in tags.items():
            tag = page.tags[name]
            form = {3: "H", 4: "I"}[int(tag.dtype)]
            packed = struct.pack(order + form, value)
            changed[tag.valueoffset : tag.valueoffset + len(packed)] = packed
    return bytes(changed)


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


def colour_tiffs() -> Iterator[Cell]:
    """RGB, alpha three ways, planes, tiles, YCbCr, CMYK, CIELab and palettes."""
    rgb16 = RGB.astype("u2") * np.uint16(257)
    layouts: dict[str, dict[str, Any]] = {
        "plain": {},
        "planes": {"planarconfig": "separate"},
        "tiles": {"tile": (32, 32)},
        "big": {"big": True},
        "lzw": {"compression": "lzw"},
        "lzw planes": {"compression": "lzw", "planarconfig": "separate"},
        "deflate tiles, predictor": {
            "compression": "adobe_deflate",
            "tile": (32, 32),
            "predictor": True,
        },
        "packbits": {"compression": "packbits"},
    }
    for depth, array in (("8-bit", RGB), ("16-bit", rgb16)):
        for layout, options in layouts.items():
            for order in "<>":
                given = dict(options)
                planes = given.get("planarconfig") == "separate"
                stored = np.moveaxis(array, 2, 0) if planes else array
                data = tiff(
                    np.ascontiguousarray(stored), photometric="rgb", byteorder=order, **given
                )
                shown = "BigTIFF in big-endian order" if layout == "big" and order == ">" else RGB
                yield Cell("TIFF", f"RGB {depth}, {layout}, {order}", data, shown, 1, stored)
    for depth, scale in (("8-bit", np.uint8(1)), ("16-bit", np.uint16(257))):
        straight = np.dstack([RGB, ALPHA])
        share = ALPHA[..., None] / 255
        multiplied = np.dstack([np.rint(RGB * share).astype(np.uint8), ALPHA])
        for extra, array, shown in (
            ("unassalpha", straight, over_white(RGB)),
            ("assocalpha", multiplied, over_white(RGB)),
            ("unspecified", straight, RGB),
        ):
            for compression in (None, "lzw"):
                data = tiff(
                    array * scale, photometric="rgb", extrasamples=[extra], compression=compression
                )
                yield Cell("TIFF", f"RGB {depth} + {extra}, {compression}", data, shown, 1.5)
    yield from grey_alpha_tiffs()
    yield from other_spaces()


def grey_alpha_tiffs() -> Iterator[Cell]:
    """Grey with alpha, both meanings of zero."""
    for photometric in ("minisblack", "miniswhite"):
        levels = GREY if photometric == "minisblack" else 255 - GREY
        data = tiff(
            np.dstack([levels, ALPHA]),
            photometric=photometric,
            extrasamples=["unassalpha"],
            planarconfig="contig",
        )
        yield Cell("TIFF", f"grey + alpha, {photometric}", data, over_white(rgb_of(GREY)), 1.5)
    multiplied = np.rint(GREY * (ALPHA / 255)).astype(np.uint8)
    data = tiff(
        np.dstack([multiplied, ALPHA]),
        photometric="minisblack",
        extrasamples=["assocalpha"],
        planarconfig="contig",
    )
    yield Cell("TIFF", "grey + associated alpha", data, over_white(rgb_of(GREY)), 1.5)


def lab_of(colours: np.ndarray) -> np.ndarray:
    """CIELab under D50 of sRGB levels."""
    linear = colours / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [
            [0.4360747, 0.3850649, 0.1430804],
            [0.2225045, 0.7168786, 0.0606169],
            [0.0139322, 0.0971045, 0.7141733],
        ]
    )
    xyz = linear @ matrix.T / np.array([0.96422, 1.0, 0.82521])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1
    )


def other_spaces() -> Iterator[Cell]:
    """YCbCr, CMYK, CIELab, ICCLab and palettes."""
    lab = lab_of(RGB)
    lightness, ab = np.rint(lab[..., :1] * 2.55), np.rint(lab[..., 1:])
    signed = np.concatenate([lightness, ab % 256], 2).astype(np.uint8)
    offset = np.concatenate([lightness, ab + 128], 2).astype(np.uint8)
    deep = np.concatenate([np.rint(lab[..., :1] * 655.35), np.rint(lab[..., 1:] * 256) % 65536], 2)
    for compression in (None, "lzw"):
        yield Cell(
            "TIFF",
            f"CIELab 8-bit, {compression}",
            tiff(signed, photometric="cielab", compression=compression),
            RGB,
            3,
        )
        yield Cell(
            "TIFF",
            f"ICCLab 8-bit, {compression}",
            tiff(offset, photometric="icclab", compression=compression),
            RGB,
            3,
        )
        yield Cell(
            "TIFF",
            f"CIELab 16-bit, {compression}",
            tiff(deep.astype("u2"), photometric="cielab", compression=compression),
            RGB,
            3,
        )
    ycc = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    for compression in (None, "lzw"):
        data = tiff(ycc, photometric="ycbcr", compression=compression, subsampling=(1, 1))
        yield Cell("TIFF", f"YCbCr, {compression}", data, RGB, 2)
    yield Cell("TIFF", "YCbCr, JPEG", saved(RGB, "TIFF", compression="jpeg", quality=95), RGB, 6)
    yield Cell("TIFF", "YCbCr, sub-sampled, plain", sub_sampled(ycc), RGB, 8)
    cmyk = np.dstack([255 - RGB, np.zeros_like(GREY)])
    for depth, scale in (("8-bit", np.uint8(1)), ("16-bit", np.uint16(257))):
        for compression in (None, "lzw"):
            data = tiff(cmyk * scale, photometric="separated", compression=compression)
            yield Cell("TIFF", f"CMYK {depth}, {compression}", data, RGB, 1.5)
    few = Image.fromarray(RGB).quantize(64)
    shown, table = np.asarray(few.convert("RGB")), np.array(few.getpalette()[:192]).reshape(-1, 3)
    table = np.vstack([table, np.zeros((256 - len(table), 3), int)]).T
    for name, scale in (("16-bit colours", 257), ("colours times 256", 256), ("8-bit colours", 1)):
        data = tiff(np.asarray(few), photometric="palette", colormap=(table * scale).astype("u2"))
        yield Cell("TIFF", f"palette, {name}", data, shown, 0.5)


def sub_sampled(ycc: np.ndarray) -> bytes:
    """Uncompressed YCbCr with 2 x 2 sub-sampling."""
    h, w = ycc.shape[:2]
    luma = (
        ycc[..., 0].reshape(h // 2, 2, w // 2, 2).transpose(0, 2, 1, 3).reshape(h // 2, w // 2, 4)
    )
    chroma = ycc[..., 1:].reshape(h // 2, 2, w // 2, 2, 2).mean((1, 3)).astype(np.uint8)
    pixels = np.concatenate([luma, chroma], 2).tobytes()
    at = 8 + len(pixels)
    tags = [
        (256, 4, 1, w),
        (257, 4, 1, h),
        (258, 3, 3, at),
        (259, 3, 1, 1),
        (262, 3, 1, 6),
        (273, 4, 1, 8),
    ]
    tags += [(277, 3, 1, 3), (278, 4, 1, h), (279, 4, 1, len(pixels)), (530, 3, 2, 2 | 2 << 16)]
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    start = b"II*\0" + struct.pack("<I", at + 8) + pixels + struct.pack("<4H", 8, 8, 8, 0)
    return start + struct.pack("<H", len(tags)) + body + bytes(4)


def page_tiffs() -> Iterator[Cell]:
    """Pages that are no pictures, before and beside the one that is."""
    small = np.ascontiguousarray(255 - RGB[::2, ::2])
    mask = (GREY > 128).astype(np.uint8) * 255
    for name, first in (
        ("a thumbnail", {"data": small, "photometric": "rgb", "subfiletype": 1}),
        ("a mask", {"data": mask, "photometric": "minisblack", "subfiletype": 1}),
        (
            "a thumbnail's mask",
            {"data": small[..., 0].copy(), "photometric": "minisblack", "subfiletype": 1},
        ),
    ):
        for big in (False, True):
            for order in "<>":
                buffer = io.BytesIO()
                with tifffile.TiffWriter(buffer, bigtiff=big, byteorder=order) as out:
                    out.write(**first, metadata=None)
                    out.write(RGB, photometric="rgb", metadata=None)
                role = {"a thumbnail": 1, "a mask": 4}.get(name, 5)
                data = patched(buffer.getvalue(), NewSubfileType=role)
                shown = "BigTIFF in big-endian order" if big and order == ">" else RGB
                yield Cell("TIFF", f"{name}, then the picture, big={big}, {order}", data, shown)
    for name, options in (("one of several pages", {"subfiletype": 2}), ("two pictures", {})):
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as out:
            out.write(RGB, photometric="rgb", metadata=None, **options)
            out.write(255 - RGB, photometric="rgb", metadata=None, **options)
        yield Cell("TIFF", f"first of {name}", buffer.getvalue(), RGB)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as out:
        out.write(small, photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        out.write(RGB, photometric="rgb", metadata=None)
    yield Cell("TIFF", "a thumbnail that holds the picture", buffer.getvalue(), RGB)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as out:
        out.write(RGB, photometric="rgb", subifds=1, metadata=None)
        out.write(small, photometric="rgb", subfiletype=1, metadata=None)
    yield Cell("TIFF", "a picture that holds its thumbnail", buffer.getvalue(), RGB)
    data = plain_tiff((255 - GREY).tobytes(), 8, 1, {255: 2})
    yield Cell("TIFF", "only a page marked as reduced", data, rgb_of(255 - GREY))


def unread_tiffs() -> Iterator[Cell]:
    """Sound files of kinds that are not read."""
    for dtype in ("f4", "f8", "u4"):
        array = (RGB / 255).astype(dtype) if dtype[0] == "f" else RGB.astype(dtype)
        yield Cell("TIFF", f"RGB {dtype}", tiff(array, photometric="rgb"), "TIFF of 3 x")
    complex_grey = (GREY / 255).astype("c8")
    yield Cell(
        "TIFF",
        "complex",
        tiff(complex_grey, photometric="minisblack"),
        "TIFF of 1 x 64-bit complex",
    )
    yield Cell("TIFF", "64-bit whole", tiff(GREY.astype("u8")), "TIFF of 1 x 64-bit unsigned")
    for codec in ("lerc", "webp", "jpegxl", "jpeg2000", "jpegxr"):
        yield Cell(
            "TIFF", codec, tiff(RGB, photometric="rgb", compression=codec), "TIFF compressed with"
        )
    raw = tiff(GREY, photometric=32803, extratags=[(33421, 3, 2, (2, 2), True)])
    yield Cell("TIFF", "camera raw", raw, "camera raw")
    dng = tiff(RGB, photometric="rgb", extratags=[(50706, 1, 4, (1, 4, 0, 0), True)])
    yield Cell("TIFF", "DNG", dng, "camera raw (DNG)")


# --- PNG ----------------------------------------------------------------------------


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
    sRGB_points = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    usual = [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *sRGB_points))]
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


# --- profiles -----------------------------------------------------------------------

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


# --- BMP ----------------------------------------------------------------------------


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


# --- the others ---------------------------------------------------------------------


def netpbm() -> Iterator[Cell]:
    """Every kind, with several maxima."""
    for top in (255, 15, 1000, 65535):
        form = ">u2" if top > 255 else "u1"
        step = 255 / top / 2 + 0.6
        for magic, array in (("P5", GREY), ("P6", RGB)):
            levels = np.rint(array / 255 * top).astype(form)
            head = f"{magic}\n{SIZE[0]} {SIZE[1]}\n{top}\n".encode()
            yield Cell(
                "PPM",
                f"{magic}, maximum {top}",
                head + levels.tobytes(),
                array if magic == "P6" else rgb_of(array),
                step,
            )
        for magic, array in (("P2", GREY), ("P3", RGB)):
            levels = np.rint(array / 255 * top).astype(int)
            body = f"{magic}\n# by hand\n{SIZE[0]} {SIZE[1]}\n{top}\n" + " ".join(
                map(str, levels.ravel())
            )
            yield Cell(
                "PPM",
                f"{magic}, maximum {top}",
                body.encode(),
                array if magic == "P3" else rgb_of(array),
                step,
            )
    bits = GREY > 128
    yield Cell(
        "PPM",
        "P4",
        f"P4\n{SIZE[0]} {SIZE[1]}\n".encode() + np.packbits(~bits, axis=1).tobytes(),
        rgb_of(bits.astype(np.uint8) * 255),
    )
    for scale, form in ((-1.0, "<f4"), (1.0, ">f4")):
        unit = (GREY / 255).astype(form)[::-1]
        yield Cell(
            "PPM",
            f"Pf, scale {scale}",
            f"Pf\n{SIZE[0]} {SIZE[1]}\n{scale}\n".encode() + unit.tobytes(),
            rgb_of(GREY),
        )
        odd = unit.copy()
        odd[3, 3] = np.nan
        yield Cell(
            "PPM",
            f"Pf with NaN, scale {scale}",
            f"Pf\n{SIZE[0]} {SIZE[1]}\n{scale}\n".encode() + odd.tobytes(),
            rgb_of(GREY),
        )
    colour = f"PF\n{SIZE[0]} {SIZE[1]}\n-1.0\n".encode() + (RGB / 255).astype("<f4")[::-1].tobytes()
    yield Cell("PPM", "PF in colour", colour, "PFM in colour")
    pam = f"P7\nWIDTH {SIZE[0]}\nHEIGHT {SIZE[1]}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode()
    yield Cell("PPM", "P7 (PAM)", pam + RGB.tobytes(), "PAM")


def jpegs() -> Iterator[Cell]:
    """Colour spaces, scans and the processes that are not read."""
    yield Cell("JPEG", "grey", saved(GREY, "JPEG", quality=95), rgb_of(GREY), 4)
    for name, options in (
        ("4:4:4", {"subsampling": 0}),
        ("4:2:0", {"subsampling": 2}),
        ("progressive", {"progressive": True}),
        ("RGB", {"keep_rgb": True}),
    ):
        yield Cell("JPEG", name, saved(RGB, "JPEG", quality=95, **options), RGB, 8)
    cmyk = Image.merge(
        "CMYK", [*map(Image.fromarray, np.moveaxis(255 - RGB, 2, 0)), Image.new("L", SIZE)]
    )
    yield Cell("JPEG", "CMYK (Adobe)", saved(cmyk, "JPEG", quality=95), RGB, 6)
    yield Cell("JPEG", "YCCK (Adobe)", ycck(RGB), RGB, 6)
    lossless = imagecodecs.jpeg8_encode(GREY, lossless=True)
    yield Cell("JPEG", "lossless", lossless, rgb_of(GREY))
    deep = imagecodecs.jpeg8_encode(GREY.astype("u2") * 16, bitspersample=12)
    yield Cell("JPEG", "12-bit", deep, "12-bit JPEG")
    yield Cell("JPEG", "JPEG-LS", imagecodecs.jpegls_encode(RGB), "JPEG-LS")
    mpo = saved(RGB, "MPO", quality=95, save_all=True, append_images=[Image.fromarray(255 - RGB)])
    yield Cell("JPEG", "MPO, the first picture", mpo, RGB, 8)


def ycck(colours: np.ndarray) -> bytes:
    """A CMYK JPEG coded as YCCK: libjpeg's own conversion, by Adobe's mark."""
    ycc = np.asarray(Image.fromarray(255 - colours).convert("YCbCr"))
    four = Image.merge(
        "CMYK", [*map(Image.fromarray, np.moveaxis(255 - ycc, 2, 0)), Image.new("L", SIZE)]
    )
    data = bytearray(saved(four, "JPEG", quality=95))
    at = data.index(b"Adobe")
    data[at + 11] = 2
    return bytes(data)


def jpeg2000s() -> Iterator[Cell]:
    """Depths, signs, alpha and both wrappers."""
    for wrapper in ("jp2", "j2k"):
        options = {"codecformat": wrapper, "level": 0}
        for name, array, shown in (
            ("grey 8-bit", GREY, rgb_of(GREY)),
            ("grey 16-bit", GREY * np.uint16(257), rgb_of(GREY)),
            ("grey 12-bit", GREY.astype("u2") * 16, rgb_of(GREY)),
            ("RGB 8-bit", RGB, RGB),
            ("RGB 16-bit", RGB * np.uint16(257), RGB),
            ("grey signed 8-bit", (GREY.astype(int) - 128).astype("i1"), rgb_of(GREY)),
            ("grey signed 16-bit", (GREY.astype(int) * 257 - 32768).astype("i2"), rgb_of(GREY)),
            ("RGB + alpha", np.dstack([RGB, ALPHA]), over_white(RGB)),
        ):
            more = {"bitspersample": 12} if "12-bit" in name else {}
            yield Cell(
                "JPEG 2000",
                f"{name}, {wrapper}",
                imagecodecs.jpeg2k_encode(array, **options, **more),
                shown,
                1.5,
            )
    few = Image.fromarray(RGB).quantize(64)
    yield Cell(
        "JPEG 2000", "palette, two entries alike", jp2_palette(few), np.asarray(few.convert("RGB"))
    )
    yield Cell(
        "JPEG 2000",
        "grey + alpha",
        saved(Image.fromarray(np.dstack([GREY, ALPHA])), "JPEG2000"),
        over_white(rgb_of(GREY)),
        1.5,
    )


def jp2_palette(few: Image.Image) -> bytes:
    """A grey JP2 that names its colours in a box; entries 64 and 0 are alike, and both are used."""
    numbers = np.asarray(few).copy()
    zero = numbers == 0
    zero[:, ::2] = False
    table = np.array(few.getpalette()[:192], np.uint8).reshape(-1, 3)
    table = np.vstack([table[:1], table])  # entry 1 is entry 0 again
    numbers = np.where(np.asarray(few) == 0, zero.astype(np.uint8), numbers + 1).astype(np.uint8)
    data = saved(Image.fromarray(numbers), "JPEG2000", irreversible=False)
    at = data.index(b"colr") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    colr = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 16)
    pclr = (
        struct.pack(">I4sHB3B", 8 + 6 + table.size, b"pclr", len(table), 3, 7, 7, 7)
        + table.tobytes()
    )
    cmap = struct.pack(">I4s", 20, b"cmap") + b"".join(
        struct.pack(">HBB", 0, 1, n) for n in range(3)
    )
    boxes = colr + pclr + cmap
    head = data.index(b"jp2h") - 4
    size = int.from_bytes(data[head : head + 4], "big") + len(boxes) - length
    return data[:head] + struct.pack(">I", size) + data[head + 4 : at] + boxes + data[at + length :]


def animations() -> Iterator[Cell]:
    """First frames, transparent grounds, frames smaller than the screen."""
    other = Image.fromarray(255 - RGB)
    few = Image.fromarray(RGB).quantize(200)
    shown = np.asarray(few.convert("RGB"))
    yield Cell("GIF", "palette", saved(few, "GIF"), shown)
    yield Cell(
        "GIF", "first of two frames", saved(few, "GIF", save_all=True, append_images=[other]), shown
    )
    numbers = np.asarray(few)
    key = int(np.bincount(numbers.ravel()).argmax())
    clear = np.where((numbers == key)[..., None], 255, shown).astype(np.uint8)
    for disposal in (0, 1, 2, 3):
        data = saved(
            few, "GIF", transparency=key, disposal=disposal, save_all=True, append_images=[other]
        )
        yield Cell("GIF", f"a transparent entry, disposal {disposal}", data, clear)
    for name, options, ground in (
        ("opaque", {}, None),
        ("transparent", {"transparency": key}, clear),
    ):
        data = bytearray(saved(few, "GIF", **options))
        data[6:10] = struct.pack("<HH", SIZE[0] + 20, SIZE[1] + 10)
        wide = np.full((SIZE[1] + 10, SIZE[0] + 20, 3), 255, np.uint8)
        wide[: SIZE[1], : SIZE[0]] = shown if ground is None else ground
        yield Cell("GIF", f"{name} frame smaller than its screen", bytes(data), wide)
    rgba = Image.fromarray(np.dstack([RGB, ALPHA]))
    for kind, options, loss in (
        ("WEBP", {"lossless": True, "exact": True}, 1.5),
        ("PNG", {}, 1.5),
        ("AVIF", {"quality": 95}, 8),
    ):
        yield Cell(kind, "RGB, one frame", saved(RGB, kind, **options), RGB, loss)
        yield Cell(kind, "alpha, one frame", saved(rgba, kind, **options), over_white(RGB), loss)
        for name, first, then, seen in (
            ("RGB", Image.fromarray(RGB), other, RGB),
            ("alpha", rgba, other.convert("RGBA"), over_white(RGB)),
        ):
            data = saved(first, kind, save_all=True, append_images=[then], duration=100, **options)
            yield Cell(kind, f"{name}, first of two frames", data, seen, loss)
    data = saved(RGB, "PNG", save_all=True, default_image=True, append_images=[other, other])
    yield Cell("PNG", "the picture that stands for an animation", data, RGB)
    deep = imagecodecs.avif_encode(RGB.astype("u2") * 4, bitspersample=10, level=95)
    yield Cell("AVIF", "RGB 10-bit", deep, RGB, 8)


def light_on_transparent() -> Iterator[Cell]:
    """Pictures that would be blank on white, and their neighbours that would not."""
    shape = np.zeros(SIZE[::-1], np.uint8)
    shape[10:40, 20:70] = 255
    for name, colour, ground in (
        ("white", 255, 128),
        ("nearly white", 240, 128),
        ("black", 0, 255),
        ("grey", 128, 255),
    ):
        shown = rgb_of(np.where(shape > 0, colour, ground).astype(np.uint8))
        levels = np.full_like(GREY, colour)
        for kind, options in (
            ("PNG", {}),
            ("WEBP", {"lossless": True, "exact": True}),
            ("TIFF", {}),
        ):
            image = Image.fromarray(np.dstack([rgb_of(levels), shape]))
            yield Cell(kind, f"a {name} logo", saved(image, kind, **options), shown)
    both = np.full_like(GREY, 255)
    both[20:24, 25:65] = 0
    data = saved(Image.fromarray(np.dstack([rgb_of(both), shape])), "PNG")
    yield Cell(
        "PNG",
        "a white logo with black letters",
        data,
        rgb_of(np.where(shape > 0, both, 255).astype(np.uint8)),
    )
    nothing = saved(Image.fromarray(np.dstack([RGB, np.zeros_like(GREY)])), "PNG")
    yield Cell("PNG", "nothing visible", nothing, np.full_like(RGB, 255))


MAKERS: tuple[Callable[[], Iterator[Cell]], ...] = (
    *(grey_tiffs, large_numbers, small_depths, colour_tiffs, page_tiffs, unread_tiffs),
    *(pngs, profiles, bmps, netpbm, jpegs, jpeg2000s, animations, light_on_transparent),
)


def cells() -> list[Cell]:
    """Every cell of the table."""
    return [cell for maker in MAKERS for cell in maker()]


def fault(cell: Cell, picture: Any) -> str:
    """What is wrong with a cell; empty if nothing is.

    Args:
        picture: a decoded one, or the error.
    """
    if isinstance(cell.expected, str):
        detail = getattr(picture, "detail", "")
        named = getattr(picture, "code", "") == "not_an_image" and cell.expected in detail
        return "" if named else f"not named: {picture if detail else 'decoded'}"
    if not hasattr(picture, "image"):
        return f"not read: {picture}"
    found = np.asarray(picture.image)
    if found.shape != cell.expected.shape:
        return f"{found.shape} for {cell.expected.shape}"
    apart = float(np.abs(found.astype(int) - cell.expected).mean())
    return "" if apart <= cell.tolerance else f"{apart:.1f} levels apart"


def as_another_reads(cell: Cell) -> Any:
    """The numbers in a cell's file by tifffile or OpenCV; None where neither knows it."""
    if cell.format == "TIFF" and cell.samples is not None:
        return tifffile.imread(io.BytesIO(cell.data))
    if cell.format in ("PNG", "BMP") and "24-bit" in cell.kind or cell.kind == "RGB 8-bit":
        found = cv2.imdecode(np.frombuffer(cell.data, np.uint8), cv2.IMREAD_COLOR)
        return None if found is None else found[..., ::-1]
    return None
