"""HEIC and JPEG XL, which Pillow reads with plugins where these are installed (extra `formats`)."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

__all__ = ["ADDED", "PLUGINS", "how_to_read", "jxl_size", "register"]

PLUGINS = {"HEIC": "pillow-heif", "JPEG XL": "pillow-jxl-plugin"}
"""The package that reads a kind, by its name in `file_kinds`."""
ADDED = {"HEIC": "HEIF", "JPEG XL": "JXL"}
"""What Pillow calls them then."""
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
BITS = (9, 13, 18, 30)
SIGNATURE, CONTAINER = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"


def register() -> None:
    """Make known to Pillow what is installed; each with one thread, for a task has one core."""
    with contextlib.suppress(ImportError):
        heif = importlib.import_module("pillow_heif")
        heif.register_heif_opener(
            thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
        )
    with contextlib.suppress(ImportError):
        jxl: Any = importlib.import_module("pillow_jxl.JpegXLImagePlugin")
        jxl.DECODE_THREADS = 0


def how_to_read(name: str) -> str:
    """Return what to say of a kind of picture that is not read; the same on every machine.

    >>> how_to_read("HEIC")
    "looks like HEIC, which needs pillow-heif (pip install 'mapsight[formats]')"
    """
    if name in PLUGINS:
        return f"looks like {name}, which needs {PLUGINS[name]} (pip install 'mapsight[formats]')"
    return f"looks like {name}, which is not read here"


def jxl_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) by the header of a JPEG XL, which its plugin decodes when it opens it.

    ISO/IEC 18181-1, SizeHeader. None if it is none, or has no whole header.
    """
    head = _codestream(data)
    if head[:2] != SIGNATURE or len(head) < 12:
        return None
    bits = _Bits(int.from_bytes(head[2:32], "little"))
    small = bits.take(1) == 1
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio:
        wide, high = RATIOS[ratio - 1]
        return height * wide // high, height
    return _side(bits, small), height


class _Bits:
    """The bits of a number, the lowest first."""

    def __init__(self, number: int) -> None:
        self._number = number

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        taken = self._number & ((1 << count) - 1)
        self._number >>= count
        return taken


def _side(bits: _Bits, small: bool) -> int:
    return 8 * (1 + bits.take(5)) if small else 1 + bits.take(BITS[bits.take(2)])


def _codestream(data: bytes) -> bytes:
    """Return how the codestream begins; inside a container that of the first box with some."""
    if not data.startswith(CONTAINER):
        return data[:32]
    for kind, start in _boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            start += 4 if kind == b"jxlp" else 0
            return data[start : start + 32]
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the kind of each box, and where its content begins."""
    place = 0
    while place + 8 <= len(data):
        size, start = int.from_bytes(data[place : place + 4], "big"), place + 8
        if size == 1:
            size, start = int.from_bytes(data[place + 8 : place + 16], "big"), place + 16
        yield data[place + 4 : place + 8], start
        if size < start - place:  # 0: to the end; less is damaged
            return
        place += size
