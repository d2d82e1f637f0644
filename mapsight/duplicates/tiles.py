"""Tiles: pictures as 32 x 32 grey levels, their eight views, and a hash that turns with them.

The hash of a picture is the signs of its lowest frequencies (discrete cosine transform, as in
pHash: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
Mirroring a picture changes the signs of odd frequencies and no others, and laying it on its side
exchanges rows and columns: the hash of each view is known from that of the picture, exactly.
"""

from __future__ import annotations

import base64

import numpy as np

__all__ = [
    "BANDS",
    "FLAT",
    "FREQUENCIES",
    "SIDE",
    "VIEWS",
    "bits_apart",
    "contrast",
    "hashes_of",
    "signs_of",
    "tile_of",
    "view",
    "view_of_signs",
    "views",
]

SIDE = 32
"""Pixels of a tile's side; `mapsight.features.measures.tile` measures it."""

FLAT = 4.0
"""Grey levels: a tile with a smaller standard deviation shows nothing to be compared by."""

FREQUENCIES = 8
"""Of each direction, from 0."""

VIEWS = 8
"""A view is a number of three bits: 4 exchanges rows and columns, then 2 turns the rows over
(upside down), then 1 the columns (mirrored)."""


def tile_of(text: str) -> np.ndarray:
    """Return the (SIDE, SIDE) uint8 tile that `mapsight.features.measures.tile` wrote."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(SIDE, SIDE)


def view(x: np.ndarray, number: int) -> np.ndarray:
    """Return a view of one picture or several: (…, s, s), square."""
    x = np.swapaxes(x, -1, -2) if number & 4 else x
    x = x[..., ::-1, :] if number & 2 else x
    return x[..., ::-1] if number & 1 else x


def views(x: np.ndarray) -> np.ndarray:
    """Return all views of pictures: (n, s, s) becomes (VIEWS, n, s, s)."""
    return np.stack([view(x, number) for number in range(VIEWS)])


def contrast(tiles: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the levels of each tile: (n, s, s) becomes (n,) float64."""
    x = tiles.reshape(len(tiles), -1).astype(np.int64)
    n = x.shape[1]
    return np.sqrt(n * (x * x).sum(1) - x.sum(1) ** 2) / n


def _cosines() -> np.ndarray:
    """Return (FREQUENCIES, SIDE) whole numbers; a row reversed is itself, or itself negative."""
    k, n = np.arange(FREQUENCIES)[:, None], np.arange(SIDE // 2)
    left = np.rint(256 * np.cos(np.pi * k * (2 * n + 1) / (2 * SIDE))).astype(np.int64)
    return np.hstack([left, left[:, ::-1] * (-1) ** k])


_COSINES = _cosines()


def signs_of(tiles: np.ndarray) -> np.ndarray:
    """Return the hashes of tiles.

    Args:
        tiles: (n, SIDE, SIDE) uint8.

    Returns:
        (n, FREQUENCIES, FREQUENCIES) int8, -1, 0 or 1: the signs of the frequencies down and
        across; that of the mean is 0. Sums are of whole numbers, and exact.
    """
    signs = np.sign(_COSINES @ tiles.astype(np.int64) @ _COSINES.T).astype(np.int8)
    signs[:, 0, 0] = 0
    return signs


def view_of_signs(signs: np.ndarray, number: int) -> np.ndarray:
    """Return the hashes of a view of pictures, from the hashes of the pictures."""
    odd = (-1) ** np.arange(FREQUENCIES, dtype=np.int8)
    signs = np.swapaxes(signs, -1, -2) if number & 4 else signs
    signs = signs * odd[:, None] if number & 2 else signs
    return signs * odd if number & 1 else signs


BANDS, BAND = 4, 16
"""Bands of a hash, and bits of each."""


def _bands() -> list[int]:
    """Return places of a hash, BAND for each band: a frequency and its transposed lie in one."""
    orbits = {tuple(sorted((u, v))) for u in range(FREQUENCIES) for v in range(u + 1)}
    bands: list[list[int]] = [[] for _ in range(BANDS)]
    for u, v in sorted(orbits - {(0, 0)}, key=lambda one: (one[0] ** 2 + one[1] ** 2, one)):
        least = min(bands, key=len)
        least += sorted({u * FREQUENCIES + v, v * FREQUENCIES + u})
    return [place for band in bands for place in [*band, 0][:BAND]]


_ORDER = _bands()


def hashes_of(tile: np.ndarray) -> list[str]:
    """Return the hash of each view of a (SIDE, SIDE) tile, BANDS times 4 hex digits.

    63 bits say which frequencies are positive, and one is 0. The bits of a band are those of
    frequencies that views exchange with each other: a view moves no bit to another band.
    """
    signs = signs_of(tile[None])
    bits = [view_of_signs(signs, number).reshape(-1)[_ORDER] > 0 for number in range(VIEWS)]
    return [np.packbits(one).tobytes().hex() for one in bits]


def bits_apart(one: str, other: str) -> int:
    """Return the Hamming distance of two hashes, 0 to 63."""
    return bin(int(one, 16) ^ int(other, 16)).count("1")
