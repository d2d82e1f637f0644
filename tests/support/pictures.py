"""Made-up pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


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


WIDTH, HEIGHT = 620, 877
"""Pixels of a page."""


def words(rng: np.random.Generator, count: int) -> str:
    letters = list("aaeeiinorstlmdu")
    return " ".join("".join(rng.choice(letters, rng.integers(3, 9))) for _ in range(count))


def invoice(number: int) -> Image.Image:
    """An invoice to another customer, of other things: (WIDTH, HEIGHT) RGB."""
    rng = np.random.default_rng(number)
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 40, 120, 100), fill=(20, 60, 140))
    draw.text((140, 50), "Winter & Sons, Ltd.", "black", font_size=24)
    draw.text((40, 240), f"Invoice {20260 + number}", "black", font_size=28)
    for line in range(4):
        draw.text((40, 140 + 20 * line), words(rng, int(rng.integers(1, 4))), "black", font_size=14)
    draw.line((40, 300, WIDTH - 40, 300), "black", 2)
    rows = int(rng.integers(4, 15))
    for row in range(rows):
        y = 315 + 26 * row
        draw.text((40, y), words(rng, int(rng.integers(2, 6))), "black", font_size=14)
        draw.text((WIDTH - 110, y), f"{rng.integers(1000, 99999) / 100:.2f}", "black", font_size=14)
    bottom = 315 + 26 * rows
    draw.line((40, bottom, WIDTH - 40, bottom), "black", 2)
    draw.text(
        (WIDTH - 190, bottom + 10), f"Total {rng.integers(10000) / 9:.2f}", "black", font_size=18
    )
    draw.text((40, HEIGHT - 60), "Account 1234 5678, due within 30 days", "black", font_size=12)
    return page
