"""A first frame of a GIF that is smaller than its screen.

Around it there is nothing, and viewers show their ground. Pillow fills what is left with
the palette's first colour, unless the frame has a transparent one.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

__all__ = ["on_its_screen", "screen_memory"]


def screen_memory(image: Any) -> int:
    """Return the bytes per pixel that `on_its_screen` needs beside the picture."""
    return 5 if _box(image) else 0


def on_its_screen(image: Any) -> Image.Image:
    """Return the picture with nothing around its frame; the same one if the frame fills it.

    Args:
        image: opened, not loaded.
    """
    box = _box(image)
    if not box:
        return image
    kind, whole = image.format, image.convert("RGBA")
    alpha = Image.new("L", whole.size, 0)
    alpha.paste(255, box)
    whole.putalpha(alpha)
    whole.format = kind
    return whole


def _box(image: Any) -> tuple[int, int, int, int] | None:
    if image.format != "GIF" or not image.tile or "transparency" in image.info:
        return None
    box = image.tile[0].extents
    return box if tuple(box) != (0, 0, *image.size) else None
