"""Made-up feature records with copies and near duplicates, and the truth by brute force."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mapsight.duplicates.pairs import bits_apart, row_of
from mapsight.index.cosines import cosines
from mapsight.records import decode_vector, encode_embedding

Records = list[tuple[str, dict[str, Any]]]


def record_of(rng, base: np.ndarray, dhash: int, name: str, noise: float) -> dict[str, Any]:
    """A feature record near to a base vector; equal names have equal bytes."""
    side = int(rng.integers(1, 5))
    return {
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "dhash": f"{dhash:016x}",
        "embedding": encode_embedding(base + noise * rng.normal(size=len(base))),
        "ppi": 10.0 * side,
        "width": 100 * side,
        "height": 100,
        "bytes": 1000 + len(name),
        "source": f"{name}.jpg",
    }


def make_records(seed: int, families: int, most: int, d: int = 16) -> Records:
    """Families of pictures whose hashes differ in few bits: copies, near ones, and unlike ones.

    A family's hash is often 0, as that of flat pictures.
    """
    rng = np.random.default_rng(seed)
    records: Records = []
    for family in range(families):
        dhash = 0 if rng.random() < 0.3 else int(rng.integers(1 << 63))
        base = rng.normal(size=d)
        for _ in range(int(rng.integers(1, most + 1))):
            flips = rng.integers(0, 64, int(rng.integers(0, 4)))
            noise = float(rng.choice([0.1, 0.7]))
            turned = dhash ^ int(np.bitwise_xor.reduce(1 << flips.astype(np.uint64), initial=0))
            one = record_of(rng, base, turned, f"{family}-{len(records)}", noise)
            copies = int(rng.integers(1, 3))
            records += [(f"{rng.integers(1 << 62):016x}", one) for _ in range(copies)]
    return records


def brute_force(records: Records, most: int = 3, least: float = 0.8) -> set[frozenset[str]]:
    """Groups of ids: the components of all pairs that are copies or near duplicates."""
    rows = [row_of(image_id, record) for image_id, record in records]
    vectors = np.stack([decode_vector(row[3], "i1") for row in rows])
    near = cosines(vectors, vectors) >= least
    near &= np.array([[bits_apart(a, b) <= most for b in rows] for a in rows])
    near |= np.array([[a[1] == b[1] for b in rows] for a in rows])
    _, labels = connected_components(coo_matrix(near), directed=False)
    groups: dict[int, set[str]] = {}
    for label, (image_id, _) in zip(labels, records, strict=True):
        groups.setdefault(label, set()).add(image_id)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def keeper_of(group: frozenset[str], records: Records) -> str:
    """The picture of the highest PPI, then of most bytes, then with the least id."""
    worth = {image_id: (-record["ppi"], -record["bytes"]) for image_id, record in records}
    return min(group, key=lambda image_id: (worth[image_id], image_id))
