"""The pages of a TIFF file and their tags, read from its bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "BITS",
    "COMPRESSION",
    "COUNT",
    "DNG",
    "EXTRA",
    "FORMAT",
    "HEIGHT",
    "OLD_SUBFILE",
    "PHOTOMETRIC",
    "PLANAR",
    "SUBFILE",
    "SUB_IFDS",
    "WIDTH",
    "Page",
    "byte_order",
    "inner_pages",
    "pages_of",
]

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION = 254, 255, 256, 257, 258, 259
PHOTOMETRIC, COUNT, PLANAR, SUB_IFDS = 262, 277, 284, 330
EXTRA, FORMAT, DNG = 338, 339, 50706
_WANTED = frozenset(
    {PHOTOMETRIC, COUNT, PLANAR, SUB_IFDS, EXTRA, FORMAT, DNG}
    | {SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION}
)
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
_PAGES, _ENTRIES, _VALUES = 1000, 1000, 64
_REDUCED, _MASK, _OTHER_ROLES = 1, 4, 8 | 16


@dataclass(frozen=True)
class Page:
    """A page: where its directory stands, and the tags that matter here."""

    offset: int
    tags: dict[int, tuple[int, ...]]

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first number of a tag."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def is_full(self) -> bool:
        """Return whether it is a picture at full resolution: no thumbnail, no mask."""
        role = self.number(SUBFILE)
        reduced = role & (_REDUCED | _MASK | _OTHER_ROLES) or self.number(OLD_SUBFILE) == 2
        return not reduced and self.number(PHOTOMETRIC) != 4

    @property
    def pixels(self) -> int:
        """Return how many pixels it declares."""
        return self.number(WIDTH) * self.number(HEIGHT)


def byte_order(data: bytes) -> tuple[str, bool]:
    """Return the order of bytes as `struct` has it, and whether the file is a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    return order, data[2:4] in (b"+\0", b"\0+")


def pages_of(data: bytes) -> Iterator[Page]:
    """Yield the pages of the file's chain as far as they can be read."""
    order, big = byte_order(data)
    seen = set[int]()
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while at and at not in seen and len(seen) < _PAGES:
            seen.add(at)
            page, at = _page(data, at, order, big)
            yield page
    except (struct.error, OverflowError):
        return


def inner_pages(data: bytes, outer: Page) -> Iterator[Page]:
    """Yield the pages that another page holds (SubIFDs), but for those that cannot be read."""
    order, big = byte_order(data)
    for at in outer.tags.get(SUB_IFDS, ()):
        try:
            yield _page(data, at, order, big)[0]
        except (struct.error, OverflowError):
            continue


def _page(data: bytes, at: int, order: str, big: bool) -> tuple[Page, int]:
    count_form, entry_form, width = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    (count,) = struct.unpack_from(order + count_form, data, at)
    place = at + struct.calcsize(order + count_form)
    size = struct.calcsize(order + entry_form) + width
    tags: dict[int, tuple[int, ...]] = {}
    for index in range(min(count, _ENTRIES)):
        tag, kind, length = struct.unpack_from(order + entry_form, data, place + index * size)
        if tag in _WANTED and kind in _NUMBERS:
            value_at = place + index * size + size - width
            tags[tag] = _values(data, value_at, order, width, _NUMBERS[kind], length)
    after = place + count * size
    form = order + ("Q" if big else "I")
    following = struct.unpack_from(form, data, after)[0] if after + width <= len(data) else 0
    return Page(at, tags), following


def _values(
    data: bytes, at: int, order: str, width: int, form: str, length: int
) -> tuple[int, ...]:
    if struct.calcsize(form) * length > width:
        (at,) = struct.unpack_from(order + ("Q" if width == 8 else "I"), data, at)
    return struct.unpack_from(f"{order}{min(length, _VALUES)}{form}", data, at)
