"""How many frames or pages a picture has, and which of them is the one that is used."""

from __future__ import annotations

from typing import Any

from mapsight.features.formats.tiff_tags import Page, inner_pages, pages_of

__all__ = ["frames_of", "gif_frames"]

MOST = 1 << 20
SEPARATOR, EXTENSION = 0x2C, 0x21


def frames_of(image: Any, data: bytes, page: Page | None) -> tuple[int, int]:
    """Return (how many there are, the number from 1 of the one that is taken).

    Frames of an animation, pages of a TIFF or pictures of a HEIC; no pixel is decoded for it.

    Args:
        image: opened, not loaded.
        data: the whole file.
        page: of a TIFF, the one that is taken.
    """
    if page is not None:
        return _pages(data, page)
    if image.format == "GIF":
        return gif_frames(data), 1
    if image.format not in ("WEBP", "PNG", "AVIF", "HEIF"):
        return 1, 1
    count = max(int(getattr(image, "n_frames", 1)), 1)
    return count, min(image.tell() + 1, count)


def _pages(data: bytes, page: Page) -> tuple[int, int]:
    """Return (pages in the chain of a TIFF, which of them is the page or holds it)."""
    pages = list(pages_of(data))
    for number, outer in enumerate(pages, 1):
        held = (outer, *inner_pages(data, outer))
        if page.offset in [one.offset for one in held]:
            return len(pages), number
    return max(len(pages), 1), 1


def gif_frames(data: bytes) -> int:
    """Return how many pictures a GIF holds, as far as it is whole; at least 1, at most MOST.

    Its blocks are walked by their lengths (GIF89a, section 12 onwards).
    """
    flags = data[10] if len(data) > 10 else 0
    place, frames = 13 + _table(flags), 0
    while place < len(data) and frames < MOST:
        kind = data[place]
        if kind == SEPARATOR and place + 10 < len(data):
            frames += 1
            place += 10 + _table(data[place + 9]) + 1
        elif kind == EXTENSION:
            place += 2
        else:
            break
        place = _after_blocks(data, place)
    return max(frames, 1)


def _table(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, place: int) -> int:
    """Return the place after a chain of sub-blocks."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
