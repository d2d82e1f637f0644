"""Building the search index: rows by cell in files, and what is known of each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.nearest import Centres
from mapsight.index.oddness import ODD_BIT, Kinds
from mapsight.index.rows import (
    BLOCK_ROWS,
    INT8,
    FileWriter,
    batch_of,
    orders,
    read_batches,
    row_schema,
    to_int8,
    vectors_of,
)
from mapsight.records import decode_vector, encode_vector

__all__ = ["NEAREST", "CellsWriter", "bucket_of", "plan_files", "rows_by_file", "write_ids"]

FILE_BYTES = 64 << 20
NEAREST = 5
"""How many of the pictures nearest its centre are told of a cell."""
TOLD = ("label", "source", "shard", "row")
IDS = pa.schema([("image_id", pa.string()), ("cell", pa.int32()), ("odd", pa.bool_())])


def plan_files(counts: Sequence[int], rows: int, row_bytes: int) -> list[int]:
    """The number of the file of each cell: cells one after the other, about FILE_BYTES a file.

    Args:
        counts: pictures of each cell among those that k-means learned from.
        rows: pictures in all.
        row_bytes: about how many bytes a picture takes.
    """
    scale = rows * row_bytes / max(sum(counts), 1)
    ends = np.cumsum(np.asarray(counts) * scale)
    numbers = np.concatenate([[0], ends[:-1] // FILE_BYTES]).astype(int)
    return np.unique(numbers, return_inverse=True)[1].tolist()


def bucket_of(order: int, buckets: int) -> int:
    """In which of the files of ids a picture of this order is."""
    return order * buckets >> 64


def rows_by_file(
    uri: str,
    centres: Centres,
    files: Sequence[int],
    buckets: int,
    kinds: Kinds | None = None,
) -> Iterator[tuple[str, list[Any]]]:
    """The rows of a file, each with its cell, under the file that it goes to.

    Yields:
        ("cells" file, [cell, image_id, fields, vector, squared distance from the centre]) and
        ("ids" bucket, [image_id, cell, whether it is odd for its label]). Cells are text of six
        digits, so that they sort.

    Memory: a batch.
    """
    for batch in read_batches(uri):
        x = vectors_of(batch)
        places = zip(*(found.tolist() for found in centres.nearest(x)), strict=True)
        odd = (kinds or Kinds({})).odd(batch.column("label").to_pylist(), x).tolist()
        rows = batch.drop_columns(["vector", "order"]).to_pylist()
        each = zip(rows, x, places, orders(batch), odd, strict=True)
        for row, vector, (cell, gap), order, is_odd in each:
            image_id = row.pop("image_id")
            row["flags"] = (row["flags"] or 0) | (ODD_BIT if is_odd else 0)
            known = {name: value for name, value in row.items() if value is not None}
            value = [f"{cell:06d}", image_id, known, encode_vector(vector), gap]
            yield f"cells {files[cell]:06d}", value
            yield f"ids {bucket_of(int(order), buckets):06d}", [image_id, cell, is_odd]


class CellsWriter:
    """Writes the rows of some cells, which come cell by cell, to one file.

    Memory: a block of rows.

    Args:
        folder: folder or URI of the index.
        number: of the file.
        d: length of a vector.
        plain_d: length of the embedding alone.
        dtype: of stored vectors, int16 or int8.
        means: tell the mean of each cell too, in whole numbers: of cells of projected rows.
    """

    def __init__(
        self, folder: str, number: int, d: int, plain_d: int, dtype: str, *, means: bool = False
    ) -> None:
        self._file = FileWriter(folder, f"cells-{number:06d}")
        self._dtype, self._schema = dtype, row_schema(d, plain_d, dtype)
        self._d, self._means = d, means

    def write(self, rows: Iterable[list[Any]]) -> Iterator[tuple[str, Any]]:
        """Write all rows as `rows_by_file` yields them, in the order of cells.

        Yields:
            ("block", fields of a Block) for each block, and after those of a cell ("cell",
            its number, rows, inertia, labels with styles and how many, and the pictures nearest
            its centre).
        """
        cell = _Cell(-1, self._d)
        for number, image_id, fields, text, gap in rows:
            if int(number) != cell.number:
                yield from self._end(cell)
                cell = _Cell(int(number), self._d)
            cell.add(image_id, fields, decode_vector(text), gap)
            if len(cell.ids) == BLOCK_ROWS:
                yield self._block(cell)
        yield from self._end(cell)
        self._file.close()

    def _block(self, cell: _Cell) -> tuple[str, Any]:
        x = np.stack(cell.vectors)
        if self._means:
            cell.total += x.sum(axis=0, dtype=np.int64)
        fields = cell.fields
        if self._dtype == INT8:
            x, scales = to_int8(x)
            fields = [{**f, "scale": s} for f, s in zip(fields, scales.tolist(), strict=True)]
        block = self._file.add(batch_of(cell.ids, x, fields, self._schema), cell.number)
        cell.forget()
        return "block", list(astuple(block))[:-1]  # where they will be a part of is not known yet

    def _end(self, cell: _Cell) -> Iterator[tuple[str, Any]]:
        if cell.ids:
            yield self._block(cell)
        if cell.number >= 0:
            mean = {"mean": encode_vector(cell.mean())} if self._means else {}
            yield "cell", cell.facts() | mean


class _Cell:
    """The rows of a cell that are not written yet, and what is known of all."""

    def __init__(self, number: int, d: int) -> None:
        self.number, self.rows, self.inertia = number, 0, 0
        self.total = np.zeros(d, np.int64)
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.nearest: list[tuple[int, str, dict[str, Any]]] = []
        self.forget()

    def forget(self) -> None:
        self.ids: list[str] = []
        self.fields: list[Mapping[str, Any]] = []
        self.vectors: list[np.ndarray] = []

    def add(self, image_id: str, fields: Mapping[str, Any], vector: np.ndarray, gap: int) -> None:
        """Add a row, and remember it if it is one of those nearest the centre."""
        self.ids.append(image_id)
        self.fields.append(fields)
        self.vectors.append(vector)
        self.kinds[fields.get("label", ""), fields.get("style", "")] += 1
        self.rows += 1
        self.inertia += gap
        if len(self.nearest) < NEAREST or (gap, image_id) < self.nearest[-1][:2]:
            rows = [*self.nearest, (gap, image_id, _told(fields))]
            self.nearest = sorted(rows, key=lambda row: row[:2])[:NEAREST]

    def mean(self) -> np.ndarray:
        """Return the mean of all rows, halves up: (d,) int16."""
        return ((2 * self.total + self.rows) // (2 * self.rows)).astype(np.int16)

    def facts(self) -> dict[str, Any]:
        kinds = [[label, style, n] for (label, style), n in sorted(self.kinds.items())]
        return {
            "cell": self.number,
            "rows": self.rows,
            "inertia": self.inertia,
            "kinds": kinds,
            "nearest": [{"image_id": name, **told} for _, name, told in self.nearest],
        }


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in TOLD if name in fields}


def write_ids(folder: str, bucket: int, rows: Iterable[tuple[str, int, bool]]) -> dict[str, Any]:
    """Write the (image_id, cell, odd) of a bucket, sorted by id, to a new file; what it is called.

    Memory: the file, some 40 bytes a picture.
    """
    table = pa.Table.from_pylist(
        [dict(zip(IDS.names, row, strict=True)) for row in sorted(rows)], IDS
    )
    file = FileWriter(folder, f"ids-{bucket:06d}")
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], IDS)]
    block = file.add(batch)
    file.close()
    return {"bucket": bucket, "file": file.name, "rows": table.num_rows, "sha256": block.sha256} | {
        "odd": sum(table.column("odd").to_pylist())
    }
