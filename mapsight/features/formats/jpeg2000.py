"""What the boxes of a JPEG 2000 file say of its colours, which Pillow passes over.

Boxes are those of ISO/IEC 15444-1, Annex I: length, name, content.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, ImagePalette

__all__ = ["jp2_palette", "jp2_profile"]


def jp2_profile(data: bytes) -> bytes | None:
    """Return the ICC profile of a JP2 file; None without one."""
    for name, content in _header(data):
        if name == b"colr" and content[:1] in (b"\2", b"\3"):
            return content[3:]
    return None


def jp2_palette(image: Image.Image, data: bytes) -> None:
    """Give an opened JP2 with a palette all its entries: Pillow leaves out those seen before."""
    if image.format != "JPEG2000" or image.mode not in ("P", "PA"):
        return
    for name, content in _header(data):
        if name == b"pclr" and len(content) >= 3:
            count, columns = int.from_bytes(content[:2], "big"), content[2]
            modes = {3: "RGB", 4: "RGBA"}
            entries = content[3 + columns : 3 + columns + count * columns]
            if columns in modes and max(content[3 : 3 + columns]) <= 7:
                image.palette = ImagePalette.raw(modes[columns], entries)


def _header(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the boxes in the first `jp2h` box."""
    at = data.find(b"jp2h", 0, 4096) if data[4:8] == b"jP  " else -1
    if at < 4:
        return
    end = at - 4 + int.from_bytes(data[at - 4 : at], "big")
    at += 4
    while at + 8 <= min(end, len(data)):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : min(at + size, end)]
        if size < 8:
            return
        at += size
