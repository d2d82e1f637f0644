"""Pictures of which no two are alike, made of a few hundred, each by its number alone.

Of every hundred one is broken, in one of the ways of WAYS, and one is a copy of another of the
hundred: the same bytes, or the same pixels compressed anew.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["BROKEN", "COPIED", "COPY", "WAYS", "Made", "Maker", "id_of"]

BROKEN, COPY, COPIED = 17, 59, 3
"""Of every hundred pictures: the broken one, the copy, and of which it is one."""
SIDES = (96, 400)
LARGEST_SOURCE = 640
LEAST_SHARE = 0.7  # of a side that a crop keeps: its labels stay right
THROUGH = (0.15, 0.4)
"""How much of another source is seen through: of crops alone many would be alike."""
QUALITIES = (55, 96)
COPY_QUALITY = 80
NOISE_SIDE = 1024

Crop = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class Made:
    """A picture: its bytes, the number of its source, and what it is meant to be.

    `kind` is `own`, `broken`, `same` or `near`; `code` is the error of a broken one, else
    empty; `crop` is the part of the source that it shows: left, top, right, bottom, 0 to 1.
    """

    data: bytes
    source: int
    kind: str
    code: str = ""
    crop: Crop = (0.0, 0.0, 1.0, 1.0)


def id_of(number: int) -> str:
    """Return the image_id of a picture, as far from its neighbours' as real ones."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def _png(width: int, height: int) -> bytes:
    """Return a PNG of that size whose pixels are no zlib stream, its checksums right."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    chunks = (header + bytes([8, 2, 0, 0, 0]), b"IDAT" + b"\xff" * 64, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        for chunk in chunks
    )


WAYS: Mapping[str, Sequence[Callable[[bytes], bytes]]] = {
    "empty": [lambda data: b""],
    "not_an_image": [
        lambda data: b"<!doctype html><title>404</title>",
        lambda data: b"%PDF-1.7\n" + data,
        lambda data: bytes(reversed(data)),
    ],
    "truncated": [lambda data: data[: len(data) // 2], lambda data: data[: len(data) * 9 // 10]],
    "corrupt": [lambda data: _png(300, 200)],
    "too_many_pixels": [lambda data: _png(60_000, 60_000)],
}
"""How a picture is broken, by the error that is to be told."""


class Maker:
    """Makes pictures of sources; holds them decoded, LARGEST_SOURCE pixels a side at most.

    Args:
        files: the sources, pictures that can be decoded.
        seed: another one gives other pictures.
    """

    def __init__(self, files: Sequence[Path], seed: int) -> None:
        self._seed = seed
        self._sources = [_opened(path) for path in files]
        tile = np.random.default_rng(seed).normal(0, 1, (NOISE_SIDE, NOISE_SIDE))
        self._noise = tile.astype(np.float32)

    def make(self, number: int) -> Made:
        """Return the picture of a number; the same whichever others are made."""
        place = number % 100
        if place == COPY:
            return self._copy(number)
        own = self._own(number)
        if place != BROKEN:
            return own
        codes = list(WAYS)
        code = codes[number // 100 % len(codes)]
        ways = WAYS[code]
        broken = ways[number // 100 // len(codes) % len(ways)](own.data)
        return Made(broken, own.source, "broken", code)

    def _copy(self, number: int) -> Made:
        first = self._own(number - COPY + COPIED)
        if number // 100 % 2:
            return Made(first.data, first.source, "same", crop=first.crop)
        with Image.open(io.BytesIO(first.data)) as image:
            return Made(_jpeg(image, COPY_QUALITY), first.source, "near", crop=first.crop)

    def _own(self, number: int) -> Made:
        rng = np.random.default_rng([self._seed, number])
        chosen, other = (int(n) for n in rng.integers(len(self._sources), size=2))
        crop, side = _crop(rng), int(rng.integers(SIDES[0], SIDES[1] + 1))
        width, height = _part(self._sources[chosen], crop)[1]
        scale = side / max(width, height)
        size = tuple(max(SIDES[0] // 2, round(edge * scale)) for edge in (width, height))
        shown = _resized(self._sources[chosen], crop, size)
        through = _resized(self._sources[other], _crop(rng), size)
        image = Image.blend(shown, through, float(rng.uniform(*THROUGH)))
        pixels = self._coloured(np.asarray(image, np.float32), rng)
        quality = int(rng.integers(*QUALITIES))
        return Made(_jpeg(Image.fromarray(pixels), quality), chosen, "own", crop=crop)

    def _coloured(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return (h, w, 3) uint8: other gains of the colours, other brightness, and noise."""
        h, w, _ = pixels.shape
        y, x = rng.integers(0, NOISE_SIDE - 400, 2)
        noise = self._noise[y : y + h, x : x + w, None] * float(rng.uniform(0, 8))
        gains = rng.uniform(0.75, 1.25, 3).astype(np.float32)
        shift = np.float32(rng.uniform(-20, 20))
        return np.clip(pixels * gains + shift + noise, 0, 255).astype(np.uint8)


def _crop(rng: np.random.Generator) -> Crop:
    width, height = rng.uniform(LEAST_SHARE, 1, 2)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    return float(left), float(top), float(left + width), float(top + height)


def _part(image: Image.Image, crop: Crop) -> tuple[Crop, tuple[float, float]]:
    """Return a crop in pixels, and its size."""
    left, top, right, bottom = (float(v) for v in np.multiply(crop, image.size * 2))
    return (left, top, right, bottom), (right - left, bottom - top)


def _resized(image: Image.Image, crop: Crop, size: tuple[int, ...]) -> Image.Image:
    box, _ = _part(image, crop)
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC, box, reducing_gap=2.0)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.thumbnail((LARGEST_SOURCE, LARGEST_SOURCE))
        return image.convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
