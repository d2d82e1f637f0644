"""The colour profile of a picture, wherever its format keeps it.

Pillow hands out those of JPEG, PNG, TIFF, WebP and AVIF. Here are those of JPEG 2000 and
BMP too, and profiles made of what a PNG or AVIF says in numbers (gAMA, cHRM, cICP, nclx).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from mapsight.features.formats.jpeg2000 import jp2_profile
from mapsight.features.formats.png_chunks import png_chunks

__all__ = ["embedded_profile", "matrix_profile"]

_D50 = (0.9642, 1.0, 0.8249)
_D65 = (0.3127, 0.3290)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
# ITU-T H.273: white, red, green and blue by x and y
_PRIMARIES = {
    1: (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_TRANSFERS = {1: None, 6: None, 13: None, 14: None, 15: None, 4: 2.2, 5: 2.8, 8: 1.0}
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_USUAL_GAMMA = 0.01  # of 1/2.2, which stands for sRGB


def embedded_profile(image: Any, data: bytes) -> bytes | None:
    """Return the ICC profile that says what a picture's colours are; None without one.

    Args:
        image: opened by Pillow.
        data: the encoded picture.

    What it says in several ways counts in the order of the PNG specification: cICP, then
    the profile, then sRGB, then gAMA with cHRM. PQ and HLG (HDR) are passed over.
    """
    profile = image.info.get("icc_profile") or None
    if image.format == "PNG":
        return _png_profile(image.info, data, profile)
    if image.format == "AVIF" and not profile:
        at = data.find(b"colrnclx", 0, 4096)
        return _coded(*struct.unpack_from(">HH", data, at + 8)) if at > 0 else None
    if image.format == "JPEG2000":
        return jp2_profile(data)
    if image.format == "BMP":
        return _bmp_profile(data)
    return profile


def matrix_profile(points: tuple[tuple[float, float], ...], gamma: float | None) -> bytes:
    """Return an ICC profile of three primaries and one curve.

    Args:
        points: white, red, green and blue, each by its x and y.
        gamma: what levels from 0 to 1 are raised by; None for the curve of sRGB.

    Raises:
        ValueError: no colours come of these points.
    """
    numbers = (0, gamma) if gamma else (3, *_SRGB)
    curve = b"para\0\0\0\0" + struct.pack(">HH", numbers[0], 0) + _fixed(*numbers[1:])
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50)}
    for name, column in zip(b"rgb", _adapted(points).T, strict=True):
        tags[bytes([name]) + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*column)
        tags[bytes([name]) + b"TRC"] = curve
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\0") + table + body


def _png_profile(info: dict[str, Any], data: bytes, profile: bytes | None) -> bytes | None:
    for name, at, length in png_chunks(data):
        if name == b"IDAT":
            break
        if name == b"cICP" and length == 4 and (coded := _coded(data[at], data[at + 1])):
            return coded
    if profile or "srgb" in info:
        return profile
    gamma, points = info.get("gamma"), info.get("chromaticity")
    if not gamma or not 0.1 <= gamma <= 10:
        return None
    usual = abs(gamma - 1 / 2.2) < _USUAL_GAMMA
    pairs = tuple(zip(points[::2], points[1::2], strict=True)) if points else _PRIMARIES[1]
    return None if usual and not points else matrix_profile(pairs, None if usual else 1 / gamma)


def _coded(primaries: int, transfer: int) -> bytes | None:
    """Return the profile of code points of ITU-T H.273; None for sRGB and what has none."""
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    if primaries == 1 and _TRANSFERS[transfer] is None:
        return None
    return matrix_profile(_PRIMARIES[primaries], _TRANSFERS[transfer])


def _bmp_profile(data: bytes) -> bytes | None:
    """Return what a BMP of version 5 embeds, or what one of version 4 says in numbers."""
    header, space = int.from_bytes(data[14:18], "little"), data[70:74]
    if header == 124 and space == b"DEBM":
        at, size = struct.unpack_from("<II", data, 126)
        return data[14 + at : 14 + at + size]
    if header in (108, 124) and space == bytes(4):
        ends = np.array(struct.unpack_from("<9i", data, 74)).reshape(3, 3) / 2**30
        gammas = [number / 2**16 for number in struct.unpack_from("<3I", data, 110)]
        if not ends.any(axis=1).all() or not all(0.1 <= gamma <= 10 for gamma in gammas):
            return None
        places = [(row[0] / row.sum(), row[1] / row.sum()) for row in (ends.sum(0), *ends)]
        return matrix_profile(tuple(places), gammas[1])
    return None


def _adapted(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Return the primaries' XYZ under D50 as columns, (3, 3)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] if y else [0] * 3 for x, y in points]).T
    try:
        white, primaries = columns[:, 0], columns[:, 1:]
        colours = primaries * np.linalg.solve(primaries, white)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"primaries {points}: no colours come of them") from error
    gain = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD @ colours


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)
