"""Reading pictures from Parquet, ours and anybody's."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs.image_columns import image_column
from mapsight.inputs.image_ids import HEX_ID, image_id_of, is_named, safe_id, source_id
from mapsight.inputs.parquet_layout import SWELL, SWELL_BYTES, check_pages, read_layout
from mapsight.inputs.provenance import provenance_of, renamed
from mapsight.records import Split, error_record
from mapsight.storage.uri import open_uri

__all__ = ["OURS", "Image", "image_column", "read_image", "read_images", "read_images_at"]

MAX_BYTES = 64 << 20  # a file above this is never read
BATCH_ROWS = 16
NO_BYTES = "the row has a path and no bytes; paths in Parquet are not followed: name the folder"
READ_BYTES = 16 << 20  # of a batch of rows, unless it is one row
GROWN, GROWN_BYTES = 100, 1 << 30  # a value of a dictionary may stand in many rows
OURS = "shard:{:016x}"
"""How records name a shard of ours: by its first ordinal, wherever it lies."""

PATH_COLUMNS = ("path", "file_name", "filename", "uri", "url")


@dataclass(frozen=True)
class Image:
    """A picture as it was read, or the reason why it could not be.

    `row` is its row in the Parquet file `shard`, where it can be found again;
    a shard of ours is named as OURS says, so that the workspace can be moved.
    `named` says that its id is the name of its file, which others may have.
    """

    image_id: str
    source: str
    ordinal: int
    data: bytes | None
    shard: str = ""
    row: int = 0
    provenance: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    named: bool = False


class _File:
    """A Parquet file that is read page by page, with checksums where it has them."""

    def __init__(self, handle: Any) -> None:
        """Raises ValueError, OSError or ArrowException for what is none."""
        self._handle = handle
        self.groups = read_layout(handle)
        # unbuffered, pyarrow would read a row group's column whole, however large
        self._parquet = pq.ParquetFile(
            handle, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True
        )
        self.schema = self._parquet.schema_arrow

    def batches(self, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Return a row group in batches of READ_BYTES or a row, and of at most BATCH_ROWS.

        Raises:
            ValueError: it would grow to many times its size, as no pictures do, or
                its rows are larger than pictures may be.
        """
        part = self.groups[group]
        if part.unpacked > SWELL_BYTES and part.unpacked > SWELL * part.size:
            raise ValueError(f"{part.size:,} bytes declare {part.unpacked:,}; refused")
        if part.unpacked > MAX_BYTES * part.rows:
            raise ValueError(f"{part.rows} rows declare {part.unpacked:,} bytes; refused")
        check_pages(self._handle, part, columns)
        # the rows may be of any sizes, and one value of a dictionary stand in all
        rows = max(1, min(BATCH_ROWS, READ_BYTES // max(part.unpacked, 1)))
        how = {"row_groups": [group], "columns": columns, "use_threads": False}
        return self._parquet.iter_batches(rows, **how)


def read_images(split: Split, wanted: str | None = None) -> Iterator[Image]:
    """Yield every row of a split as an Image; a row group that cannot be read loses only itself.

    `wanted` is the column of other people's files; shards of ours have their own.
    Memory: one batch of rows (READ_BYTES, or one row) and the pages they lie in.
    """
    if split.unreadable:
        yield _lost(split, 0, split.unreadable)
        return
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open_uri(split.uri))
            file = _File(handle)
            column = image_column(file.schema, wanted if split.source else None)
            groups = range(split.row_group, split.row_group + split.row_groups)
            rows = [file.groups[group].rows for group in groups]
            if sum(rows) != split.rows:
                raise ValueError("the file has changed since the run began")
        except (OSError, ValueError, IndexError, pa.ArrowException) as error:
            yield from (_lost(split, offset, str(error)) for offset in range(split.rows))
            return
        for number, last in enumerate(itertools.accumulate(rows)):
            group, offset = split.row_group + number, last - rows[number]
            yield from _read_group(file, group, column, split, offset)


def _read_group(file: _File, group: int, column: str, split: Split, offset: int) -> Iterator[Image]:
    """The rows of one row group; `offset` is the first one's place in the split."""
    rows = file.groups[group].rows
    done, reason = 0, "the row group ends early"
    most, size = max(GROWN_BYTES, GROWN * file.groups[group].size), 0
    try:
        for batch in file.batches(group, _columns(file.schema.names, column, split)):
            for number in range(min(batch.num_rows, rows - done)):
                image = _image(batch, number, column, split, offset + done)
                size += len(image.data or b"")
                if size > most:
                    packed = file.groups[group].size
                    raise ValueError(
                        f"{packed:,} bytes have grown to {size:,}; the rest is not read"
                    )
                yield image
                done += 1
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error)
    for lost in range(done, rows):
        yield _lost(split, offset + lost, reason)


