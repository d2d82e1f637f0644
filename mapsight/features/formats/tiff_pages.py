"""Which page of a TIFF file is its picture, and what its numbers mean.

Pillow opens the first page, whatever it is, and does not say of more than
8 bits whether white is zero.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from PIL import ImageFile, ImagePalette, TiffImagePlugin

from mapsight.features.formats.tiff_tags import (
    BITS,
    COMPRESSION,
    COUNT,
    DNG,
    EXTRA,
    FORMAT,
    HEIGHT,
    PHOTOMETRIC,
    PLANAR,
    WIDTH,
    Page,
    byte_order,
    inner_pages,
    pages_of,
)
from mapsight.features.preprocess import Samples

__all__ = ["camera_raw", "from_page", "main_page", "prepare", "samples", "unread_tiff"]

_CFA, _LINEAR_RAW = 32803, 34892
_READ = frozenset((1, 2, 3, 4, 5, 7, 8, 32773, 32946))
_COMPRESSIONS = {
    6: "the JPEG of old",
    9: "JBIG",
    10: "JBIG",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG",
    34925: "LZMA",
    34926: "Zstandard",
    50000: "Zstandard",
    34927: "WebP",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
    22610: "JPEG XR",
    34934: "JPEG XR",
}
_FORMATS = {1: "unsigned", 2: "signed", 3: "float", 5: "complex", 6: "complex float"}
_PHOTOMETRICS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr"}
_PHOTOMETRICS |= {8: "CIELab", 9: "ICCLab", 10: "ITULab", _CFA: "raw", _LINEAR_RAW: "raw"}


def main_page(data: bytes) -> Page | None:
    """Return the first page at full resolution; None if the file has no page at all.

    Pages in the file's chain come before those that another page holds
    (SubIFDs). Where all are marked as something else, it is the largest one.
    """
    pages = list(pages_of(data))
    for page in pages:
        if page.is_full:
            return page
    inner = [page for outer in pages for page in inner_pages(data, outer)]
    for page in inner:
        if page.is_full:
            return page
    return max(pages + inner, key=lambda page: page.pixels, default=None)


def camera_raw(data: bytes) -> str | None:
    """Name the kind of camera raw that a TIFF is; None if it is none."""
    first = next(pages_of(data), None)
    if first is None:
        return None
    if DNG in first.tags:
        return "camera raw (DNG)"
    raw = (_CFA, _LINEAR_RAW)
    if any(page.number(PHOTOMETRIC) in raw for page in (first, *inner_pages(data, first))):
        makers = {b"NIKON": "NEF", b"SONY": "ARW", b"PENTAX": "PEF", b"SAMSUNG": "SRW"}
        head = data[:4096].upper()
        kind = next((kind for maker, kind in makers.items() if maker in head), None)
        return f"camera raw ({kind})" if kind else "camera raw"
    return None


def from_page(data: bytes, page: Page) -> bytes:
    """Return the file with `page` as its first one; `data` itself if it is so already."""
    order, big = byte_order(data)
    at, form = (8, "Q") if big else (4, "I")
    head = struct.pack(order + form, page.offset)
    if data[at : at + len(head)] == head:
        return data
    return data[:at] + head + data[at + len(head) :]


def unread_tiff(data: bytes) -> str | None:
    """Name what makes a sound TIFF one that is not read; None if nothing does."""
    if data[:4] == b"MM\0+":
        return "BigTIFF in big-endian order"
    page = main_page(data)
    if page is None or not page.pixels:
        return None
    compression = page.number(COMPRESSION, 1)
    if compression not in _READ:
        return f"TIFF compressed with {_COMPRESSIONS.get(compression, f'method {compression}')}"
    form, bits = page.number(FORMAT, 1), page.number(BITS, 1)
    photometric = page.number(PHOTOMETRIC)
    name = _PHOTOMETRICS.get(photometric, f"photometric meaning {photometric}")
    count = page.number(COUNT, 1)
    key = (photometric, (form,), bits, count, len(page.tags.get(EXTRA, ())))
    if key in _usual() and len(set(page.tags.get(BITS, (1,)))) == 1:
        return None
    kind = _FORMATS.get(form, "unknown")
    return f"TIFF of {count} x {bits}-bit {kind} numbers ({name})"


def prepare(image: Any, page: Page) -> None:
    """Mend what Pillow makes of an opened TIFF, before it is loaded."""
    compressed = page.number(COMPRESSION, 1) != 1
    sub_sampled = page.number(PHOTOMETRIC) == 6 and not compressed
    deep = page.number(BITS, 1) == 16 and image.mode in ("RGB", "RGBA")
    planes = page.number(PLANAR, 1) == 2 and deep and not compressed
    if (sub_sampled or planes) and image.tile:
        _by_libtiff(image, "RGBX" if sub_sampled else f"{image.mode};16N", page)
    if image.tile and image.tile[0].codec_name == "libtiff":  # in the machine's byte order
        rawmode, *rest = image.tile[0].args
        image.tile = [image.tile[0]._replace(args=(_NATIVE.get(rawmode, rawmode), *rest))]
    colours = image.tag_v2.get(TiffImagePlugin.COLORMAP, ())
    if image.mode in ("P", "PA") and colours and max(colours) < 256:  # written as 8-bit numbers
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def samples(page: Page) -> Samples:
    """Return what the numbers of a page mean that Pillow hands out as they are."""
    form, bits = page.number(FORMAT, 1), page.number(BITS, 1)
    photometric = page.number(PHOTOMETRIC)
    kind = {(3, 16): "<f2", (1, 32): "<u4", (2, 8): "i1"}.get((form, bits))
    white = {(1, 12): 4095, (2, 8): 127, (2, 16): 32767}.get((form, bits), 65535)
    lab = {8: "signed", 9: "offset"}.get(photometric) if bits in (8, 16) else None
    # Pillow turns those of up to 8 bits itself
    turned = photometric == 0 and (bits > 8 or form == 2 or page.number(COUNT, 1) > 1)
    return Samples(kind=kind, white=white, white_is_zero=turned, lab=lab)


_NATIVE = {
    "F;32BF": "F;32F",
    "F;64BF": "F;64F",
    "I;32BS": "I;32S",
    "I;16BS": "I;16S",
    "I;32B": "I;32",
    "I;16B": "I;16",
    "LA;16B": "LA;16B",
}


def _by_libtiff(image: Any, rawmode: str, page: Page) -> None:
    image.use_load_libtiff = True
    image._mode = "RGB" if rawmode == "RGBX" else image.mode
    size = (0, 0, page.number(WIDTH), page.number(HEIGHT))
    arguments = (rawmode, False, image.tag_v2.offset)
    image.tile = [ImageFile._Tile("libtiff", size, 0, arguments)]


def _usual() -> frozenset[tuple[Any, ...]]:
    """Return what Pillow reads, as (photometric, format, bits, samples, extra samples)."""
    return frozenset(
        (key[1], key[2], key[4][0], len(key[4]), len(key[5]))
        for key in TiffImagePlugin.OPEN_INFO
        if len(key[2]) == 1
    )


def _more_layouts() -> Iterator[tuple[Any, tuple[str, str]]]:
    for order, big in ((b"II", False), (b"MM", True)):
        for photo in (0, 1):
            grey = (order, photo)
            yield (*grey, (3,), 1, (64,), ()), ("F", "F;64BF" if big else "F;64F")
            yield (*grey, (3,), 1, (32,), ()), ("F", "F;32BF" if big else "F;32F")
            yield (*grey, (3,), 1, (16,), ()), ("I;16", "I;16B" if big else "I;16")
            yield (*grey, (1,), 1, (32,), ()), ("I", "I;32B" if big else "I;32")
            yield (*grey, (2,), 1, (32,), ()), ("I", "I;32BS" if big else "I;32S")
            yield (*grey, (2,), 1, (16,), ()), ("I", "I;16BS" if big else "I;16S")
            yield (*grey, (1,), 1, (16,), ()), ("I;16", "I;16B" if big else "I;16")
            yield (*grey, (1,), 1, (12,), ()), ("I;16", "I;12")
            yield (*grey, (2,), 1, (8,), ()), ("L", "L")
            for extra in (0, 1, 2):
                mode = ("L", "LX") if extra == 0 else ("La", "La") if extra == 1 else ("LA", "LA")
                yield (*grey, (1,), 1, (8, 8), (extra,)), mode
        for photo in (8, 9):
            for form in ((1,), (1, 2, 2)):
                if photo == 9:
                    yield (order, photo, form, 1, (8, 8, 8), ()), ("RGB", "RGB")
                else:
                    yield (order, photo, form, 1, (8, 8, 8), ()), ("LAB", "LAB")
                deep = ("RGB", "RGB;16B" if big else "RGB;16L")
                yield (order, photo, form, 1, (16, 16, 16), ()), deep
        for extra in (1, 2):
            yield (order, 5, (1,), 1, (8,) * 5, (extra,)), ("CMYK", "CMYKX")


for _key, _mode in _more_layouts():
    TiffImagePlugin.OPEN_INFO.setdefault(_key, _mode)
