"""The files of a workspace's search index, as the driver reads them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driver.errors import Failure
from driver.index_stage import BLOCKS, CELLS
from driver.vector_stages import CENTRES
from driver.workspace import Workspace, is_current
from mapsight.index_build import bucket_of
from mapsight.index_copy import whole_vectors
from mapsight.index_rows import Block, order_of, read_block
from mapsight.nearest import Centres, Nearest
from mapsight.probe_plan import Cells, blocks_of, in_order, rankings

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
        self.workspace, self._document = workspace, document
        self.folder = workspace.uri("index", document["folder"])
        self.facts: dict[str, Any] = document["notes"]
        self.digest = document["digest"]
        self.centres = Centres(np.load(io.BytesIO(self._read(CENTRES)), allow_pickle=False))
        self.blocks = pq.read_table(pa.BufferReader(self._read(BLOCKS)))
        table = pq.read_table(pa.BufferReader(self._read(CELLS)))
        self.cells = Cells(len(self.centres), table)
        self._plain_centres: Centres | None = None

    @property
    def rows(self) -> int:
        """How many pictures it has."""
        return int(self.facts["rows"])

    def _path(self, name: str) -> str:
        return self.workspace.path("index", self._document["folder"], name)

    def _read(self, name: str) -> bytes:
        return self.workspace.fs.cat_file(self._path(name))

    def _ids(self, bucket: int) -> pa.Table:
        return pa.ipc.open_stream(self._read(self.facts["ids"][bucket])).read_all()

    def features(self) -> dict[str, int]:
        """How many numbers of vectors count by each name of features, the default first."""
        d, plain_d = int(self.facts["d"]), int(self.facts["plain_d"])
        return {"new": d, "plain": plain_d} if d > plain_d else {"plain": d}

    def _centres(self, d: int) -> Centres:
        """Centres by their first d numbers.

        Cells are made by all numbers; that the plain ones rank them better for a search by
        these was measured (docs/search.md).
        """
        if d == self.facts["d"]:
            return self.centres
        if self._plain_centres is None:
            self._plain_centres = Centres(self.centres.centres[:, :d].copy())
        return self._plain_centres

    def in_order(self, vectors: np.ndarray, d: int) -> Iterator[np.ndarray]:
        """For each of (n, D) vectors all cells, the nearest by the first d numbers first."""
        return in_order(self._centres(d), vectors[:, :d])

    def rankings(self, vectors: np.ndarray, d: int) -> Iterator[Nearest]:
        """For each of (n, D) vectors what gives the first cells of `in_order`, sooner."""
        return rankings(self._centres(d), vectors[:, :d])

    @cached_property
    def cell_bytes(self) -> np.ndarray:
        """Of the blocks of each cell: (k,) int64."""
        cells, sizes = (self.blocks.column(name).to_numpy() for name in ("cell", "bytes"))
        return np.bincount(cells, weights=sizes, minlength=len(self.centres)).astype(np.int64)

    @cached_property
    def measured(self) -> list[dict[str, Any]]:
        """What the stage recall has measured; nothing where it has not."""
        document = self.workspace.committed("recall")
        return document["notes"]["table"] if document else []

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
        for cell, batch in self._batches(cells.values()):
            known = pa.compute.is_in(batch.column("image_id"), pa.array(cells))
            places = np.flatnonzero(known.to_numpy(zero_copy_only=False))
            some = batch.take(pa.array(places))
            rows = some.drop_columns(["vector"]).to_pylist()
            for row, vector in zip(rows, whole_vectors(some), strict=True):
                found[row["image_id"]] = {**row, "vector": vector, "cell": cell}
        return found

    def _batches(self, cells: Collection[int]) -> Iterator[tuple[int, pa.RecordBatch]]:
        return self._read_blocks(blocks_of(self.blocks, cells))

    def batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(cell, rows) of every block, by cell: the order of `ordered_blocks`. Memory: a block."""
        rows = (row for some in self.ordered_blocks.to_batches(1024) for row in some.to_pylist())
        return self._read_blocks(Block(**row) for row in rows)

    @cached_property
    def ordered_blocks(self) -> pa.Table:
        """Blocks by cell, and as they lie in a file."""
        return self.blocks.sort_by([("cell", "ascending"), ("offset", "ascending")])

    def _read_blocks(self, blocks: Iterable[Block]) -> Iterator[tuple[int, pa.RecordBatch]]:
        for name, some in groupby(blocks, key=lambda block: block.file):
            with self.workspace.fs.open(self._path(name), "rb") as file:
                for block in some:
                    yield block.cell, read_block(file, block)

    def id_files(self) -> Iterator[tuple[int, bytes]]:
        """(number, content) of each file of ids. Memory: a file, some 40 bytes a picture.

        Raises:
            Failure: one has changed since it was made.
        """
        parts = {part["name"].rsplit("/", 1)[-1]: part for part in self._document["parts"]}
        for bucket, name in enumerate(self.facts["ids"]):
            data, part = self._read(name), parts[name]
            known = part.get("sha256")
            if len(data) != part["bytes"] or known not in (None, hashlib.sha256(data).hexdigest()):
                address = self.workspace.uri("index", part["name"])
                raise Failure(f"{address} has changed since it was made; run with --force index")
            yield bucket, data
