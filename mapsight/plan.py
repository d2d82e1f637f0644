"""Planning: from a stream of files to splits, the shares of the map tasks."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs import Found, image_id_of, open_uri
from mapsight.records import LISTING_SCHEMA, Split

__all__ = ["Plan", "make_plan", "pieces_of"]

SPLIT_BYTES = 128 << 20
PER_PICTURE = 20_000  # what a picture costs beside its bytes, in bytes read
ROWS_PER_GROUP = 8192  # of the listing: bounds what a task and the planner hold


@dataclass(frozen=True)
class Plan:
    """What `make_plan` wrote and found.

    `loose` are splits of the listing (files to be packed into shards), `parquet`
    those of files that hold pictures already; `digest` changes with any input.
    """

    pictures: int
    bytes: int
    digest: str
    loose: list[Split]
    parquet: list[Split]


def make_plan(
    found: Iterable[Found], listing: Path, *, splits: int | None = None, tasks: int = 1
) -> Plan:
    """Divide the input among map tasks, streaming.

    The files are spooled to disk beside `listing` first, because a fair share is
    only known when all have been seen. Memory: one row group of the listing and
    one Split per SPLIT_BYTES of input.

    Args:
        found: the files, in the order that decides which of two equal ids is first.
        listing: the Parquet file to write the loose files to.
        splits: how many splits to make; None chooses by size.
        tasks: how many tasks can run at once; a small input is spread over them.
    """
    spool = listing.with_suffix(".spool")
    pictures, weight, size, digest = _spool(found, spool)
    wanted = splits or max(math.ceil(weight / SPLIT_BYTES), min(tasks, math.ceil(pictures / 50)), 1)
    share = max(weight / wanted, 1.0)
    try:
        loose = _write_listing(_spooled(spool, "loose"), listing, share)
        parquet = list(_parquet_splits(_spooled(spool, "parquet"), share))
    finally:
        spool.unlink()
    return Plan(pictures, size, digest, loose, parquet)


def _spool(found: Iterable[Found], spool: Path) -> tuple[int, int, int, str]:
    """Write one JSON line per file or Parquet row-group; (pictures, weight, bytes, digest)."""
    ordinal = weight = size = 0
    digest = hashlib.sha256()
    with spool.open("w", encoding="utf-8") as out:
        for number, file in enumerate(found):
            digest.update(f"{file.source}\0{file.bytes}\0{file.stamp}\n".encode())
            for piece in pieces_of(file):
                piece |= {
                    "file": number,
                    "first": ordinal,
                    "weight": _weight(piece),
                    "before": weight,
                }
                out.write(json.dumps(piece) + "\n")
                ordinal += piece["rows"]
                weight += piece["weight"]
                size += max(piece["bytes"], 0)
    return ordinal, weight, size, digest.hexdigest()


def _weight(piece: dict[str, Any]) -> int:
    return max(piece["bytes"], 0) + piece["rows"] * PER_PICTURE


def pieces_of(file: Found) -> Iterator[dict[str, Any]]:
    """The parts of a file that a split cannot divide: the file, or its row groups."""
    uri = file.uri.decode("utf-8", "surrogateescape")
    if not file.parquet:
        yield {"kind": "loose", "source": file.source, "uri": uri, "rows": 1, "bytes": file.bytes}
        return
    base = {"kind": "parquet", "source": file.source, "uri": uri, "unreadable": ""}
    try:
        with open_uri(file.uri) as handle:
            metadata = pq.read_metadata(handle)
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        yield base | {"group": 0, "rows": 1, "row": 0, "bytes": file.bytes, "unreadable": reason}
        return
    row = 0
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        size = sum(part.column(i).total_compressed_size for i in range(part.num_columns))
        yield base | {"group": group, "rows": part.num_rows, "row": row, "bytes": size}
        row += part.num_rows


def _spooled(spool: Path, kind: str) -> Iterator[dict[str, Any]]:
    with spool.open(encoding="utf-8") as lines:
        for line in lines:
            piece = json.loads(line)
            if piece["kind"] == kind:
                yield piece


def _share_of(piece: dict[str, Any], share: float) -> int:
    """Which split a piece belongs to: where its middle falls."""
    return int((piece["before"] + piece["weight"] / 2) / share)


def _write_listing(pieces: Iterator[dict[str, Any]], listing: Path, share: float) -> list[Split]:
    """Each share of the loose files as row groups of their own."""
    splits: list[Split] = []
    groups = 0
    with pq.ParquetWriter(listing, LISTING_SCHEMA) as writer:
        for _, part in itertools.groupby(pieces, key=lambda piece: _share_of(piece, share)):
            rows = [_listing_row(piece) for piece in itertools.islice(part, ROWS_PER_GROUP)]
            split = Split(listing.name, "", groups, 0, 0, 0, rows[0]["ordinal"])
            while rows:
                writer.write_table(pa.Table.from_pylist(rows, LISTING_SCHEMA))
                groups += 1
                size = sum(max(row["bytes"], 0) for row in rows)
                split = _grown(split, 1, len(rows), size)
                rows = [_listing_row(piece) for piece in itertools.islice(part, ROWS_PER_GROUP)]
            splits.append(split)
    return splits


def _listing_row(piece: dict[str, Any]) -> dict[str, Any]:
    return {
        "image_id": image_id_of(piece["source"]),
        "source": piece["source"],
        "uri": piece["uri"].encode("utf-8", "surrogateescape"),
        "bytes": piece["bytes"],
        "ordinal": piece["first"],
    }


def _grown(split: Split, groups: int, rows: int, size: int) -> Split:
    return replace(
        split,
        row_groups=split.row_groups + groups,
        rows=split.rows + rows,
        bytes=split.bytes + max(size, 0),
    )


def _parquet_splits(pieces: Iterator[dict[str, Any]], share: float) -> Iterator[Split]:
    """Neighbouring row groups of one file that fall into one share, as one split each."""
    for _, group in itertools.groupby(
        pieces, key=lambda piece: (_share_of(piece, share), piece["file"])
    ):
        first, *rest = group
        split = Split(
            first["uri"],
            first["source"],
            first["group"],
            1,
            first["rows"],
            first["bytes"],
            first["first"],
            first["row"],
            first["unreadable"],
        )
        for piece in rest:
            split = _grown(split, 1, piece["rows"], piece["bytes"])
        yield split
