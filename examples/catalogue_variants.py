"""Random variants of pictures to train on: what does not change which animal it is."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

__all__ = ["small", "varied"]


def small(picture: Image.Image, shorter: int = 176) -> Image.Image:
    """A picture made smaller, so that many variants of it are quickly made."""
    scale = shorter / min(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def varied(picture: Image.Image, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random variant: another crop, mirrored, turned, in other light; (side, side, 3) uint8."""
    square = min(picture.size) * 0.875 * rng.uniform(0.72, 1.1)
    middle = np.array(picture.size) / 2 + rng.uniform(-0.1, 0.1, 2) * min(picture.size)
    turn, flip = np.deg2rad(rng.uniform(-10, 10)), rng.choice((-1, 1))
    step = square / side * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    step = step * np.array([[flip * rng.uniform(0.88, 1.12)], [1]]).T
    start = middle - step @ (side / 2, side / 2)
    affine = (step[0, 0], step[0, 1], start[0], step[1, 0], step[1, 1], start[1])
    fill = tuple(int(x) for x in rng.integers(0, 256, 3))
    crop = picture.transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=fill
    )
    for enhance in (ImageEnhance.Color, ImageEnhance.Brightness, ImageEnhance.Contrast):
        crop = enhance(crop).enhance(rng.uniform(0.65, 1.35))
    pixels = np.asarray(crop, np.float32) * rng.uniform(0.9, 1.1, 3)
    pixels += rng.normal(0, rng.uniform(0, 8), pixels.shape)
    if rng.random() < 0.5:
        _hide(pixels, rng)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _hide(pixels: np.ndarray, rng: np.random.Generator) -> None:
    """Cover a part, so that no single feature decides."""
    side = len(pixels)
    high, wide = rng.integers(side // 8, side // 3, 2)
    y, x = rng.integers(0, side - high), rng.integers(0, side - wide)
    pixels[y : y + high, x : x + wide] = rng.integers(0, 256, 3)
