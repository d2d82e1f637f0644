"""From the colours that a file means to sRGB, as browsers and careful viewers show them.

A picture without a profile is sRGB. One whose profile hardly differs from sRGB is left
as it is. Profiles are applied by Little CMS, which Pillow brings, perceptually.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mapsight.features.formats.embedded_profiles import embedded_profile

__all__ = ["MAX_PROFILE", "Transform", "to_srgb"]

MAX_PROFILE = 4 * 2**20
"""Bytes of a profile; a larger one is not applied. Those of presses have about 2 MB."""

_REMEMBERED = 2**20  # pictures of one camera share a profile, and building takes time

_SAME = 2
"""Levels: a profile that moves no colour further is sRGB."""

_GREYS = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Transform:
    """From pictures of `mode` to sRGB."""

    mode: str
    apply: Callable[[Image.Image], Image.Image]


def to_srgb(image: Image.Image, data: bytes) -> Transform | None:
    """Return what turns a picture's colours into sRGB; None where nothing is to be done.

    A profile that is damaged, larger than MAX_PROFILE, or made for other colours than
    the picture has (CMYK for RGB) is passed over. One for RGB is right for grey too.

    Args:
        image: opened; its pixels are not needed.
        data: the encoded picture.
    """
    try:
        profile = embedded_profile(image, data)
        if not profile or len(profile) > MAX_PROFILE or image.mode == "LAB":
            return None
        space = profile[16:20].strip()
        if space == b"CMYK" and image.mode == "CMYK":
            return _transform(profile, "CMYK")
        if space == b"GRAY" and image.mode in _GREYS:
            return _transform(profile, "L")
        if space == b"RGB" and image.mode != "CMYK":
            return _transform(profile, "RGB")
    except Exception:  # as with EXIF: the pixels are fine
        return None
    return None


def _transform(profile: bytes, mode: str) -> Transform | None:
    small = len(profile) <= _REMEMBERED
    return _remembered(profile, mode) if small else _built(profile, mode)


@functools.lru_cache(maxsize=8)
def _remembered(profile: bytes, mode: str) -> Transform | None:
    return _built(profile, mode)


def _built(profile: bytes, mode: str) -> Transform | None:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made: Any = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    if mode != "CMYK" and _difference(made, mode) <= _SAME:
        return None
    return Transform(mode, lambda image: _applied(made, image))


def _difference(made: Any, mode: str) -> int:
    """Return by how many levels the colours of a grid change, at most."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    grid: Any = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    if mode == "L":
        grid = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(grid)
    changed = np.asarray(made.apply(image)).astype(int)
    return int(np.abs(changed - np.asarray(image.convert("RGB"))).max())


def _applied(made: Any, image: Image.Image) -> Image.Image:
    if image.mode == "RGB":  # in its place: no memory beside it
        return made.apply_in_place(image) or image
    return made.apply(image)
