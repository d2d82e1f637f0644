"""Decoded pixels as the model wants them: 8-bit RGB, cropped, scaled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageChops

if TYPE_CHECKING:
    from mapsight.features.formats.colour import Transform

__all__ = ["Samples", "central_crop", "to_model_input", "to_rgb", "usual_resize"]

_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_BAND = 2**18
_WHITE, _GREY = (255, 255, 255), (128, 128, 128)
_LIGHT, _VISIBLE = 224, 32


@dataclass(frozen=True)
class Samples:
    """What the numbers of a decoded picture mean, where its mode does not say it.

    Args:
        kind: how NumPy is to see the stored numbers; None: as they are.
        white: the whole number that is white, where 16 bits or fewer are used.
        white_is_zero: large numbers are dark.
        lab: three colours are CIELab, their a and b `signed` or `offset` by 128.
        opaque: there is an alpha channel, and it means nothing.
    """

    kind: str | None = None
    white: int = 65535
    white_is_zero: bool = False
    lab: str | None = None
    opaque: bool = False


def usual_resize(side: int) -> int:
    """Return what a shorter side becomes where a model does not say it: 256 pixels for 224.

    >>> usual_resize(224), usual_resize(128)
    (256, 146)
    """
    return round(side * 256 / 224)


def central_crop(image: Image.Image, side: int, resize: int = 0) -> np.ndarray:
    """Return the middle of a picture, as MobileNet was trained to see it.

    What comes of resizing the shorter side to 256/224 of `side` and cutting out
    the central square, done in one step so that a picture of 2 x 8000 pixels
    never becomes a large one in between. The Hamming filter had the highest
    top-1 on 675 sample photographs (.902; bilinear .896, bicubic .899, Lanczos
    .901, box .898: no significant difference) and costs less than bicubic.

    Args:
        image: RGB.
        side: pixels, at least 1.
        resize: pixels that the shorter side is resized to; 0 for `usual_resize`.

    Returns:
        (side, side, 3) uint8.
    """
    if side < 1:
        raise ValueError(f"side {side}: expected at least 1 pixel")
    square = min(image.size) * side / (resize or usual_resize(side))
    left, top = (image.width - square) / 2, (image.height - square) / 2
    box = (left, top, left + square, top + square)
    return np.asarray(image.resize((side, side), Image.Resampling.HAMMING, box=box))


def to_model_input(crop: np.ndarray) -> np.ndarray:
    """Return (side, side, 3) uint8 as (1, side, side, 3) float32 in [-1, 1].

    The same as `keras.applications.mobilenet.preprocess_input`: x / 127.5 - 1.
    """
    return (np.asarray(crop, np.float32) / np.float32(127.5) - np.float32(1))[np.newaxis]


def to_rgb(
    image: Image.Image,
    factor: int = 1,
    samples: Samples = Samples(),
    transform: Transform | None = None,
) -> Image.Image:
    """Return an RGB picture at 8 bits, averaged over `factor` x `factor` pixels.

    Transparent parts become white; where almost nothing of the picture would show on
    white (a white logo) they become grey. 16-bit modes span 0 to 65535; whole 32-bit
    numbers do so too, and floats 0 to 1, 255 or 65535, whichever is the first to hold
    them; what does not fit is stretched from its lowest to its highest value. Only
    finite numbers count; NaN is black. Works in bands, so needs little memory beside
    its result.

    Args:
        samples: what the numbers mean beyond the mode.
        transform: from the picture's colours to sRGB.

    Returns:
        ceil(width / factor) x ceil(height / factor) pixels; `image` itself if
        there is nothing to do, or only its colours were to be changed.
    """
    clear = image.has_transparency_data and not samples.opaque
    if image.mode == "RGB" and factor == 1 and not clear and not samples.lab:
        return transform.apply(image) if transform else image
    painter = _Painter(samples, transform, _span(image, samples), clear)
    result = painter.painted(image, factor, _WHITE)
    # nothing of it darker than this: on white it would be a blank picture
    if painter.dark * 100 < painter.visible:
        result = painter.painted(image, factor, _GREY)
    return result


class _Painter:
    """Paints bands on a ground; counts the pixels to be seen, and those not light on it."""

    def __init__(
        self,
        samples: Samples,
        transform: Transform | None,
        span: tuple[float, float],
        clear: bool,
    ) -> None:
        self.samples, self.transform, self.span, self.clear = samples, transform, span, clear
        self.visible = self.dark = 0

    def painted(self, image: Image.Image, factor: int, ground: tuple[int, int, int]) -> Image.Image:
        result = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
        for top, band in _bands(image, factor):
            result.paste(self._band(band, ground, factor), (0, top // factor))
        return result

    def _band(self, band: Image.Image, ground: tuple[int, int, int], factor: int) -> Image.Image:
        if not self.clear:
            return self._colours(self._eight_bits(band), factor)
        picture, alpha = self._eight_bits(band), _alpha(band)
        below = Image.new("RGB", band.size, ground)
        below.paste(self._colours(picture, 1), mask=alpha)
        seen = alpha.point([255 * (level >= _VISIBLE) for level in range(256)])
        levels = below.convert("L").histogram(seen)
        self.visible, self.dark = self.visible + sum(levels), self.dark + sum(levels[:_LIGHT])
        return below.reduce(factor)

    def _eight_bits(self, band: Image.Image) -> Image.Image:
        if band.mode in _DEEP or self.samples.kind:
            return _scaled(band, self.span, self.samples)
        if band.mode in ("La", "LA") and self.samples.white_is_zero:
            return ImageChops.invert(band.convert("LA").getchannel("L"))
        return band.convert("LA") if band.mode == "La" else band

    def _colours(self, picture: Image.Image, factor: int) -> Image.Image:
        """RGB in sRGB; averaged first where the colours have to be changed."""
        if self.samples.lab:
            picture = _lab(picture, self.samples.lab)
        if not self.transform:
            return picture.convert("RGB").reduce(factor)
        picture = picture if picture.mode == self.transform.mode else _opaque(picture)
        return self.transform.apply(picture.convert(self.transform.mode).reduce(factor))


def _bands(image: Image.Image, factor: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield the first row and the pixels of bands, whole numbers of `factor` rows."""
    width, height = image.size
    rows = factor * max(1, _BAND // (factor * width))
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(height, top + rows)))


