"""TIFFs with pages that are no pictures, and sound ones of kinds that are not read."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import tifffile

from benchmarks.viewer.grey_tiffs import plain_tiff, tiff
from benchmarks.viewer.scenes import GREY, RGB, Cell, rgb_of

__all__ = ["page_tiffs", "unread_tiffs"]


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
