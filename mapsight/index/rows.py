"""Rows of the search index: a picture's vector and what answers and filters need of it.

Rows are written as Arrow IPC streams. A block is a stream of its own at a place in a
file, so that a reader fetches nothing else. `docs/records.md` explains the fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.storage.new_file import new_file
from mapsight.storage.uri import open_uri

__all__ = [
    "BLOCK_ROWS",
    "ENDING",
    "FIELDS",
    "INT8",
    "INT16",
    "Block",
    "FileWriter",
    "batch_in",
    "batch_of",
    "order_of",
    "orders",
    "read_batches",
    "row_schema",
    "to_int8",
    "vectors_below",
    "vectors_of",
    "whole_vectors",
]

BLOCK_ROWS = 2048
"""Most rows of a block: 4 MiB of vectors of 1,024 dimensions."""
INT16, INT8 = "int16", "int8"
ENDING = ".arrow"
"""Of the names of files of rows."""
UINT64 = (1 << 64) - 1

FIELDS = (
    *((name, pa.string()) for name in ("label", "style")),
    *((name, pa.float64()) for name in ("label_score", "ppi")),
    *((name, pa.int32()) for name in ("width", "height")),
    *((name, pa.string()) for name in ("source", "shard")),
    ("row", pa.int64()),
    *((name, pa.string()) for name in ("top_label", "license", "author", "title", "subset")),
    *((name, pa.string()) for name in ("sha256", "dhash")),
    ("flags", pa.int32()),
)
"""What a row holds beside `image_id`, `order` and the vector; null where not known. `flags` has a
bit for each flag, in the order of mapsight/labels/flags.py."""


def row_schema(d: int, plain_d: int, dtype: str = INT16) -> pa.Schema:
    """The schema of rows with vectors of d dimensions, the first plain_d the embedding's.

    With `dtype` int8, a vector is about its int8 numbers times the row's `scale`.
    """
    kind = pa.int8() if dtype == INT8 else pa.int16()
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("order", pa.uint64(), nullable=False),
            pa.field("vector", pa.list_(kind, d), nullable=False),
            *([pa.field("scale", pa.float64(), nullable=False)] if dtype == INT8 else []),
            *(pa.field(name, kind) for name, kind in FIELDS),
        ],
        metadata={"plain_d": str(plain_d)},
    )


def order_of(image_id: str) -> int:
    """The place of a picture in a sample by hash: 64 bits of the SHA-256 of its id."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big")


def batch_of(
    image_ids: Sequence[str],
    vectors: np.ndarray,
    fields: Sequence[Mapping[str, Any]],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Rows as a record batch.

    Args:
        vectors: (n, d) int16, or int8 for a schema of int8.
        fields: of each row, by the names of FIELDS (others are left out), and `scale`.
    """
    columns = [pa.array(image_ids, pa.string()), pa.array(map(order_of, image_ids), pa.uint64())]
    kind = schema.field("vector").type
    flat = np.ascontiguousarray(vectors).reshape(-1)
    columns.append(pa.FixedSizeListArray.from_arrays(pa.array(flat, kind.value_type), type=kind))
    columns += [
        pa.array([row.get(field.name) for row in fields], field.type)
        for field in list(schema)[len(columns) :]
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def vectors_of(batch: pa.RecordBatch) -> np.ndarray:
    """The vectors of a batch without a copy: (n, d) int16 or int8."""
    column = batch.column("vector")
    # the batches of a file that is mapped are no slices: their values are had sooner
    flat = (
        column.flatten() if column.offset else column.values[: len(column) * column.type.list_size]
    )
    return flat.to_numpy().reshape(len(column), column.type.list_size)


def whole_vectors(batch: pa.RecordBatch) -> np.ndarray:
    """The vectors of a batch in int16: (n, d); of int8 the numbers times their scale, rounded."""
    x = vectors_of(batch)
    if x.dtype.name != INT8:
        return x
    return np.rint(x * batch.column("scale").to_numpy()[:, None]).astype(np.int16)


def orders(batch: pa.RecordBatch) -> np.ndarray:
    """The `order` of each row: (n,) uint64."""
    return batch.column("order").to_numpy()


def to_int8(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors in int8 (n, d) and their scales (n,) float64; zero vectors have scale 0."""
    scales = np.abs(vectors.astype(np.int32)).max(axis=1) / 127.0
    scaled = np.divide(
        vectors, scales[:, None], where=scales[:, None] > 0, out=np.zeros(vectors.shape)
    )
    return np.rint(scaled).astype(np.int8), scales


@dataclass(frozen=True)
class Block:
    """Where some rows of a cell are: a stream of `bytes` bytes at an offset of a file.

    `part` is the number of the part of the index: 0 for what the pipeline has built.
    """

    cell: int
    file: str
    offset: int
    bytes: int
    rows: int
    sha256: str
    part: int = 0


class FileWriter:
    """Writes blocks, one after the other, to a new file.

    Its name is new for every attempt: what another one left is never overwritten.

    Args:
        folder: folder or URI, made if need be.
        prefix: how the file's name begins.
    """

    def __init__(self, folder: str, prefix: str) -> None:
        self.name, self._file = new_file(folder, prefix, ENDING)
        self.size = 0

    def add(self, batch: pa.RecordBatch, cell: int = 0) -> Block:
        """Write one block; where it is. Memory: the block, twice."""
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, batch.schema) as writer:
            writer.write_batch(batch)
        data = stream.getvalue()
        self._file.write(memoryview(data))
        digest = hashlib.sha256(data).hexdigest()
        block = Block(cell, self.name, self.size, data.size, batch.num_rows, digest)
        self.size += data.size
        return block

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def read_batches(uri: str) -> Iterator[pa.RecordBatch]:
    """The batches of a file of rows, which is one stream. Memory: one batch.

    Raises:
        ValueError: the file is cut off, or is none; names it.
    """
    with open_uri(uri) as file:
        try:
            yield from pa.ipc.open_stream(file)
        except (pa.ArrowInvalid, EOFError, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise
            raise ValueError(f"{uri}: not a whole file of rows ({error})") from None


def batch_in(data: Any) -> pa.RecordBatch:
    """The rows of a block in a buffer; they point into it."""
    (batch,) = pa.ipc.open_stream(pa.py_buffer(data))
    return batch


def vectors_below(uri: str, below: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(orders (n,) uint64, vectors (n, d)) of the rows of a file whose order is below a number.

    Memory: one batch.
    """
    for batch in read_batches(uri):
        found = orders(batch)
        if below > UINT64:
            yield found, vectors_of(batch)
            continue
        chosen = found < np.uint64(below)
        if chosen.any():
            yield found[chosen], vectors_of(batch)[chosen]
