"""A part of a search index: what the pipeline has built, or what was added to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.errors import Failure
from mapsight.index.build import bucket_of
from mapsight.index.layout import BLOCKS, CELLS
from mapsight.index.rows import order_of
from mapsight.workspace.index_facts import IndexNotes
from mapsight.workspace.workspace import Workspace

__all__ = ["IndexPart"]


class IndexPart:
    """The files of a stage `index`.

    Memory: its tables, some hundred bytes a block.

    Args:
        workspace: in which the stage ran.
        number: of the part; 0 is the base.
        digest: that the stage must have; None for any.

    Raises:
        Failure: a file is missing, or the stage is another.
    """

    def __init__(self, workspace: Workspace, number: int = 0, digest: str | None = None) -> None:
        workspace.parts("index")
        document = workspace.sound("index")
        assert document is not None
        if digest not in (None, document["digest"]):
            raise Failure(f"{workspace.uri()}: not the pictures that were added; add them again")
        self.workspace, self.number = workspace, number
        self._folder: str = document["folder"]
        self._files = {part["name"].rsplit("/", 1)[-1]: part for part in document["parts"]}
        self.facts = IndexNotes.of(document)
        self.digest: str = document["digest"]

    def has(self, name: str) -> bool:
        """Return whether the stage wrote a file of this name."""
        return name in self._files

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the stage.

        Raises:
            Failure: it has changed since it was made.
        """
        path = self.workspace.path("index", self._folder, name)
        data, file = self.workspace.fs.cat_file(path), self._files.get(name)
        digest = hashlib.sha256(data).hexdigest()
        if file is None or len(data) != file["bytes"] or file.get("sha256", digest) != digest:
            address = self.workspace.uri("index", self._folder, name)
            raise Failure(f"{address} has changed since it was made; run with --force index")
        return data

    def _table(self, name: str) -> pa.Table:
        """Return a table of the stage; `pq.read_table` would import pyarrow.dataset."""
        return pq.ParquetFile(pa.BufferReader(self.read(name))).read()

    @cached_property
    def blocks(self) -> pa.Table:
        """Return where its blocks are: the columns of a Block, `file` being an address."""
        table = self._table(BLOCKS)
        folder = self.workspace.uri("index", self._folder)
        files = pa.array([f"{folder}/{name}" for name in table.column("file").to_pylist()])
        place = table.schema.get_field_index("file")
        table = table.set_column(place, "file", files.cast(pa.string()))
        numbers = pa.array([self.number] * len(table), pa.int32())
        return table.append_column("part", numbers)

    @cached_property
    def cells(self) -> pa.Table:
        """Return what is known of its cells that have pictures."""
        return self._table(CELLS)

    @property
    def rows(self) -> int:
        """Return how many rows it has, hidden ones too."""
        return self.facts.rows

    @property
    def spread(self) -> float:
        """Return the mean squared distance of its pictures from the centres of their cells."""
        total = sum(int(one) for one in self.cells.column("inertia").to_pylist())
        return total / self.rows if self.rows else 0.0

    def ids(self, bucket: int) -> pa.Table:
        """Return the (image_id, cell) of a bucket, by id. Memory: the bucket."""
        return pa.ipc.open_stream(self.read(self.facts.ids[bucket])).read_all()

    def ids_uris(self) -> list[str]:
        """Return the addresses of the files of ids, by bucket."""
        return [self.workspace.uri("index", self._folder, name) for name in self.facts.ids]

    def buckets(self, image_ids: Sequence[str]) -> Iterator[pa.Table]:
        """Yield of each file of ids that may have some of these pictures the rows that do."""
        wanted: dict[int, list[str]] = {}
        for image_id in image_ids:
            bucket = bucket_of(order_of(image_id), self.facts.buckets)
            wanted.setdefault(bucket, []).append(image_id)
        for bucket, ids in sorted(wanted.items()):
            table = self.ids(bucket)
            yield table.filter(pa.compute.is_in(table.column("image_id"), pa.array(ids)))
