"""Rows of pictures that are compared, and which of two is the better copy.

Names in the graph of duplicates sort by worth, so that of a group the first is to be kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mapsight.labels.ranking import sort_key
from mapsight.records import decode_embedding, decode_vector, encode_vector, is_picture

__all__ = [
    "BYTES",
    "NODE",
    "SHA256",
    "VECTOR",
    "Row",
    "as_bytes",
    "fact",
    "image_id_of",
    "node_of",
    "reason",
    "row_of",
    "tile_in",
    "vector_in",
    "worth",
]

Row = Sequence[Any]
"""A picture: `[node, sha256, tile, vector, *FACTS]`."""

NODE, SHA256, TILE, VECTOR = range(4)
FACTS = (
    *("ppi", "width", "height", "bytes", "source", "detail", "quantizer"),
    *("shard", "row"),
)
BYTES = "i1"
KEY_DIGITS = 32  # of two numbers that sort as text

FINE = 30.0
"""The mean step of JPEG's luma table at quality 75; coarser ones count against a copy."""
COARSE_WEIGHT, SIZE_WEIGHT = 0.5, 0.25
CLEARLY = 0.1
"""Octaves of detail that are a reason by themselves."""


def worth(record: Mapping[str, Any]) -> float:
    """Return how good a copy is beside others of the same picture, in octaves of detail.

    log2 of `detail`, less .5 for each doubling of the JPEG's `quantizer` above that of quality 75,
    plus .25 for each doubling of the pixels (docs/duplicates.md).
    """
    pixels = record["width"] * record["height"]
    octaves = _octaves(record["detail"]) - _coarse(record) + SIZE_WEIGHT * math.log2(pixels)
    return round(octaves, 6)  # the last bit of a logarithm is not the same everywhere


def _octaves(detail: float) -> float:
    return math.log2(1e-6 + detail)


def _coarse(record: Mapping[str, Any]) -> float:
    return COARSE_WEIGHT * max(math.log2(max(record["quantizer"], 1.0) / FINE), 0.0)


def reason(keeper: Row, row: Row) -> str:
    """Return why one picture is kept rather than another of its group, in few words."""
    if row[SHA256] == keeper[SHA256]:
        return "same bytes"
    best, other = (dict(zip(FACTS, one[4:], strict=True)) for one in (keeper, row))
    gains = {
        "more detail": _octaves(best["detail"]) - _octaves(other["detail"]),
        "less compressed": _coarse(other) - _coarse(best),
    }
    name = max(gains, key=lambda one: gains[one])
    if gains[name] > CLEARLY:
        return name
    pixels = [one["width"] * one["height"] for one in (best, other)]
    if pixels[0] > pixels[1]:
        return "more pixels"
    if gains["more detail"] > 0:
        return "more detail"
    return "larger file" if best["bytes"] > other["bytes"] else "first image_id"


def node_of(image_id: str, value: float, size: int = 0) -> str:
    """Return a picture's name in the graph of duplicates: of two names the lesser is to be kept.

    That is the one of more worth, then with more bytes.

    >>> node_of("b", 20.0) < node_of("c", 10.0, 9) < node_of("a", 10.0) < node_of("b", 10.0)
    True
    """
    keys = (sort_key(number, descending=True) for number in (value, float(size)))
    return f"{''.join(keys)}:{image_id}"


def image_id_of(node: str) -> str:
    """Return the picture that `node_of` named."""
    return node[KEY_DIGITS + 1 :]


def row_of(image_id: str, record: Mapping[str, Any]) -> Row | None:
    """Return what is needed of a feature record; None of a rejected picture or an orphan.

    Raises:
        ValueError: an earlier version made the record, which measured no tile.
    """
    if not is_picture(record):
        return None
    if "tile" not in record:
        raise ValueError(
            f"picture {image_id}: its features are of an earlier version; extract them again"
            " (`mapsight run` does)"
        )
    vector = encode_vector(as_bytes(decode_embedding(record["embedding"])))
    node = node_of(image_id, worth(record), record["bytes"])
    facts = [record.get(name) for name in FACTS]
    return [node, record["sha256"], record["tile"], vector, *facts]


def as_bytes(embedding: np.ndarray) -> np.ndarray:
    """Return (d,) int16 as int8, the largest component becoming 127: half the bytes."""
    largest = max(int(np.abs(embedding.astype(np.int32)).max(initial=0)), 1)
    return np.rint(embedding * 127.0 / largest).astype(np.int8)


def fact(row: Row, name: str) -> Any:
    """Return one of FACTS of a row."""
    return row[4 + FACTS.index(name)]


def tile_in(row: Row) -> np.ndarray:
    """Return the tile of a row, (SIDE, SIDE) uint8."""
    from mapsight.duplicates.tiles import tile_of

    return tile_of(row[TILE])


def vector_in(row: Row) -> np.ndarray:
    """Return the embedding of a row, (d,) int8."""
    return decode_vector(row[VECTOR], BYTES)
