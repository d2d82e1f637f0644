"""Planning: from a stream of files to splits, the shares of the map tasks."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs.find import Found, InputError
from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.parquet_layout import read_layout
from mapsight.inputs.url_lists import chunks, read_url_list
from mapsight.records import ORDINALS_PER_FILE, PROVENANCE, Split
from mapsight.redaction import public_address
from mapsight.schemas import LISTING_SCHEMA, URL_SCHEMA
from mapsight.storage.uri import open_uri

__all__ = ["LISTINGS", "Plan", "listed_chunks", "make_plan", "pieces_of"]

SPLIT_BYTES = 128 << 20
MOST_SPLITS = 50_000
"""A job of more tasks takes Hadoop more memory to keep than it is given; splits grow instead."""
PER_PICTURE = 20_000  # what a picture costs beside its bytes, in bytes read
PER_URL = 100_000  # what is guessed to come from a URL
ROWS_PER_GROUP = 8192  # of a listing: bounds what a task and the planner hold
ORIGINAL = ("original_bytes", "original_md5")
LISTINGS = {"files": "listing.parquet", "urls": "urls.parquet"}
"""The Parquet files that name loose files and URLs, by the kind of their splits."""


@dataclass(frozen=True)
class Plan:
    """What `make_plan` wrote and found.

    `splits` are by kind, as `records.KINDS` has them; `pictures` counts all but
    those in archives, of which nobody knows how many they are; `digest` changes
    with any input.
    """

    pictures: int
    bytes: int
    digest: str
    splits: dict[str, list[Split]] = field(default_factory=dict)


def make_plan(
    found: Iterable[Found],
    folder: Path,
    *,
    splits: int | None = None,
    tasks: int = 1,
    url_column: str | None = None,
) -> Plan:
    """Divide the input among map tasks, streaming.

    What is found is spooled to disk in `folder` first, because a fair share is
    only known when all has been seen. Memory: one row group of a listing and
    one Split per SPLIT_BYTES of input, MOST_SPLITS at most.

    Args:
        found: the files, in the order that decides which of two equal ids is first.
        folder: where the LISTINGS are written.
        splits: how many splits to make; None chooses by size.
        tasks: how many tasks can run at once; a small input is spread over them.
        url_column: of lists of URLs in CSV.

    Raises:
        InputError: a list of URLs holds none.
    """
    spool = folder / "plan.spool"
    total = _spool(found, spool, url_column)
    by_size = min(math.ceil(total.weight / SPLIT_BYTES), MOST_SPLITS)
    wanted = splits or max(by_size, min(tasks, math.ceil(total.pictures / 50)), 1)
    share = max(total.weight / wanted, 1.0)
    made: dict[str, list[Split]] = {}
    try:
        for kind, name in LISTINGS.items():
            made[kind] = _write_listing(kind, _spooled(spool, kind), folder / name, share)
        for kind in ("tar", "parquet"):
            made[kind] = list(_splits_of_files(_spooled(spool, kind), share))
    finally:
        spool.unlink()
    return Plan(total.pictures, total.bytes, total.digest.hexdigest(), made)


@dataclass
class _Total:
    """Sums over what was found so far."""

    pictures: int = 0
    weight: int = 0
    bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def _spool(found: Iterable[Found], spool: Path, url_column: str | None) -> _Total:
    """Write one JSON line for each piece: a file, a row group, a chunk of URLs."""
    total = _Total()
    spool.touch(0o600)
    with spool.open("w", encoding="utf-8") as out:
        for number, file in enumerate(found):
            total.digest.update(f"{file.source}\0{file.bytes}\0{file.stamp}\n".encode())
            ordinal = number * ORDINALS_PER_FILE
            for piece in pieces_of(file, url_column):
                piece |= {"file": number, "first": ordinal, "before": total.weight}
                out.write(json.dumps(piece) + "\n")
                ordinal += piece["rows"]
                total.pictures += piece["rows"]
                total.weight += piece["weight"]
                total.bytes += max(piece["bytes"], 0)
    return total


def pieces_of(file: Found, url_column: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the parts of a file that a split cannot divide.

    A picture, an archive, a row group, or a chunk of a list of URLs.
    """
    uri = file.uri.decode("utf-8", "surrogateescape")
    base = {"kind": file.kind, "source": file.source, "uri": uri, "bytes": file.bytes}
    if file.kind == "picture":
        yield base | {"kind": "files", "rows": 1, "weight": max(file.bytes, 0) + PER_PICTURE}
    elif file.kind == "tar":
        yield base | {"rows": 0, "weight": max(file.bytes, 0) + PER_PICTURE}
    elif file.kind == "urls":
        yield from _chunks_of(file, base, url_column)
    else:
        yield from _row_groups_of(file, base)


