"""Pictures of a workspace as a browser may have them: small, or as they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from mapsight.features.formats.file_kinds import kind_of
from mapsight.features.thumbnail_process import Thumbnailer

__all__ = ["SIDES", "Cache", "Drawers", "Shown", "side_of", "whole"]

SIDES = (64, 96, 128, 160, 240, 320, 480)
"""Pixels that the longer side of a thumbnail may have."""
LARGE = 2048
"""Pixels of a picture that browsers do not show, drawn as a JPEG."""
SHOWN = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
}
"""Types by what the bytes begin with. Neither SVG nor HTML is among them."""


@dataclass(frozen=True)
class Shown:
    """A picture's bytes, and their type."""

    data: bytes
    kind: str = SHOWN["JPEG"]


def side_of(side: int) -> int:
    """Return the least of SIDES that is no smaller, or the largest."""
    return next((one for one in SIDES if one >= side), SIDES[-1])


def whole(data: bytes, thumbnailer: Thumbnailer) -> Shown:
    """Return a picture as it is where browsers show its kind, else drawn as a JPEG.

    Raises:
        PictureError: it cannot be used.
    """
    kind = SHOWN.get(kind_of(data) or "")
    return Shown(data, kind) if kind else Shown(thumbnailer.thumbnail(data, LARGE))


class Cache:
    """Pictures that were asked for lately, up to some bytes.

    Args:
        most: bytes.
        note: is called with `hits` or `misses`.
    """

    def __init__(self, most: int, note: Callable[[str], object] = str) -> None:
        self._most, self._note, self.bytes = most, note, 0
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def get(self, key: tuple[str, int], make: Callable[[], bytes]) -> bytes:
        """Return what is held of a picture, or is made of it now."""
        with self._lock:
            if (data := self._held.get(key)) is not None:
                self._held.move_to_end(key)
                self._note("hits")
                return data
        self._note("misses")
        data = make()
        self._hold(key, data)
        return data

    def _hold(self, key: tuple[str, int], data: bytes) -> None:
        with self._lock:
            self.bytes += len(data) - len(self._held.pop(key, b""))
            self._held[key] = data
            while self.bytes > self._most:
                self.bytes -= len(self._held.popitem(last=False)[1])


class Drawers:
    """Thumbnailers, one for each thread that draws; each starts its process at first use."""

    def __init__(self) -> None:
        self._own, self._all = threading.local(), list[Thumbnailer]()

    def own(self) -> Thumbnailer:
        """Return the one of this thread."""
        if not hasattr(self._own, "one"):
            self._own.one = Thumbnailer()
            self._all.append(self._own.one)
        return self._own.one

    def close(self) -> None:
        """End their processes."""
        for one in self._all:
            one.close()
