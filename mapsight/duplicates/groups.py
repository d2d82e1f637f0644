"""What is said of a group of duplicates: a row for each picture, and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapsight.duplicates.likeness import best_view, detail_of
from mapsight.duplicates.rows import (
    NODE,
    SHA256,
    Row,
    fact,
    image_id_of,
    reason,
    tile_in,
    vector_in,
)
from mapsight.duplicates.tiles import bits_apart, hashes_of
from mapsight.index.cosines import cosines
from mapsight.text import copies_in_words, counted

__all__ = ["COLUMNS", "described", "facts", "relation", "summarised"]

COLUMNS = (
    *("keeper", "image_id", "kind", "distance", "cosine"),
    *("ppi", "width", "height", "bytes", "source", "kept_because"),
)
"""Those of duplicates.csv."""

VIEW_KINDS = ("near", "mirrored", "mirrored", *["turned"] * 5)
"""What a picture is by the number of its view (mapsight/duplicates/tiles.py)."""


def described(rows: Iterable[Row], counts: Counter[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield facts of a group's pictures; sums are added to `counts`, as `duplicates`.

    Args:
        rows: sorted by node, so that the first is the keeper. Memory: two of them.
    """
    rows = iter(rows)
    keeper = next(rows)
    counts["duplicates", "groups"] += 1
    yield facts(keeper, keeper, "keeper", 0)
    for row in rows:
        kind, bits = relation(keeper, row)
        found = facts(row, keeper, kind, bits)
        counts["duplicates", kind] += 1
        counts["duplicates", "bytes"] += found["bytes"]
        counts["duplicates", "exact_bytes"] += found["bytes"] if kind == "exact" else 0
        yield found


def relation(keeper: Row, row: Row) -> tuple[str, int]:
    """Return which of COPY_KINDS a picture of a group is, and in how many bits the hashes differ.

    The bits are those of the view that is most like the keeper; of a crop, as it stands. What is
    like the keeper in no view is in the group as a part of it, or of another picture of it.
    """
    if row[SHA256] == keeper[SHA256]:
        return "exact", 0
    tiles = [tile_in(one) for one in (row, keeper)]
    best = int(best_view(*(detail_of(tile) for tile in tiles))[0])
    hashes, (other, *_) = (hashes_of(tile) for tile in tiles)
    bits = bits_apart(hashes[max(best, 0)], other)
    return "cropped" if best < 0 else VIEW_KINDS[best], bits


def facts(row: Row, keeper: Row, kind: str, bits: int) -> dict[str, Any]:
    """Return the COLUMNS of a picture, and its place.

    `distance` in bits of hash, `cosine` to 4 decimals.
    """
    same = row[SHA256] == keeper[SHA256]
    vectors = (vector_in(one)[None] for one in (row, keeper))
    names = ("ppi", "width", "height", "bytes", "source", "shard", "row")
    return {
        "keeper": image_id_of(keeper[NODE]),
        "image_id": image_id_of(row[NODE]),
        "kind": kind,
        "distance": bits,
        "cosine": 1.0 if same else round(float(cosines(*vectors)[0, 0]), 4),
        **{name: fact(row, name) for name in names},
        "kept_because": "" if kind == "keeper" else reason(keeper, row),
    }


def summarised(counts: Mapping[str, int]) -> str:
    """Return the counters of a search for duplicates in a line for people."""
    groups = counts.get("groups", 0)
    text = f"{counted(counts.get('pictures', 0), 'picture')}, no duplicates"
    if groups:
        text = (
            f"{counted(counts.get('pictures', 0), 'picture')},"
            f" {counted(groups, 'group')} of duplicates:"
            f" {copies_in_words(counts)} besides the {groups:,} to keep;"
            f" {counts.get('bytes', 0):,} bytes could be saved"
            f" ({counts.get('exact_bytes', 0):,} of exact copies)"
        )
    cut = counts.get("cut_buckets", 0)
    return f"{text}; {cut:,} buckets were too large to compare every pair" if cut else text
