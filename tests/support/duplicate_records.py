"""Made-up feature records with copies of every kind, and the truth by brute force."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mapsight.duplicates.bucket import copies
from mapsight.duplicates.keys import is_flat
from mapsight.duplicates.likeness import LEAST_LIKENESS, alike, detail_of
from mapsight.duplicates.rows import SHA256, row_of, tile_in, vector_in, worth
from mapsight.duplicates.tiles import BANDS, SIDE, VIEWS, hashes_of, view
from mapsight.index.cosines import cosines
from mapsight.records import encode_embedding

Records = list[tuple[str, dict[str, Any]]]


def scene(rng: np.random.Generator) -> np.ndarray:
    """(64, 64) float64: soft shapes and some detail, as photographs have them."""
    frequencies = np.fft.fftfreq(64)
    size = np.hypot(frequencies[:, None], frequencies)
    size[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(64, 64))) / size**1.5
    x = np.real(np.fft.ifft2(spectrum))
    return 128 + 40 * (x - x.mean()) / x.std()


def shrunk(x: np.ndarray) -> np.ndarray:
    """Return SIDE x SIDE pixels of a square of twice that side or of three quarters of it."""
    at = (np.arange(SIDE) + 0.5) * len(x) / SIDE - 0.5
    low = at.astype(int).clip(0, len(x) - 2)
    share = (at - low)[:, None]
    rows = x[low] * (1 - share) + x[low + 1] * share
    return rows[:, low] * (1 - share.T) + rows[:, low + 1] * share.T


def tile_text(x: np.ndarray) -> str:
    return base64.b64encode(np.rint(x).clip(0, 255).astype(np.uint8).tobytes()).decode()


def record_of(rng, base: np.ndarray, picture: np.ndarray, name: str, noise: float):
    """A feature record near to a base vector; equal names have equal bytes."""
    side = int(rng.integers(1, 5))
    return {
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "tile": tile_text(picture),
        "embedding": encode_embedding(base + noise * rng.normal(size=len(base))),
        "ppi": 10.0 * side,
        "detail": 100.0 * side,
        "quantizer": float(rng.choice([0.0, 20.0, 80.0])),
        "width": 100 * side,
        "height": 100,
        "bytes": 1000 + len(name),
        "source": f"{name}.jpg",
    }


def changed(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Return a tile of a picture in any view, or of a part, or of one colour, with noise."""
    way = rng.integers(4)
    if way == 0:
        at = rng.integers(0, 9, 2)
        picture = picture[at[0] : at[0] + 56, at[1] : at[1] + 56]
    tile = view(shrunk(picture), int(rng.integers(8)) if way == 1 else 0)
    return tile + rng.normal(0, 1, tile.shape)


def make_records(seed: int, families: int, most: int, d: int = 16) -> Records:
    """Families of copies of a picture, changed in every way; a family is often of one colour."""
    rng = np.random.default_rng(seed)
    records: Records = []
    for family in range(families):
        picture = np.full((64, 64), 99.0) if rng.random() < 0.2 else scene(rng)
        base = rng.normal(size=d)
        for _ in range(int(rng.integers(1, most + 1))):
            noise = float(rng.choice([0.1, 0.7]))
            tile = changed(rng, picture)
            one = record_of(rng, base, tile, f"{family}-{len(records)}", noise)
            records += [(f"{rng.integers(1 << 62):016x}", one)] * int(rng.integers(1, 3))
    return [(f"{n:04x}{image_id}", one) for n, (image_id, one) in enumerate(records)]


def brute_force(records: Records, most: int = 8, least: float = 0.8) -> set[frozenset[str]]:
    """Groups of ids: the components of all pairs that are copies, each pair looked at."""
    rows = [row_of(image_id, record) for image_id, record in records]
    flat = np.array([is_flat(row) for row in rows])
    near = cosines(*[np.stack([vector_in(row) for row in rows])] * 2) >= least
    same = np.array([[one[SHA256] == other[SHA256] for other in rows] for one in rows])
    tiles = np.stack([tile_in(row) for row in rows])
    few = few_apart([hashes_of(tile) for tile in tiles], most)
    pairs = np.argwhere(np.tri(len(rows), k=-1, dtype=bool) & ~same & ~flat & ~flat[:, None])
    one, other = pairs[near[tuple(pairs.T)]].T
    found = [np.argwhere(same), np.stack([one, other], 1)[copies(tiles[one], tiles[other])]]
    for number in range(VIEWS):
        one, other = pairs[few[number][tuple(pairs.T)]].T
        seen = detail_of(view(tiles[one], number)), detail_of(tiles[other])
        found.append(np.stack([one, other], 1)[alike(*seen, LEAST_LIKENESS)])
    ends = np.concatenate(found)
    graph = coo_matrix((np.ones(len(ends)), ends.T), (len(rows), len(rows)))
    groups: dict[int, set[str]] = {}
    for label, (image_id, _) in zip(
        connected_components(graph, directed=False)[1], records, strict=True
    ):
        groups.setdefault(label, set()).add(image_id)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def few_apart(hashes: list[list[str]], most: int) -> list[np.ndarray]:
    """For each view, which pictures in that view share a band with others, within `most` bits."""
    bits = np.array([[list(f"{int(one, 16):064b}") for one in views] for views in hashes])
    differ = [bits[:, v, None] != bits[None, :, 0] for v in range(VIEWS)]
    apart = [x.reshape(*x.shape[:2], BANDS, -1).sum(3) for x in differ]
    return [(x.min(2) == 0) & (x.sum(2) <= most) for x in apart]


def keeper_of(group: frozenset[str], records: Records) -> str:
    """The picture of the most worth, then of most bytes, then with the least id."""
    value = {image_id: (-worth(record), -record["bytes"]) for image_id, record in records}
    return min(group, key=lambda image_id: (value[image_id], image_id))
