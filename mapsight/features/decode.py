"""From encoded bytes to an RGB picture, in bounded memory.

Size and memory are judged from the header, before any pixel is decoded, so that
the process stays below about 400 MB. Large JPEGs are decoded at 1/2, 1/4 or 1/8
(DCT scaling), other formats averaged down in bands, while the shorter side is
at least twice the working side: so far labels and measures do not change.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, Jpeg2KImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401

from mapsight.features.formats.colour import to_srgb
from mapsight.features.formats.decoding_memory import PLUGIN_BYTES, decoding_memory, reduction
from mapsight.features.formats.file_kinds import kind_of, unread_kind
from mapsight.features.formats.frames import frames_of
from mapsight.features.formats.gif_frames import on_its_screen
from mapsight.features.formats.jpeg2000 import jp2_palette
from mapsight.features.formats.plugins import ADDED, how_to_read, jxl_size, register
from mapsight.features.formats.png_chunks import apply_key, without_texts
from mapsight.features.formats.tiff_pages import (
    camera_raw,
    from_page,
    main_page,
    prepare,
    samples,
    unread_tiff,
)
from mapsight.features.formats.tiff_tags import Page
from mapsight.features.preprocess import Samples, to_rgb

with contextlib.suppress(ImportError):  # from Pillow 11.3
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a task has one core

__all__ = ["FORMATS", "MAX_MEMORY", "MAX_PIXELS", "Picture", "PictureError", "decode"]

MAX_PIXELS = 200_000_000
"""Pictures that declare more pixels are refused."""

MAX_MEMORY = 256 * 2**20
"""Bytes that one picture may need: encoded, and as `decoding_memory` estimates."""

Image.preinit()
register()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

FORMATS = tuple(
    name
    for name in (
        *("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "PPM", "AVIF"),
        *ADDED.values(),
    )
    if name in Image.OPEN
)
"""What is tried: rasters that photographs come in. Left out: what runs a helper
program (EPS), icons (the pictures inside are larger than they declare), and the rest."""

_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_NOTHING_MORE = ("HTML", "SVG", "XML", "text", "text of blanks", "nothing but zero bytes")


class PictureError(ValueError):
    """A picture that cannot be used: `code` is one of `records.ERROR_CODES`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    `width` and `height` are what the file declares, in pixels, after EXIF
    orientation; `image` is RGB, oriented, and as large or smaller; it is the frame number `frame`
    (from 1) of `frames`. `quantizer` is the mean step of a JPEG's luma table, 1 or more; 0 of
    what is no JPEG.
    """

    width: int
    height: int
    format: str
    image: Image.Image
    frames: int = 1
    frame: int = 1
    quantizer: float = 0.0


def decode(
    data: bytes,
    *,
    working_side: int = 256,
    max_pixels: int = MAX_PIXELS,
    max_memory: int = MAX_MEMORY,
) -> Picture:
    """Decode the picture in `data` as a viewer shows it: upright, opaque, in sRGB.

    It is the first frame, or the first page at full resolution.

    Args:
        data: an encoded picture in one of FORMATS, whatever its file name said.
        working_side: pixels; the shorter side of what is returned is at least
            twice this, or the picture's own.
        max_pixels: at most MAX_PIXELS.
        max_memory: bytes, for `data` and `decoding_memory` together.

    Raises:
        PictureError: and nothing else, for any data.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _decoded(data, 2 * working_side, max_pixels, max_memory - len(data))
        except PictureError:
            raise
        except Exception as error:
            raise _picture_error(error) from error


def _decoded(data: bytes, shorter: int, max_pixels: int, max_memory: int) -> Picture:
    """The picture; an error says what it is if that is not read. Huge texts cost no PNG."""
    if raw := camera_raw(data) if _is_tiff(data) else None:
        raise PictureError("not_an_image", f"looks like {raw}, which is not read here")
    page = main_page(data) if _is_tiff(data) else None
    moved = from_page(data, page) if page else data
    spare = max_memory - len(moved) * (moved is not data)
    _check_jxl(data, max_pixels, max_memory)
    try:
        with _open(moved) as image:
            frames, frame = frames_of(image, data, page)
            picture = _decode(image, moved, page, shorter, max_pixels, spare)
            return replace(picture, frames=frames, frame=frame)
    except Exception as error:
        if getattr(error, "code", "corrupt") not in ("corrupt", "truncated"):
            raise
        if unread := _of_unread_kind(data):
            raise unread from error
        bare = without_texts(data) if "MAX_TEXT" in str(error) else None
        if bare is None:
            raise
    return _decoded(bare, shorter, max_pixels, max_memory - len(bare))


