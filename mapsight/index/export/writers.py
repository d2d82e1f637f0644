"""Features for other programs: vectors of unit length in float32, with what is known of each.

Rows are numbered from 0, cell by cell. Every writer takes blocks in that order, holds one of them
(Parquet: ROW_GROUP rows) and writes files that a full disk leaves as an error, not a crash.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.cosines import squares
from mapsight.index.export.facts import FACTS, Facts
from mapsight.index.export.plane import PLACES, Plane
from mapsight.index.export.row_files import ROW_GROUP, RowFile, columns_of, row_schema
from mapsight.index.rows import vectors_of, whole_vectors

__all__ = ["FaissWriter", "NpyWriter", "ParquetWriter", "unit_rows", "unit_vectors"]

FILE_ROWS = 16 * ROW_GROUP
"""Of a Parquet file: 256 MiB of vectors of 1,024 numbers."""
ROWS, VECTORS = "rows.parquet", "vectors.npy"
INDEX, LISTS = "index.faiss", "lists.ivfdata"

Files = dict[str, dict[str, Any]]
"""What each file is: `holds`, and where it is an array `shape` and `dtype`."""


def unit_vectors(batch: pa.RecordBatch, d: int) -> np.ndarray:
    """The first d numbers of each row, of unit length; zero vectors stay: (n, d) float32."""
    return unit_rows(vectors_of(batch)[:, :d])


def unit_rows(x: np.ndarray) -> np.ndarray:
    """Return rows of whole numbers with unit length in float32; zero vectors stay."""
    lengths = np.sqrt(squares(x))[:, None]
    return np.divide(x, lengths, out=np.zeros(x.shape), where=lengths > 0).astype(np.float32)


class NpyWriter:
    """Vectors as one array of numpy's, and a Parquet file of the rows in the same order.

    Args:
        folder: empty.
        d: how many numbers of a vector count.
    """

    def __init__(self, folder: Path, d: int) -> None:
        self._file = (folder / VECTORS).open("wb")
        self._rows = RowFile(folder / ROWS, row_schema())
        self._d, self._n = d, 0
        self._head()

    def _head(self) -> None:
        """Numpy leaves room in it for any number of rows, so that it can be written again."""
        shape = (self._n, self._d)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, cell: int, batch: pa.RecordBatch) -> None:
        """The next block."""
        self._file.write(unit_vectors(batch, self._d).data)
        self._rows.add(columns_of(batch, cell, self._n))
        self._n += batch.num_rows

    def close(self) -> Files:
        """Finish the files; what they are."""
        self._head()
        self._file.close()
        self._rows.close()
        return {
            VECTORS: {
                "holds": "vectors of unit length", "shape": [self._n, self._d], "dtype": "float32",
            },
            ROWS: {"holds": "what is known of each row, in the same order"},
        }  # fmt: skip


class ParquetWriter:
    """Rows with their places in a plane, facts and vectors, FILE_ROWS in a file.

    Args:
        folder: empty.
        d: how many numbers of a vector count.
        plane: gives two dimensions.
        facts: knows what results say of pictures.
    """

    def __init__(self, folder: Path, d: int, plane: Plane, facts: Facts) -> None:
        self._folder, self._d = folder, d
        self._schema = row_schema(d, (*PLACES, *FACTS))
        self._plane, self._facts = plane, facts
        self._file: RowFile | None = None
        self._files: Files = {}
        self._n = 0

    def add(self, cell: int, batch: pa.RecordBatch) -> None:
        """The next block, which goes to one file."""
        if self._n >= FILE_ROWS * len(self._files):
            self._next()
        assert self._file
        flat = pa.array(unit_vectors(batch, self._d).reshape(-1))
        kind = self._schema.field("vector").type
        vectors = pa.FixedSizeListArray.from_arrays(flat, type=kind)
        more = [*self._plane.columns(batch), *self._facts.columns(batch)]
        self._file.add([*columns_of(batch, cell, self._n), *more, vectors])
        self._n += batch.num_rows

    def _next(self) -> None:
        if self._file:
            self._file.close()
        name = f"part-{len(self._files):05d}.parquet"
        self._file = RowFile(self._folder / name, self._schema)
        holds = "rows with two dimensions, facts, and vectors of unit length (float32)"
        self._files[name] = {"holds": holds, "first_row": self._n}

    def close(self) -> Files:
        """Finish the files; what they are."""
        if self._file:
            self._file.close()
        return self._files


class FaissWriter:
    """An IndexIVFFlat (inner product) with the index's own centres and cells; nothing is trained.

    Its lists are a file that faiss maps, so that they need not fit into memory. Numbers of rows
    are faiss's ids.

    Args:
        folder: empty.
        centres: (k, d) int16.
        where: the folder's name when it is done.
        probe: cells that a search reads unless it says more.
    """

    def __init__(self, folder: Path, centres: np.ndarray, where: Path, probe: int) -> None:
        self._folder, self._centres, self._where, self._probe = folder, centres, where, probe
        self._d = centres.shape[1]
        self._file = (folder / LISTS).open("wb")
        self._rows = RowFile(folder / ROWS, row_schema())
        self._lists: dict[int, tuple[int, int, int]] = {}
        self._cell, self._start, self._first, self._n = -1, 0, 0, 0
        self._lengths, self._long = 0.0, 0

    def add(self, cell: int, batch: pa.RecordBatch) -> None:
        """The next block."""
        if cell != self._cell:
            self._end()
            self._cell, self._start, self._first = cell, self._file.tell(), self._n
        # int8 vectors are about as long as what they are made of times the row's scale
        lengths = squares(whole_vectors(batch)[:, : self._d])
        self._lengths += float(lengths.sum())
        self._long += int((lengths > 0).sum())
        self._file.write(unit_vectors(batch, self._d).data)
        self._rows.add(columns_of(batch, cell, self._n))
        self._n += batch.num_rows

    def _end(self) -> None:
        """The ids of a list follow its vectors, at a multiple of 8 bytes."""
        size = self._n - self._first
        if size:
            room = size + size % 2
            self._file.write(bytes((room - size) * self._d * 4))
            ids = np.full(room, -1, np.int64)
            ids[:size] = np.arange(self._first, self._n)
            self._file.write(ids.data)
            self._lists[self._cell] = (size, room, self._start)

    def close(self) -> Files:
        """Finish the files; what they are."""
        import faiss

        self._end()
        total = self._file.tell()
        self._file.close()
        self._rows.close()
        k = len(self._centres)
        # rows were put into cells by vectors of this length, not of 1
        length = np.sqrt(self._lengths / max(self._long, 1)) or 1.0
        near = faiss.IndexFlatL2(self._d)
        near.add((self._centres / length).astype(np.float32))
        index = faiss.IndexIVFFlat(near, self._d, k, faiss.METRIC_INNER_PRODUCT)
        lists = faiss.OnDiskInvertedLists(k, self._d * 4, str(self._where / LISTS))
        lists.lists.clear()
        for cell in range(k):
            one = faiss.OnDiskOneList()
            one.size, one.capacity, one.offset = self._lists.get(cell, (0, 0, 0))
            lists.lists.push_back(one)
        lists.totsize = total
        index.replace_invlists(lists, False)
        index.ntotal, index.nprobe, index.is_trained = self._n, self._probe, True
        faiss.write_index(index, str(self._folder / INDEX))
        return {
            INDEX: {"holds": f"IndexIVFFlat, {k} cells, inner product, nprobe {self._probe}"},
            LISTS: {
                "holds": "its lists: vectors of unit length and numbers of rows, which faiss maps",
                "shape": [self._n, self._d], "dtype": "float32",
            },
            ROWS: {"holds": "what is known of each row, in the order of faiss's ids"},
        }  # fmt: skip
