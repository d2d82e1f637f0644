"""TIFFs of several samples: RGB, alpha three ways, planes, tiles, YCbCr, CMYK, CIELab, palettes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.viewer.grey_tiffs import tiff
from benchmarks.viewer.scenes import ALPHA, GREY, RGB, Cell, over_white, rgb_of, saved

__all__ = ["colour_tiffs"]


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
