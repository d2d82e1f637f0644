"""What is said of a group of duplicates: a row for each picture, and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapsight.duplicates.pairs import BYTES, SHA256, VECTOR, Row, bits_apart, image_id_of
from mapsight.index.cosines import cosines
from mapsight.records import decode_vector
from mapsight.text import counted

__all__ = ["COLUMNS", "described", "facts", "summarised"]

COLUMNS = (
    *("keeper", "image_id", "kind", "distance", "cosine"),
    *("ppi", "width", "height", "bytes", "source"),
)
"""Those of duplicates.csv."""


def described(rows: Iterable[Row], counts: Counter[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield facts of a group's pictures; sums are added to `counts`, as `duplicates`.

    Args:
        rows: sorted by node, so that the first is the keeper. Memory: two of them.
    """
    rows = iter(rows)
    keeper = next(rows)
    counts["duplicates", "groups"] += 1
    yield facts(keeper, keeper, "keeper")
    for row in rows:
        kind = "exact" if row[SHA256] == keeper[SHA256] else "near"
        found = facts(row, keeper, kind)
        counts["duplicates", kind] += 1
        counts["duplicates", "bytes"] += found["bytes"]
        counts["duplicates", "exact_bytes"] += found["bytes"] if kind == "exact" else 0
        yield found


def facts(row: Row, keeper: Row, kind: str) -> dict[str, Any]:
    """Return the COLUMNS of a picture, and its place.

    `distance` in bits of dHash, `cosine` to 4 decimals.
    """
    node, _, _, _, ppi, width, height, size, source, shard, place = row
    same = row[SHA256] == keeper[SHA256]
    vectors = (decode_vector(one[VECTOR], BYTES)[None] for one in (row, keeper))
    return {
        "keeper": image_id_of(keeper[0]),
        "image_id": image_id_of(node),
        "kind": kind,
        "distance": bits_apart(row, keeper),
        "cosine": 1.0 if same else round(float(cosines(*vectors)[0, 0]), 4),
        "ppi": ppi,
        "width": width,
        "height": height,
        "bytes": size,
        "source": source,
        "shard": shard,
        "row": place,
    }


def summarised(counts: Mapping[str, int]) -> str:
    """Return the counters of a search for duplicates in a line for people."""
    groups, exact, near = (counts.get(name, 0) for name in ("groups", "exact", "near"))
    text = f"{counted(counts.get('pictures', 0), 'picture')}, no duplicates"
    if groups:
        text = (
            f"{counted(counts.get('pictures', 0), 'picture')},"
            f" {counted(groups, 'group')} of duplicates:"
            f" {counted(exact, 'exact copy', 'exact copies')} and"
            f" {counted(near, 'near-duplicate')} besides the {groups:,} to keep;"
            f" {counts.get('bytes', 0):,} bytes could be saved"
            f" ({counts.get('exact_bytes', 0):,} of exact copies)"
        )
    cut = counts.get("cut_buckets", 0)
    return f"{text}; {cut:,} buckets were too large to compare every pair" if cut else text
