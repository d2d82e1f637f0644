"""Made-up pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def encoded(array: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """An array as an encoded picture."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def scribble(seed: int, width: int = 60, height: int = 40) -> np.ndarray:
    """A small picture with some structure, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def make_pictures(parent: Path) -> Path:
    """A folder of twelve JPEG pictures named by 16-hex ids."""
    folder = parent / "pictures"
    folder.mkdir()
    for seed in range(12):
        name = f"{seed:016x}.jpg"
        (folder / name).write_bytes(encoded(scribble(seed, 60 + seed, 40), "JPEG"))
    return folder