def _columns(names: list[str], column: str, split: Split) -> list[str]:
    """The image column and those known columns that cannot be mistaken."""
    known = {"image_id", "ImageID", *PATH_COLUMNS, *renamed(names)}
    if not split.source:
        known |= {"source", "ordinal", "error", "detail"}
    more = (name for name in names if name in known and names.count(name) == 1)
    return [column, *(name for name in more if name != column)]


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
    inner = data.get("path") if isinstance(data, dict) else None
    if isinstance(data, dict):
        paths.insert(0, inner)
        data = data.get("bytes")
    path = next((text for text in paths if isinstance(text, str)), None)
    source = f"{split.source}#{split.row + offset}"
    if not split.source:
        source = _cell(batch, number, "source")
    given = _cell(batch, number, "image_id") or _cell(batch, number, "ImageID")
    ordinal = None if split.source else _cell(batch, number, "ordinal")
    known = renamed(name for name in batch.schema.names if name != column)
    provenance = provenance_of({name: _cell(batch, number, name) for name in known})
    image_id, named = _image_id(given, source, path)
    return Image(
        image_id=image_id,
        source=source,
        ordinal=split.first + offset if ordinal is None else ordinal,
        data=data,
        shard=split.uri if split.source else OURS.format(split.first),
        row=split.row + offset,
        provenance=provenance,
        error=_error(batch, number, split, data, inner),
        named=named if split.source else is_named(image_id, source),
    )


def _image_id(given: object, source: str, path: str | None) -> tuple[str, bool]:
    """The id of a row, and whether it is the name of its file."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and safe_id(given):
        return (given.lower() if HEX_ID.fullmatch(given) else given), False
    image_id = image_id_of(source, path or "")
    return image_id, image_id != source_id(source)


def _error(
    batch: pa.RecordBatch, number: int, split: Split, data: bytes | None, path: object
) -> dict[str, Any] | None:
    code = None if split.source else _cell(batch, number, "error")
    if code:
        return {"error": code, "detail": _cell(batch, number, "detail") or ""}
    if data is None:
        return error_record("no_image", NO_BYTES if path else "the row's picture is null")
    if len(data) > MAX_BYTES:
        return error_record("too_many_bytes", f"{len(data)} bytes; at most {MAX_BYTES}")
    return None


def _lost(split: Split, offset: int, reason: str) -> Image:
    source = f"{split.source}#{split.row + offset}"
    if split.unreadable:
        source = split.source
    elif not split.source:
        source = f"{OURS.format(split.first)}#{split.row + offset}"
    return Image(
        image_id=image_id_of(source, ""),
        source=source,
        ordinal=split.first + offset,
        data=None,
        error=error_record("bad_shard", reason),
    )


def read_image(shard: str, row: int, wanted: str | None = None) -> bytes | None:
    """Return one picture's bytes, by its place in a Parquet file; None if it cannot be read."""
    return dict(read_images_at(shard, [row], wanted)).get(row)


def read_images_at(
    shard: str, rows: Collection[int], wanted: str | None = None
) -> Iterator[tuple[int, bytes | None]]:
    """Yield (row, its picture's bytes) for those rows of a Parquet file that can be read.

    Each row group is read once, up to the last of the rows. Memory: a batch.

    Args:
        wanted: the column; None takes the one that holds pictures.
    """
    try:
        with open_uri(shard) as handle:
            file = _File(handle)
            column, first = image_column(file.schema, wanted), 0
            for group, part in enumerate(file.groups):
                inside = sorted({row - first for row in rows if 0 <= row - first < part.rows})
                for row, data in _cells(file, group, column, inside):
                    yield first + row, data.get("bytes") if isinstance(data, dict) else data
                first += part.rows
    except (OSError, ValueError, pa.ArrowException):
        return


def _cells(file: _File, group: int, column: str, rows: list[int]) -> Iterator[tuple[int, Any]]:
    """Yield (row, value) for ascending rows of a row group that can be read."""
    if not rows:
        return
    first, left = 0, iter(rows)
    row = next(left)
    try:
        for batch in file.batches(group, [column]):
            while row < first + batch.num_rows:
                yield row, _cell(batch, row - first, column)
                row = next(left)
            first += batch.num_rows
    except (StopIteration, OSError, ValueError, pa.ArrowException):
        return
