"""Pictures in Parquet: reading anybody's, writing our own shards."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs import image_id_of, open_uri, resolve, safe_id
from mapsight.records import IMAGE_SCHEMA, LISTING_SCHEMA, PROVENANCE, Split, error_record

__all__ = [
    "OURS",
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
READ_BYTES = 16 << 20  # of a batch of rows, unless one row is larger
SWELL, SWELL_BYTES = 20, 64 << 20  # a row group beyond both is no collection of pictures
OURS = "ingest:{:012d}"
"""How records name a shard of ours: by its first ordinal, wherever it lies."""

IMAGE_COLUMNS = ("image", "jpg", "jpeg", "png", "bytes", "content", "image_bytes")
PATH_COLUMNS = ("path", "file_name", "filename", "uri", "url")


@dataclass(frozen=True)
class Image:
    """A picture as it was read, or the reason why it could not be.

    `row` is its row in the Parquet file `shard`, where it can be found again;
    a shard of ours is named as OURS says, so that the workspace can be moved.
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
        if schema.names.count(name) == 1 and _holds_bytes(schema.field(name).type):
            return name
    found = ", ".join(f"{column.name} ({column.type})" for column in schema)
    what = f"no column {wanted!r} with pictures" if wanted else "no column with pictures"
    raise ValueError(f"{what}; it has {found}. Name one with --image-column")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(part.name == "bytes" and _holds_bytes(part.type) for part in kind)
    if pa.types.is_dictionary(kind):
        return _holds_bytes(kind.value_type)
    plain = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in plain)


def read_images(split: Split, wanted: str | None = None) -> Iterator[Image]:
    """Every row of a split as an Image; a row group that cannot be read loses only itself.

    Memory: one batch of rows (READ_BYTES, or one row) and the pages they lie in.
    """
    if split.unreadable:
        yield _lost(split, 0, split.unreadable)
        return
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open_uri(split.uri))
            parquet = pq.ParquetFile(handle, pre_buffer=False, page_checksum_verification=True)
            column = image_column(parquet.schema_arrow, wanted)
            groups = range(split.row_group, split.row_group + split.row_groups)
            rows = [parquet.metadata.row_group(group).num_rows for group in groups]
            if sum(rows) != split.rows:
                raise ValueError("the file has changed since the run began")
        except (OSError, ValueError, IndexError) as error:
            yield from (_lost(split, offset, str(error)) for offset in range(split.rows))
            return
        for number, last in enumerate(itertools.accumulate(rows)):
            group, offset = split.row_group + number, last - rows[number]
            yield from _read_group(parquet, group, column, split, offset)


def _read_group(
    parquet: pq.ParquetFile, group: int, column: str, split: Split, offset: int
) -> Iterator[Image]:
    """The rows of one row group; `offset` is the first one's place in the split."""
    rows = parquet.metadata.row_group(group).num_rows
    done, reason = 0, "the row group ends early"
    try:
        for batch in _batches(parquet, group, _columns(parquet, column, split)):
            for number in range(batch.num_rows):
                yield _image(batch, number, column, split, offset + done)
                done += 1
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error)
    for lost in range(done, rows):
        yield _lost(split, offset + lost, reason)


def _columns(parquet: pq.ParquetFile, column: str, split: Split) -> list[str]:
    """The image column and those known columns that cannot be mistaken."""
    names = parquet.schema_arrow.names
    known = {"image_id", "ImageID", *PATH_COLUMNS, *PROVENANCE}
    if not split.source:
        known |= {"source", "ordinal", "error", "detail"}
    more = (name for name in names if name in known and names.count(name) == 1)
    return [column, *(name for name in more if name != column)]


def _batches(parquet: pq.ParquetFile, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """A row group in batches of about READ_BYTES.

    Raises:
        ValueError: it would grow to many times its size, as no pictures do.
    """
    metadata = parquet.metadata.row_group(group)
    parts = [metadata.column(i) for i in range(metadata.num_columns)]
    packed = sum(part.total_compressed_size for part in parts)
    size = sum(part.total_uncompressed_size for part in parts)
    if size > SWELL_BYTES and size > SWELL * packed:
        raise ValueError(f"{packed:,} bytes declare {size:,}; refused")
    # one large value of a dictionary may stand in every row
    repeated = any(part.has_dictionary_page for part in parts)
    share = size if repeated else size // max(metadata.num_rows, 1)
    rows = max(1, min(BATCH_ROWS, READ_BYTES // max(share, 1)))
    return parquet.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def _cell(batch: pa.RecordBatch, number: int, name: str) -> Any:
    """A value, or None where there is none or it cannot be had."""
    if name not in batch.schema.names:
        return None
    try:
        return batch.column(name)[number].as_py()
    except (ValueError, OverflowError, TypeError, pa.ArrowException):
        return None


def _image(batch: pa.RecordBatch, number: int, column: str, split: Split, offset: int) -> Image:
    data = _cell(batch, number, column)
    paths = [_cell(batch, number, name) for name in PATH_COLUMNS]
    if isinstance(data, dict):
        paths.insert(0, data.get("path"))
        data = data.get("bytes")
    path = next((text for text in paths if isinstance(text, str)), None)
    source = f"{split.source}#{split.row + offset}"
    if not split.source:
        source = _cell(batch, number, "source")
    given = _cell(batch, number, "image_id") or _cell(batch, number, "ImageID")
    ordinal = None if split.source else _cell(batch, number, "ordinal")
    provenance = {name: _cell(batch, number, name) for name in PROVENANCE}
    return Image(
        image_id=_image_id(given, source, path),
        source=source,
        ordinal=split.first + offset if ordinal is None else ordinal,
        data=data,
        shard=split.uri if split.source else OURS.format(split.first),
        row=split.row + offset,
        provenance={name: str(value) for name, value in provenance.items() if value},
        error=_error(batch, number, split, data),
    )


def _image_id(given: object, source: str, path: str | None) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and safe_id(given):
        return given
    return image_id_of(source, path or source)


def _error(
    batch: pa.RecordBatch, number: int, split: Split, data: bytes | None
) -> dict[str, Any] | None:
    code = None if split.source else _cell(batch, number, "error")
    if code:
        return {"error": code, "detail": _cell(batch, number, "detail") or ""}
    if data is None:
        return error_record("no_image", "the row's picture is null")
    if len(data) > MAX_BYTES:
        return error_record("too_many_bytes", f"{len(data)} bytes; at most {MAX_BYTES}")
    return None


def _lost(split: Split, offset: int, reason: str) -> Image:
    source = f"{split.source}#{split.row + offset}"
    if split.unreadable:
        source = split.source
    elif not split.source:
        source = f"picture {split.first + offset} of the input"
    return Image(
        image_id=image_id_of(source, ""),
        source=source,
        ordinal=split.first + offset,
        data=None,
        error=error_record("bad_shard", reason),
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
    for batch in _batches(parquet, group, [column]):
        if row < batch.num_rows:
            return _cell(batch, row, column)
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
