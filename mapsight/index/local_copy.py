"""A copy of an index on this machine that is mapped into memory, not read.

Blocks follow one another by cell in one Arrow file, each a batch, with the squared lengths
of their vectors beside them; files of ids are as the index has them. Both are held to their
checksums at first touch (`mapped.py`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.index.build import bucket_of
from mapsight.index.cosines import squares, squares_name
from mapsight.index.mapped import (
    MappedBatches,
    MappedFile,
    MappedFolder,
    Repair,
    write_batches,
)
from mapsight.index.removed_ids import IdList
from mapsight.index.rows import Block, batch_in, order_of, orders, vectors_of, whole_vectors

__all__ = ["IDS", "ROWS", "IndexCopy", "write_rows"]


ROWS, IDS = "rows.arrow", "ids-{:06d}.arrow"
KNOWN_BATCHES = 1024
"""Batches whose places in the file are remembered; about 10 kB each."""
KNOWN_SHOWN = 32
"""Of those with hidden rows what is left is a copy, of up to 5 MB: so many are kept."""


def write_rows(path: Path, batches: Iterable[pa.RecordBatch], lengths: Collection[int]) -> int:
    """Write the blocks of an index, one after the other; how many. Memory: a block.

    Args:
        lengths: of how many first numbers of a vector the squared length is to be there.
    """
    return write_batches(path, (_with_squares(batch, lengths) for batch in batches))


def _with_squares(batch: pa.RecordBatch, lengths: Collection[int]) -> pa.RecordBatch:
    x = vectors_of(batch)
    for d in sorted(lengths):
        batch = batch.append_column(squares_name(d), pa.array(squares(x[:, :d])))
    return batch


class IndexCopy(MappedFolder):
    """The rows of a part of an index by cell and by id, mapped, hidden ones left out.

    Everything is mapped at once, so that it can be read when the folder is removed. Memory: the
    places of some batches, and what is left of KNOWN_SHOWN of those with hidden rows.

    Args:
        folder: with ROWS and files of ids.
        blocks: of ROWS, with columns cell and offset, in this order.
        buckets: how many files of ids there are.
        part: its number.
        removed: which pictures are hidden.
        repair: makes the folder anew when it is damaged, and has it mapped; None raises the error.

    Raises:
        ValueError: the file has not as many batches; names it.
        DamagedError: it is damaged, here or when it is touched, and cannot be made anew.
    """

    def __init__(
        self,
        folder: Path,
        blocks: pa.Table,
        buckets: int,
        part: int,
        removed: IdList,
        repair: Repair | None = None,
    ) -> None:
        self.folder, self._part, self._removed = folder, part, removed
        self._buckets = buckets
        names = ("cell", "offset")
        self._cells, self._offsets = (blocks.column(name).to_numpy() for name in names)
        super().__init__(folder, repair)
        self._ids_of = lru_cache(KNOWN_BATCHES)(self._bucket)
        self._whole = lru_cache(KNOWN_BATCHES)(self._touched)
        self._mask = lru_cache(KNOWN_BATCHES)(self._which)
        self._left = lru_cache(KNOWN_SHOWN)(self._filtered)

    def _map(self, folder: Path) -> None:
        self._file = MappedBatches(folder / ROWS)
        found, expected = self._file.num_record_batches, len(self._cells)
        if found != expected:
            raise ValueError(f"{folder / ROWS}: has {found:,} blocks, not {expected:,}")
        paths = (folder / IDS.format(bucket) for bucket in range(self._buckets))
        self._ids = [MappedFile(path) for path in paths]

    def _touched(self, number: int) -> pa.RecordBatch:
        return self._whole_or_anew(lambda: self._file.get_batch(number))

    def _bucket(self, bucket: int) -> pa.RecordBatch:
        """The (image_id, cell) of a file of ids."""
        return batch_in(self._whole_or_anew(lambda: self._ids[bucket].whole()))

    def _which(self, number: int) -> pa.Array | None:
        """Which rows of a batch are shown; None for all."""
        batch = self._whole(number)
        hidden = self._removed.mask(batch.column("image_id"), self._part, orders(batch))
        return pa.array(~hidden) if hidden.any() else None

    def _filtered(self, number: int) -> pa.RecordBatch:
        return self._whole(number).filter(self._mask(number))

    def _batch(self, number: int) -> pa.RecordBatch:
        """The rows of a batch that are shown."""
        all_shown = self._mask(number) is None
        return self._whole(number) if all_shown else self._left(number)

    def _numbers(self, cell: int) -> range:
        return range(*np.searchsorted(self._cells, (cell, cell + 1)).tolist())

    def batches(self, cell: int) -> Iterator[pa.RecordBatch]:
        """The rows of a cell."""
        return (batch for batch in map(self._batch, self._numbers(cell)) if batch.num_rows)

    def batch(self, block: Block) -> pa.RecordBatch:
        """The rows of a block."""
        numbers = self._numbers(block.cell)
        offsets = self._offsets[numbers.start : numbers.stop]
        return self._batch(numbers.start + int(np.searchsorted(offsets, block.offset)))

    def cell_of(self, image_id: str) -> int | None:
        """The cell of a picture; None where there is no such picture, or it is hidden."""
        batch = self._ids_of(bucket_of(order_of(image_id), self._buckets))
        ids, cells = batch.column("image_id"), batch.column("cell")
        place = bisect_left(range(len(ids)), image_id, key=lambda i: ids[i].as_py())
        if place == len(ids) or ids[place].as_py() != image_id:
            return None
        return None if self._removed.hides(image_id, self._part) else cells[place].as_py()

    def row_of(self, image_id: str) -> dict[str, Any] | None:
        """The fields of a picture, with `cell` and `part`; `vector` (d,) int16."""
        cell = self.cell_of(image_id)
        for batch in () if cell is None else self.batches(cell):
            place = pc.index(batch.column("image_id"), image_id).as_py()
            if place >= 0:
                one = batch.slice(place, 1)
                known = [name for name in one.schema.names if not name.startswith("squares_")]
                row = one.select([name for name in known if name != "vector"]).to_pylist()[0]
                at = {"vector": whole_vectors(one)[0], "cell": cell, "part": self._part}
                return {**row, **at}
        return None