def _opaque(picture: Image.Image) -> Image.Image:
    return picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")


def _alpha(band: Image.Image) -> Image.Image:
    """How opaque the pixels of a band are, 0 to 255."""
    if band.mode in _DEEP:
        levels = np.asarray(band) != band.info["transparency"]
        return Image.fromarray(levels.astype(np.uint8) * np.uint8(255))
    picture = band.convert("LA") if band.mode == "La" else band.convert("RGBA")
    return picture.getchannel("A")


def _lab(picture: Image.Image, offset: str) -> Image.Image:
    """CIELab that was loaded as three colours, as Pillow's own: a and b from -128."""
    if picture.mode == "LAB":
        return picture
    bright, a, b = picture.convert("RGB").split()
    if offset == "signed":
        flip = [level ^ 128 for level in range(256)]
        a, b = a.point(flip), b.point(flip)
    return Image.merge("LAB", (bright, a, b))


def _numbers(image: Image.Image, samples: Samples) -> np.ndarray:
    array: Any = np.asarray(image)
    return array.view(samples.kind) if samples.kind else array


def _span(image: Image.Image, samples: Samples) -> tuple[float, float]:
    """The values that mean black and white in a mode of more than 8 bits."""
    floats = image.mode == "F" or samples.kind == "<f2"
    if not floats and image.mode != "I" and samples.kind is None:
        return 0, samples.white
    low, high = np.inf, -np.inf
    for _, band in _bands(image, 1):
        numbers = _numbers(band, samples)
        numbers = numbers[np.isfinite(numbers)] if floats else numbers
        if numbers.size:
            low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
    for white in (1, 255, 65535) if floats else (samples.white,):
        if low >= 0 and high <= white:
            return 0, white
    return low, high


def _scaled(band: Image.Image, span: tuple[float, float], samples: Samples) -> Image.Image:
    low, high = span
    numbers = _numbers(band, samples).astype(np.float64)
    with np.errstate(all="ignore"):  # a float picture may hold NaN and infinity
        scaled = (numbers - low) * (255 / max(high - low, 1e-300))
        scaled = 255 - scaled if samples.white_is_zero else scaled
        whole = np.rint(np.nan_to_num(scaled, posinf=255, neginf=0)).clip(0, 255)
    return Image.fromarray(whole.astype(np.uint8))
