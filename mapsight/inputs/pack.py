"""Packing loose picture files, and what archives hold, into Parquet shards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.files import HashingFile
from mapsight.inputs.shards import MAX_BYTES
from mapsight.inputs.tars import read_tar
from mapsight.records import Split, error_record
from mapsight.schemas import IMAGE_SCHEMA, LISTING_SCHEMA
from mapsight.storage.uri import open_uri, resolve

__all__ = ["ShardWriter", "image_rows", "pack_rows", "write_shard"]

ROW_GROUP_BYTES = 8 << 20  # half of the 16 MiB that keep a reader's memory flat
ROW_GROUP_ROWS = 4096  # pictures without bytes take memory too
ROW_BYTES = 256
SHARD_BYTES = 256 << 20  # of pictures; an archive larger than that gives several shards


class ShardWriter:
    """Writes Image rows to a Parquet file in row groups of at most ROW_GROUP_BYTES.

    A picture larger than that gets a row group of its own. Pages carry
    checksums, so that damage on disk is noticed and never decoded.
    """

    def __init__(self, file: Any) -> None:
        self._writer = pq.ParquetWriter(
            file,
            IMAGE_SCHEMA,
            compression="none",
            write_page_checksum=True,
            use_dictionary=False,
            write_statistics=False,  # would hold the least and the greatest picture
        )
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self.rows = self.row_groups = 0

    def add(self, row: dict[str, Any]) -> None:
        """Append one row with the fields of IMAGE_SCHEMA (missing ones are null)."""
        size = len(row.get("image") or b"")
        full = len(self._rows) >= ROW_GROUP_ROWS or self._bytes + size > ROW_GROUP_BYTES
        if self._rows and full:
            self._flush()
        self._rows.append(row)
        self._bytes += size

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._rows, IMAGE_SCHEMA)
        # encoding takes room for two more copies: those that were rows go first
        self._rows, self._bytes = [], 0
        self._writer.write_table(table)
        self.rows += table.num_rows
        self.row_groups += 1

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._rows or not self.row_groups:
            self._flush()
        self._writer.close()


def image_rows(split: Split, counts: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Return the Image rows of a split of files or of an archive, in order.

    `counts` is for `read_tar`.

    Raises:
        ValueError: the split is of another kind.
    """
    if split.kind == "tar":
        return read_tar(split.uri, split.source, counts)
    if split.kind == "files":
        return _listed_files(split)
    raise ValueError(f"a split of kind {split.kind!r}, expected files or tar")


def _listed_files(split: Split) -> Iterator[dict[str, Any]]:
    with open_uri(split.uri) as handle:
        listing = pq.ParquetFile(handle)
        for group in range(split.row_group, split.row_group + split.row_groups):
            rows = listing.read_row_group(group, columns=LISTING_SCHEMA.names)
            yield from map(_read_file, rows.to_pylist())


def _read_file(row: dict[str, Any]) -> dict[str, Any]:
    packed = {key: row[key] for key in ("image_id", "source", "ordinal")}
    if row["bytes"] > MAX_BYTES:
        return packed | error_record("too_many_bytes", f"{row['bytes']} bytes; at most {MAX_BYTES}")
    try:
        with open_uri(row["uri"]) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return packed | error_record("unreadable", error)
    if len(data) > MAX_BYTES:
        return packed | error_record("too_many_bytes", f"more than {MAX_BYTES} bytes")
    return packed | {"image": data}


def pack_rows(
    rows: Iterable[dict[str, Any]], folder: str, first: int
) -> Iterator[tuple[Split, str]]:
    """Write Image rows to new shards of at most SHARD_BYTES and one picture.

    Args:
        rows: with their ordinals; without, they count up from `first`.
        folder: a folder or URI, made if need be. The names of shards are new each
            time: what another attempt left is never overwritten.
        first: the ordinal of the first row.

    Yields:
        The split that reads a whole shard, and the shard's SHA-256.
    """
    number, left = 0, iter(rows)
    while head := next(left, None):
        start = head.get("ordinal", first + number)
        uri = f"{folder.rstrip('/')}/{start:016x}-{os.getpid()}-{os.urandom(4).hex()}.parquet"
        some = _some([head], left)
        del head  # it would be held until the shard is full
        split, sha256 = write_shard(some, uri, start)
        number += split.rows
        yield split, sha256


def _some(heads: list[dict[str, Any]], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row and those after it, up to SHARD_BYTES."""
    size = 0
    while size < SHARD_BYTES and (row := heads.pop() if heads else next(rows, None)):
        size += ROW_BYTES + len(row.get("image") or b"")
        yield row


def write_shard(rows: Iterable[dict[str, Any]], uri: str, first: int) -> tuple[Split, str]:
    """Write Image rows to one new shard; the split that reads it, and its SHA-256."""
    file_system, path = resolve(uri)
    file_system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with file_system.open(path, "wb") as file:
        hashing = HashingFile(file)
        writer = ShardWriter(hashing)
        for row in rows:
            writer.add(row)
        writer.close()
    split = Split(uri, "", 0, writer.row_groups, writer.rows, hashing.size, first)
    return split, hashing.sha256.hexdigest()
