"""Pictures in Parquet: reading anybody's, writing our own shards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs import image_id_of, open_uri, resolve, safe_id
from mapsight.records import IMAGE_SCHEMA, LISTING_SCHEMA, PROVENANCE, Split, error_record

__all__ = [
    "Image",
    "ShardWriter",
    "image_column",
    "pack_files",
    "read_image",
    "read_images",
    "write_shard",
]

ROW_GROUP_BYTES = 8 << 20  # half of the 16 MiB that keep a reader's memory flat
MAX_BYTES = 64 << 20  # a file above this is never read
BATCH_ROWS = 16
IMAGE_COLUMNS = ("image", "jpg", "jpeg", "png", "bytes", "content", "image_bytes")
PATH_COLUMNS = ("path", "file_name", "filename", "uri", "url")


@dataclass(frozen=True)
class Image:
    """A picture as it was read, or the reason why it could not be.

    `row` is its row in the Parquet file `shard`, where it can be found again.
    """

    image_id: str
    source: str
    ordinal: int
    data: bytes | None
    shard: str = ""
    row: int = 0
    provenance: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None


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


def image_column(schema: pa.Schema, wanted: str | None = None) -> str:
    """The column that holds the pictures: binary, or a struct with `bytes`.

    Raises:
        ValueError: there is none, or `wanted` is not one; the columns are named.
    """
    candidates = [wanted] if wanted else [name for name in IMAGE_COLUMNS if name in schema.names]
    for name in candidates:
        if name in schema.names and _holds_bytes(schema.field(name).type):
            return name
    found = ", ".join(f"{column.name} ({column.type})" for column in schema)
    what = f"no column {wanted!r} with pictures" if wanted else "no column with pictures"
    raise ValueError(f"{what}; it has {found}. Name one with --image-column")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(part.name == "bytes" and _holds_bytes(part.type) for part in kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def read_images(split: Split, wanted: str | None = None) -> Iterator[Image]:
    """Every row of a split as an Image; a row group that cannot be read loses only itself.

    Memory: BATCH_ROWS rows and the pages they lie in.
    """
    if split.unreadable:
        yield _lost(split, 0, split.unreadable)
        return
    try:
        handle = open_uri(split.uri)
        parquet = pq.ParquetFile(handle, pre_buffer=False, page_checksum_verification=True)
        column = image_column(parquet.schema_arrow, wanted)
    except (OSError, ValueError) as error:
        yield from (_lost(split, row, str(error)) for row in range(split.rows))
        return
    with handle:
        start = sum(parquet.metadata.row_group(i).num_rows for i in range(split.row_group))
        done = 0
        for group in range(split.row_group, split.row_group + split.row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            yield from _read_group(parquet, group, rows, column, split, start + done, done)
            done += rows


def _read_group(
    parquet: pq.ParquetFile,
    group: int,
    rows: int,
    column: str,
    split: Split,
    row: int,
    offset: int,
) -> Iterator[Image]:
    """The rows of one row group; `row` is the first one's number in the file."""
    names = parquet.schema_arrow.names
    known = {"image_id", "ImageID", *PATH_COLUMNS, *PROVENANCE}
    if not split.source:  # a shard of ours
        known |= {"source", "ordinal", "error", "detail"}
    columns = [column, *(name for name in names if name in known and name != column)]
    done = 0
    try:
        for batch in parquet.iter_batches(
            BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False
        ):
            for values in batch.to_pylist():
                yield _image(values, column, split, row + done, offset + done)
                done += 1
    except (OSError, ValueError, pa.ArrowException) as error:
        for lost in range(done, rows):
            yield _lost(split, offset + lost, str(error), row + lost)


def _image(values: dict[str, Any], column: str, split: Split, row: int, offset: int) -> Image:
    data: Any = values[column]
    path: Any = None
    if isinstance(data, dict):
        data, path = data.get("bytes"), data.get("path")
    path = path or next((values[n] for n in PATH_COLUMNS if isinstance(values.get(n), str)), None)
    source = values.get("source") or f"{split.source}#{row}"
    given = values.get("image_id") or values.get("ImageID")
    return Image(
        image_id=_image_id(given, source, path),
        source=source,
        ordinal=values.get("ordinal", split.first + offset),
        data=data,
        shard=split.uri,
        row=row,
        provenance={n: str(values[n]) for n in PROVENANCE if values.get(n)},
        error=_error(values, data),
    )


def _image_id(given: object, source: str, path: str | None) -> str:
    if isinstance(given, str) and safe_id(given):
        return given
    return image_id_of(source, path or source)


def _error(values: dict[str, Any], data: bytes | None) -> dict[str, Any] | None:
    if values.get("error"):
        return {"error": values["error"], "detail": values.get("detail") or ""}
    if data is None:
        return error_record("no_image", "the row's picture is null")
    if len(data) > MAX_BYTES:
        return error_record("too_many_bytes", f"{len(data)} bytes; at most {MAX_BYTES}")
    return None


def _lost(split: Split, offset: int, reason: str, row: int | None = None) -> Image:
    source = split.source if split.unreadable else f"{split.source or split.uri}#{row or offset}"
    return Image(
        image_id=image_id_of(source, ""),
        source=source,
        ordinal=split.first + offset,
        data=None,
        error=error_record("bad_shard", re.sub(r"\s+", " ", reason)),
    )


def read_image(shard: str, row: int, wanted: str | None = None) -> bytes | None:
    """One picture's bytes, by its place in a Parquet file; None if it cannot be read."""
    try:
        with open_uri(shard) as handle:
            parquet = pq.ParquetFile(handle, pre_buffer=False, page_checksum_verification=True)
            column = image_column(parquet.schema_arrow, wanted)
            for group in range(parquet.num_row_groups):
                rows = parquet.metadata.row_group(group).num_rows
                if row < rows:
                    data = _nth(parquet, group, column, row)
                    return data.get("bytes") if isinstance(data, dict) else data
                row -= rows
    except (OSError, ValueError, pa.ArrowException):
        pass
    return None


def _nth(parquet: pq.ParquetFile, group: int, column: str, row: int) -> Any:
    """One value of a row group, a batch in memory at a time."""
    for batch in parquet.iter_batches(
        BATCH_ROWS, row_groups=[group], columns=[column], use_threads=False
    ):
        if row < batch.num_rows:
            return batch.column(0)[row].as_py()
        row -= batch.num_rows
    return None


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
