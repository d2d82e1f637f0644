"""A selection as a file: ids, CSV or Parquet, piece by piece."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.browse.filter_values import FilterError
from mapsight.browse.items import TABLE_COLUMNS
from mapsight.browse.selection import Selection
from mapsight.text import csv_safe

__all__ = ["FORMATS", "export"]

FORMATS = ("ids", "csv", "parquet")
LIST_MARK = "; "
"""Between the labels of a list in a cell of CSV."""


def export(selection: Selection, form: str) -> Iterator[bytes]:
    """Yield the pieces of a file with what is known of each picture of a selection, in order.

    `ids` are one a line; `csv` and `parquet` have TABLE_COLUMNS. Memory: 16,384 pictures.

    Raises:
        FilterError: there is no such format.
    """
    if form not in FORMATS:
        raise FilterError("format", form, f"one of {', '.join(FORMATS)}")
    return {"ids": _ids, "csv": _csv, "parquet": _parquet}[form](selection)


def _ids(selection: Selection) -> Iterator[bytes]:
    for ids in selection.ids():
        yield "".join(f"{image_id}\n" for image_id in ids).encode()


def _csv(selection: Selection) -> Iterator[bytes]:
    """Yield CSV as `results/` has it: UTF-8, LF, cells safe for spreadsheets."""
    yield _lines([TABLE_COLUMNS])
    for batch in selection.batches():
        columns = [_cells(column) for column in batch.columns]
        if batch.num_rows:
            yield _lines(zip(*columns, strict=True))


def _lines(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _cells(column: pa.Array) -> list[Any]:
    """Return the cells of a column as they are written; numbers need no look each."""
    values = column.to_pylist()
    if pa.types.is_list(column.type):
        return [one and csv_safe(LIST_MARK.join(one)) for one in values]
    if pa.types.is_boolean(column.type):
        return [str(one).lower() for one in values]
    if pa.types.is_string(column.type):
        safe = {one: csv_safe(one) for one in set(values) if one}
        return [safe.get(one) for one in values]
    return values


class _Sink(io.RawIOBase):
    """What a writer has written since it was last taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _parquet(selection: Selection) -> Iterator[bytes]:
    """Yield a Parquet file, a row group at a time."""
    sink = _Sink()
    batches = selection.batches()
    first = next(batches)
    with pq.ParquetWriter(sink, first.schema, compression="zstd") as writer:
        for batch in itertools.chain([first], batches):
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()
