"""Listings: Parquet files that name loose files and URLs, too many for lines of a plan."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.url_lists import chunks
from mapsight.records import ORDINALS_PER_FILE, PROVENANCE, Split
from mapsight.redaction import public_address
from mapsight.schemas import LISTING_SCHEMA, URL_SCHEMA
from mapsight.storage.uri import open_uri

__all__ = ["LISTINGS", "grown", "listed_chunks", "share_of", "write_listing"]

ROWS_PER_GROUP = 8192  # of a listing: bounds what a task and the planner hold
ORIGINAL = ("original_bytes", "original_md5")
LISTINGS = {"files": "listing.parquet", "urls": "urls.parquet"}
"""The Parquet files that name loose files and URLs, by the kind of their splits."""


def share_of(piece: dict[str, Any], share: float) -> int:
    """Return which split a piece belongs to: where its middle falls."""
    return int((piece["before"] + piece["weight"] / 2) / share)


def write_listing(
    kind: str, pieces: Iterator[dict[str, Any]], listing: Path, share: float
) -> list[Split]:
    """Write each share of the files or URLs as row groups of their own; the splits.

    Of URLs it keeps the whole addresses, so only its owner may read it where that says more.
    """
    splits: list[Split] = []
    groups = 0
    schema = URL_SCHEMA if kind == "urls" else LISTING_SCHEMA
    with pq.ParquetWriter(listing, schema) as writer:
        for _, part in itertools.groupby(pieces, key=lambda piece: share_of(piece, share)):
            rows = itertools.chain.from_iterable(map(_listing_rows, part))
            split = Split(listing.name, "", groups, 0, 0, 0, 0, kind=kind)
            while group := list(itertools.islice(rows, ROWS_PER_GROUP)):
                if not split.rows:
                    split = replace(split, first=group[0]["ordinal"])
                writer.write_table(pa.Table.from_pylist(group, schema))
                if kind == "urls" and any(row["source"].encode() != row["uri"] for row in group):
                    listing.chmod(0o600)
                groups += 1
                split = grown(split, 1, len(group), sum(max(row["bytes"], 0) for row in group))
            splits.append(split)
    return splits


def _listing_rows(piece: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a listing for a piece: its file, or each URL of its chunk."""
    if piece["kind"] == "files":
        yield {
            "image_id": image_id_of(piece["source"]),
            "source": piece["source"],
            "uri": piece["uri"].encode("utf-8", "surrogateescape"),
            "bytes": piece["bytes"],
            "ordinal": piece["first"],
        }
        return
    for offset, row in enumerate(piece["urls"]):
        yield {
            "image_id": row.get("image_id") or "",
            "source": public_address(row["url"]),
            "uri": row["url"].encode("utf-8", "surrogateescape"),
            "bytes": -1,
            "ordinal": piece["first"] + offset,
            **{name: row[name] for name in (*PROVENANCE, *ORIGINAL) if row.get(name)},
        }


def listed_chunks(split: Split) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield (ordinal of the first row, rows) of the chunks of a split of URLs, as planned.

    Rows are as `url_lists.read_url_list` gave them. Memory: one row group.
    """
    with open_uri(split.uri) as handle:
        listing = pq.ParquetFile(handle)
        groups = range(split.row_group, split.row_group + split.row_groups)
        rows = (row for group in groups for row in listing.read_row_group(group).to_pylist())
        # a split may hold the end of one list and the beginning of another
        for _, same in itertools.groupby(rows, lambda row: row["ordinal"] // ORDINALS_PER_FILE):
            head = next(same)
            first = head["ordinal"]
            for chunk in chunks(map(_url_row, itertools.chain([head], same))):
                yield first, chunk
                first += len(chunk)


def _url_row(row: dict[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in (*PROVENANCE, *ORIGINAL) if row.get(name)}
    return {"url": row["uri"].decode(), "image_id": row["image_id"] or None, **known}


def grown(split: Split, groups: int, rows: int, size: int) -> Split:
    """Return a split with more row groups, rows and bytes."""
    return replace(
        split,
        row_groups=split.row_groups + groups,
        rows=split.rows + rows,
        bytes=split.bytes + max(size, 0),
    )