def _chunks_of(
    file: Found, base: dict[str, Any], url_column: str | None
) -> Iterator[dict[str, Any]]:
    try:
        for rows in chunks(read_url_list(file.uri, file.source, url_column)):
            weight = len(rows) * (PER_URL + PER_PICTURE)
            yield base | {"rows": len(rows), "bytes": -1, "weight": weight, "urls": rows}
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from error


def _row_groups_of(file: Found, base: dict[str, Any]) -> Iterator[dict[str, Any]]:
    base = base | {"unreadable": "", "group": 0, "row": 0}
    try:
        with open_uri(file.uri) as handle:
            groups = read_layout(handle)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        weight = max(file.bytes, 0) + PER_PICTURE
        yield base | {"rows": 1, "weight": weight, "unreadable": reason}
        return
    row = 0
    for number, group in enumerate(groups):
        own = {"group": number, "rows": group.rows, "row": row, "bytes": group.size}
        yield base | own | {"weight": group.size + group.rows * PER_PICTURE}
        row += group.rows


def _spooled(spool: Path, kind: str) -> Iterator[dict[str, Any]]:
    with spool.open(encoding="utf-8") as lines:
        for line in lines:
            piece = json.loads(line)
            if piece["kind"] == kind:
                yield piece


def _share_of(piece: dict[str, Any], share: float) -> int:
    """Which split a piece belongs to: where its middle falls."""
    return int((piece["before"] + piece["weight"] / 2) / share)


def _write_listing(
    kind: str, pieces: Iterator[dict[str, Any]], listing: Path, share: float
) -> list[Split]:
    """Each share of the files or URLs as row groups of their own.

    Of URLs it keeps the whole addresses, so only its owner may read it where that says more.
    """
    splits: list[Split] = []
    groups = 0
    schema = URL_SCHEMA if kind == "urls" else LISTING_SCHEMA
    with pq.ParquetWriter(listing, schema) as writer:
        for _, part in itertools.groupby(pieces, key=lambda piece: _share_of(piece, share)):
            rows = itertools.chain.from_iterable(map(_listing_rows, part))
            split = Split(listing.name, "", groups, 0, 0, 0, 0, kind=kind)
            while some := list(itertools.islice(rows, ROWS_PER_GROUP)):
                if not split.rows:
                    split = replace(split, first=some[0]["ordinal"])
                writer.write_table(pa.Table.from_pylist(some, schema))
                if kind == "urls" and any(row["source"].encode() != row["uri"] for row in some):
                    listing.chmod(0o600)
                groups += 1
                split = _grown(split, 1, len(some), sum(max(row["bytes"], 0) for row in some))
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


def _grown(split: Split, groups: int, rows: int, size: int) -> Split:
    return replace(
        split,
        row_groups=split.row_groups + groups,
        rows=split.rows + rows,
        bytes=split.bytes + max(size, 0),
    )


def _splits_of_files(pieces: Iterator[dict[str, Any]], share: float) -> Iterator[Split]:
    """Archives, and neighbouring row groups of one file that fall into one share."""
    for _, group in itertools.groupby(
        pieces, key=lambda piece: (_share_of(piece, share), piece["file"])
    ):
        first, *rest = group
        split = Split(
            uri=first["uri"],
            source=first["source"],
            row_group=first.get("group", 0),
            row_groups=1,
            rows=first["rows"],
            bytes=first["bytes"],
            first=first["first"],
            row=first.get("row", 0),
            unreadable=first.get("unreadable", ""),
            kind=first["kind"],
        )
        for piece in rest:
            split = _grown(split, 1, piece["rows"], piece["bytes"])
        yield split
