"""The files of a workspace's search index, as the driver reads them."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driver.index_stage import BLOCKS, CELLS
from driver.vector_stages import CENTRES
from driver.workspace import Workspace, is_current
from mapsight.index_build import bucket_of
from mapsight.index_rows import Block, order_of, read_block, whole_vectors
from mapsight.nearest import Centres
from mapsight.probe_plan import Cells, blocks_of, in_order

__all__ = ["SearchIndex", "has_index"]


def has_index(workspace: Workspace) -> bool:
    """Whether a workspace has an index of the pictures that it has now."""
    document = workspace.committed("index")
    return bool(document and document["parts"]) and is_current(workspace, document or {})


class SearchIndex:
    """Centres, tables of blocks and cells, and rows by id.

    Memory: the centres, and some hundred bytes a block.

    Raises:
        Failure: a part is missing.
    """

    def __init__(self, workspace: Workspace) -> None:
        workspace.parts("index")
        document = workspace.committed("index")
        assert document is not None
        self._workspace, self._document = workspace, document
        self.folder = workspace.uri("index", document["folder"])
        self.facts: dict[str, Any] = document["notes"]
        self.digest = document["digest"]
        self.centres = Centres(np.load(io.BytesIO(self._read(CENTRES)), allow_pickle=False))
        self.blocks = pq.read_table(pa.BufferReader(self._read(BLOCKS)))
        table = pq.read_table(pa.BufferReader(self._read(CELLS)))
        self.cells = Cells(len(self.centres), table)

    @property
    def rows(self) -> int:
        """How many pictures it has."""
        return int(self.facts["rows"])

    def _path(self, name: str) -> str:
        return self._workspace.path("index", self._document["folder"], name)

    def _read(self, name: str) -> bytes:
        return self._workspace.fs.cat_file(self._path(name))

    def _ids(self, bucket: int) -> pa.Table:
        return pa.ipc.open_stream(self._read(self.facts["ids"][bucket])).read_all()

    def features(self) -> dict[str, int]:
        """How many numbers of vectors count by each name of features, the default first."""
        d, plain_d = int(self.facts["d"]), int(self.facts["plain_d"])
        return {"new": d, "plain": plain_d} if d > plain_d else {"plain": d}

    def in_order(self, vectors: np.ndarray, d: int) -> Iterator[np.ndarray]:
        """For each of (n, D) vectors all cells, the nearest by the first d numbers first.

        Cells are made by all numbers; that the plain ones rank them better for a search by
        these was measured (docs/search.md).
        """
        centres = self.centres if d == self.facts["d"] else Centres(self.centres.centres[:, :d])
        return in_order(centres, vectors[:, :d])

    def first_ids(self, n: int) -> list[str]:
        """Ids among which are those of the n pictures of the lowest `order`."""
        found: list[str] = []
        for bucket in range(self.facts["buckets"]):
            found += self._ids(bucket).column("image_id").to_pylist()
            if len(found) >= n:
                break
        return found

    def cells_of(self, image_ids: Collection[str]) -> dict[str, int]:
        """The cell of each of these pictures that the index has. Memory: one file of ids."""
        buckets: dict[int, list[str]] = {}
        for image_id in sorted(set(image_ids)):
            bucket = bucket_of(order_of(image_id), self.facts["buckets"])
            buckets.setdefault(bucket, []).append(image_id)
        found: dict[str, int] = {}
        for bucket, some in buckets.items():
            table = self._ids(bucket)
            known = pa.compute.is_in(table.column("image_id"), pa.array(some))
            found |= {row["image_id"]: row["cell"] for row in table.filter(known).to_pylist()}
        return found

    def rows_of(self, image_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The rows of these pictures, with `cell`; `vector` (d,) int16. Memory: a block."""
        cells = self.cells_of(image_ids)
        found: dict[str, dict[str, Any]] = {}
        for cell, batch in self.batches(blocks_of(self.blocks, cells.values())):
            known = pa.compute.is_in(batch.column("image_id"), pa.array(cells))
            places = np.flatnonzero(known.to_numpy(zero_copy_only=False))
            some = batch.take(pa.array(places))
            rows = some.drop_columns(["vector"]).to_pylist()
            for row, vector in zip(rows, whole_vectors(some), strict=True):
                found[row["image_id"]] = {**row, "vector": vector, "cell": cell}
        return found

    def batches(self, blocks: Iterable[Block]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(cell, rows) of some blocks. Memory: a block."""
        for name, some in groupby(blocks, key=lambda block: block.file):
            with self._workspace.fs.open(self._path(name), "rb") as file:
                for block in some:
                    yield block.cell, read_block(file, block)
