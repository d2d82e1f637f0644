"""Packing loose picture files into Parquet shards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs import open_uri, resolve
from mapsight.records import IMAGE_SCHEMA, LISTING_SCHEMA, Split, error_record
from mapsight.shards import MAX_BYTES

__all__ = ["ShardWriter", "pack_files", "write_shard"]

ROW_GROUP_BYTES = 8 << 20  # half of the 16 MiB that keep a reader's memory flat


class ShardWriter:
    """Writes Image rows to a Parquet file in row groups of at most ROW_GROUP_BYTES.

    A picture larger than that gets a row group of its own. Pages carry
    checksums, so that damage on disk is noticed and never decoded.
    """

    def __init__(self, file: Any) -> None:
        self._writer = pq.ParquetWriter(
            file, IMAGE_SCHEMA, compression="none", write_page_checksum=True, use_dictionary=False
        )
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self.rows = self.row_groups = 0

    def add(self, row: dict[str, Any]) -> None:
        """Append one row with the fields of IMAGE_SCHEMA (missing ones are null)."""
        size = len(row.get("image") or b"")
        if self._rows and self._bytes + size > ROW_GROUP_BYTES:
            self._flush()
        self._rows.append(row)
        self._bytes += size

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, IMAGE_SCHEMA))
        self.rows += len(self._rows)
        self.row_groups += 1
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._rows or not self.row_groups:
            self._flush()
        self._writer.close()


def pack_files(split: Split, writer: ShardWriter) -> Iterator[int]:
    """Read the loose files of a listing's split into a shard; yields each one's size."""
    with open_uri(split.uri) as handle:
        listing = pq.ParquetFile(handle)
        for group in range(split.row_group, split.row_group + split.row_groups):
            rows = listing.read_row_group(group, columns=LISTING_SCHEMA.names)
            for row in rows.to_pylist():
                packed = _read_file(row)
                writer.add(packed)
                yield len(packed.get("image") or b"")


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


class _HashingFile:
    """A file that keeps the SHA-256 of what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def write_shard(split: Split, uri: str, packed: Callable[[int], object]) -> tuple[Split, str]:
    """Pack the loose files of a listing's split into a new shard.

    Args:
        split: names the listing and its row groups.
        uri: where to write; its folder is made.
        packed: called with the number of files packed since it was last called.

    Returns:
        The split that reads the whole shard, and the shard's SHA-256.
    """
    file_system, path = resolve(uri)
    file_system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with file_system.open(path, "wb") as file:
        hashing = _HashingFile(file)
        writer = ShardWriter(hashing)
        for number, _ in enumerate(pack_files(split, writer), 1):
            if number % 32 == 0 or number == split.rows:
                packed(number % 32 or 32)
        writer.close()
    shard = Split(uri, "", 0, writer.row_groups, writer.rows, hashing.size, split.first)
    return shard, hashing.sha256.hexdigest()