def _check_jxl(data: bytes, max_pixels: int, max_memory: int) -> None:
    """Refuse a JPEG XL that is too large before it is opened, which decodes it."""
    size = jxl_size(data) if "JXL" in FORMATS else None
    pixels = size[0] * size[1] if size else 0
    if size and (pixels > max_pixels or pixels * PLUGIN_BYTES > max_memory):
        raise _too_large(size, "decoding needs more than is allowed")


def _open(data: bytes) -> Image.Image:
    if not data:
        raise PictureError("empty", "no bytes")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError:
        raise _sniffed(data) from None


def _decode(
    image: Image.Image,
    data: bytes,
    page: Page | None,
    shorter: int,
    max_pixels: int,
    max_memory: int,
) -> Picture:
    size = image.size
    if min(size) < 1:
        raise PictureError("corrupt", f"a picture of {size[0]} x {size[1]} pixels")
    if size[0] * size[1] > max_pixels:
        raise _too_large(size, f"more than {max_pixels} pixels")
    image.draft("RGB", (shorter, shorter))
    if page:
        prepare(image, page)
    need = decoding_memory(image, size, shorter)
    if need > max_memory:
        raise _too_large(size, f"decoding needs {need} bytes, more than {max_memory}")
    transform = to_srgb(image, data)
    jp2_palette(image, data)
    image = on_its_screen(apply_key(image, data))
    image.load()
    turn = _orientation(image)
    meaning = samples(page) if page else Samples(opaque=_means_no_alpha(image))
    small = to_rgb(image, reduction(image, shorter), meaning, transform)
    if turn in _TRANSPOSE:
        small = small.transpose(_TRANSPOSE[turn])
    width, height = size[::-1] if turn in (5, 6, 7, 8) else size
    # a phone's JPEG with a second picture inside (MPO) is a JPEG to everybody else
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    return Picture(width, height, kind, small, quantizer=_quantizer(image))


def _quantizer(image: Image.Image) -> float:
    """Return the mean of the first quantization table of a JPEG; 0 where there is none."""
    tables = getattr(image, "quantization", None) or {}
    first = next(iter(tables.values()), ())
    return sum(first) / len(first) if first else 0.0


def _means_no_alpha(image: Image.Image) -> bool:
    """Return whether it is a BMP with alpha 0 everywhere, by which programs mean opaque."""
    extremes: Any = image.getextrema() if (image.format, image.mode) == ("BMP", "RGBA") else None
    return bool(extremes) and extremes[3][1] == 0


def _too_large(size: tuple[int, int], why: str) -> PictureError:
    return PictureError("too_many_pixels", f"{size[0]} x {size[1]} pixels: {why}")


def _picture_error(error: Exception) -> PictureError:
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text:
        return PictureError("out_of_memory", text or "allocation failed")
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return PictureError("too_many_pixels", text)
    code = "truncated" if "truncated" in text.lower() else "corrupt"
    return PictureError(code, f"{type(error).__name__}: {text}")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none that can be read.

    That of a JPEG XL is in its codestream and done already, unless it holds a JPEG.
    """
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return 1
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF: any class, and the pixels are fine
        return 1
    return turn if turn in _TRANSPOSE else 1


def _sniffed(data: bytes) -> PictureError:
    """Return what to say of data that Pillow cannot open."""
    name = kind_of(data)
    if ADDED.get(name or "", name) in FORMATS:
        return PictureError("corrupt", f"{name} with a damaged header")
    if name in _NOTHING_MORE:
        return PictureError("not_an_image", f"looks like {name}")
    if name:
        return PictureError("not_an_image", how_to_read(name))
    return PictureError("not_an_image", "looks like no known format")


def _of_unread_kind(data: bytes) -> PictureError | None:
    """Return what to say of a picture that is sound, but of a kind that Pillow does not read."""
    name = unread_tiff(data) if _is_tiff(data) else unread_kind(data)
    name = name and f"looks like {name}, which is not read here"
    return PictureError("not_an_image", name) if name else None


def _is_tiff(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
