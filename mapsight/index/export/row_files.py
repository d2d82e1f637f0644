"""Rows of pictures as Parquet: their columns, and files that are written group by group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.index.rows import FIELDS

__all__ = ["ROW_GROUP", "RowFile", "columns_of", "row_schema"]

ROW_GROUP = 4096
REPEATED = (
    "format",
    "mid",
    "label",
    "style",
    "source",
    "shard",
    "top_label",
    "license",
    "author",
    "subset",
)


def row_schema(d: int | None = None, more: Sequence[tuple[str, pa.DataType]] = ()) -> pa.Schema:
    """The schema of exported rows, with more columns, and vectors of d dimensions if any."""
    names = [("row", pa.int64()), ("image_id", pa.string()), ("cell", pa.int32())]
    names += [(f"shard_{n}" if n == "row" else n, kind) for n, kind in FIELDS]
    vector = [] if d is None else [("vector", pa.list_(pa.float32(), d))]
    return pa.schema([*names, *more, *vector])


def columns_of(batch: pa.RecordBatch, cell: int, first: int) -> list[pa.Array]:
    """Return number, id, cell and fields of the rows of a block, the first numbered `first`."""
    n = batch.num_rows
    numbers = pa.array(np.arange(first, first + n))
    there = set(batch.schema.names)  # of an older index not all
    known = [batch.column(name) if name in there else pa.nulls(n, kind) for name, kind in FIELDS]
    return [numbers, batch.column("image_id"), pa.array(np.full(n, cell, np.int32)), *known]


class RowFile:
    """Appends rows to a Parquet file. Memory: ROW_GROUP rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        plain = {
            f"{field.name}.list.element" if pa.types.is_nested(field.type) else field.name: (
                "none" if field.name == "vector" else "zstd"
            )
            for field in schema
        }
        self._writer = pq.ParquetWriter(
            path, schema, compression=plain, use_dictionary=list(REPEATED)
        )
        self._schema, self._some = schema, list[pa.RecordBatch]()

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Append some rows."""
        self._some.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        if sum(batch.num_rows for batch in self._some) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._some:
            self._writer.write_table(pa.Table.from_batches(self._some))
        self._some = []

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()
