"""The search index of a workspace with all that was added and removed, as one."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.errors import Failure
from mapsight.files import fingerprint
from mapsight.index.blocks import read_blocks
from mapsight.index.collection import Collection, collection_of
from mapsight.index.layout import CENTRES
from mapsight.index.nearest import Centres, Nearest
from mapsight.index.part import IndexPart
from mapsight.index.removed_ids import IdList
from mapsight.index.rows import Block, whole_vectors
from mapsight.search.choices import TARGET_RECALL
from mapsight.search.probe_plan import Cells, blocks_of, in_order, rankings, usual_probe
from mapsight.search.recall import least_probe
from mapsight.workspace.changes import Changes
from mapsight.workspace.index_facts import RecallNotes
from mapsight.workspace.workspace import Workspace

__all__ = ["SearchIndex", "blocks_in"]


class SearchIndex:
    """Centres, tables of blocks and cells, and rows by id, of all parts as one.

    `parts` are the base and the additions to it, `removed` is the list of hidden pictures.
    Memory: the centres, and some hundred bytes a block.

    Args:
        scratch: a local folder for a copy of what is remote; None takes the workspace's.
        whole: with what was added and removed; else the base alone.

    Raises:
        Failure: a part is missing, or the index was built anew at this moment.
    """

    def __init__(
        self, workspace: Workspace, scratch: Path | None = None, *, whole: bool = True
    ) -> None:
        alone = Collection({0: workspace}, Changes(), IdList())
        self.collection = collection_of(workspace, scratch) if whole else alone
        self.changes, self.removed = self.collection.changes, self.collection.removed
        self.workspace, base = workspace, IndexPart(workspace)
        self.parts = [base, *_added(self.collection, base)]
        self.facts = base.facts
        self.centres = Centres(np.load(io.BytesIO(base.read(CENTRES)), allow_pickle=False))
        self.blocks = pa.concat_tables([part.blocks for part in self.parts])
        columns = [part.cells.select(["cell", "kinds"]) for part in self.parts]
        self.cells = Cells(len(self.centres), pa.concat_tables(columns).combine_chunks())
        self._plain_centres: Centres | None = None

    @property
    def digest(self) -> str:
        """Return a digest that changes with anything that an answer depends on."""
        digests = [part.digest for part in self.parts]
        removals = self.changes.removals
        if len(digests) == 1 and removals is None:
            return digests[0]
        return fingerprint([digests, removals.sha256 if removals else None])

    @property
    def rows(self) -> int:
        """Return how many pictures it has, without those known to be hidden."""
        removals = self.changes.removals
        hidden = removals.hidden if removals else {}
        return sum(part.rows - hidden.get(part.digest, 0) for part in self.parts)

    def features(self) -> dict[str, int]:
        """Return how many numbers of vectors count by each name of features, the default first."""
        d, plain_d = self.facts.d, self.facts.plain_d
        return {"new": d, "plain": plain_d} if d > plain_d else {"plain": d}

    def _centres(self, d: int) -> Centres:
        """Return centres by their first d numbers.

        Cells are made by all numbers; that the plain ones rank them better for a search by
        these was measured (docs/search.md).
        """
        if d == self.facts.d:
            return self.centres
        if self._plain_centres is None:
            self._plain_centres = Centres(self.centres.centres[:, :d].copy())
        return self._plain_centres

    def in_order(self, vectors: np.ndarray, d: int) -> Iterator[np.ndarray]:
        """Yield for each of (n, D) vectors all cells, the nearest by the first d numbers first."""
        return in_order(self._centres(d), vectors[:, :d])

    def rankings(self, vectors: np.ndarray, d: int) -> Iterator[Nearest]:
        """Yield for each of (n, D) vectors what gives the first cells of `in_order`, sooner."""
        return rankings(self._centres(d), vectors[:, :d])

    @cached_property
    def cell_bytes(self) -> np.ndarray:
        """Return the bytes of the blocks of each cell: (k,) int64."""
        cells, sizes = (self.blocks.column(name).to_numpy() for name in ("cell", "bytes"))
        return np.bincount(cells, weights=sizes, minlength=len(self.centres)).astype(np.int64)

    def bytes_of(self, cells: Sequence[int] | np.ndarray) -> int:
        """Return how many bytes the blocks of some cells have, each cell once."""
        return int(self.cell_bytes[np.unique(np.asarray(cells, np.int64))].sum())

    @cached_property
    def measured(self) -> list[dict[str, Any]]:
        """Return what the stage recall has measured; nothing where it has not.

        Raises:
            Failure: its document is damaged: without it another number of cells would be read.
        """
        document = self.workspace.sound("recall")
        if document is None and self.workspace.fault("recall"):
            self.workspace.required("recall")
        return RecallNotes.of(document).table if document else []

    def probe_for(self, features: str, target: float | None = None) -> int:
        """Return the least number of cells with which the recall reached a target when measured.

        All of them where none did; a rule of thumb where recall was not measured for as many.
        """
        k = len(self.centres)
        rows = [row for row in self.measured if (row["features"], row["cells"]) == (features, k)]
        if not rows:
            return usual_probe(k)
        return least_probe(rows, TARGET_RECALL if target is None else target) or k

    def first_ids(self, n: int) -> list[str]:
        """Return ids among which are those of the n pictures of the lowest `order`."""
        first: list[str] = []
        for part in self.parts:
            of_part: list[str] = []
            for bucket in range(part.facts.buckets):
                ids = part.ids(bucket).column("image_id")
                of_part += ids.filter(pa.array(~self.removed.mask(ids, part.number))).to_pylist()
                if len(of_part) >= n:
                    break
            first += of_part
        return first

    def places_of(self, image_ids: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return (part, cell) of each of these pictures that the index has and does not hide.

        Memory: one file of ids, and some 300 bytes an id.
        """
        wanted = sorted(set(image_ids))
        found: dict[str, tuple[int, int]] = {}
        for part in self.parts:
            for table in part.buckets(wanted):
                hidden = self.removed.mask(table.column("image_id"), part.number)
                for row in table.filter(pa.array(~hidden)).to_pylist():
                    found[row["image_id"]] = part.number, row["cell"]
        return found

    def cells_of(self, image_ids: Iterable[str]) -> dict[str, int]:
        """Return the cell of each of these pictures that the index has and does not hide."""
        return {name: cell for name, (_, cell) in self.places_of(image_ids).items()}

    def rows_of(self, image_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these pictures, with `cell` and `part`; `vector` (d,) int16.

        Memory: a block.
        """
        places = self.places_of(image_ids)
        found: dict[str, dict[str, Any]] = {}
        every = blocks_of(self.blocks, {cell for _, cell in places.values()})
        wanted: dict[tuple[int, int], list[str]] = {}
        for name, place in places.items():
            wanted.setdefault(place, []).append(name)
        for block, batch in self.batches(b for b in every if (b.part, b.cell) in wanted):
            here = pa.array(wanted[block.part, block.cell])
            known = pa.compute.is_in(batch.column("image_id"), here)
            some = batch.take(pa.array(np.flatnonzero(known.to_numpy(zero_copy_only=False))))
            rows = some.drop_columns(["vector"]).to_pylist()
            for row, vector in zip(rows, whole_vectors(some), strict=True):
                at = {"vector": vector, "cell": block.cell, "part": block.part}
                found[row["image_id"]] = {**row, **at}
        return found

    def every_block(self) -> Iterator[Block]:
        """Yield all blocks, by cell, then part. Memory: some hundred bytes a block."""
        order = ("cell", "part", "offset")
        return blocks_in(self.blocks.sort_by([(name, "ascending") for name in order]))

    def batches(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, pa.RecordBatch]]:
        """Yield each of some blocks with its rows, hidden ones left out. Memory: `read_blocks`."""
        kept, given = itertools.tee(blocks)
        for block, batch in zip(kept, read_blocks(given), strict=True):
            yield block, self.removed.shown(batch, block.part)

    def wanted(
        self, wants: Mapping[int, Sequence[int]]
    ) -> Iterator[tuple[pa.RecordBatch, Block, Sequence[int]]]:
        """Yield (rows, place, numbers) of each cell that queries want, for `Probe.add_blocks`."""
        for block, batch in self.batches(blocks_of(self.blocks, wants)):
            if batch.num_rows:
                yield batch, block, wants[block.cell]


def blocks_in(table: pa.Table) -> Iterator[Block]:
    """Yield the blocks of a table, in its order."""
    for some in table.to_batches(1024):
        yield from (Block(**row) for row in some.to_pylist())


def _added(collection: Collection, base: IndexPart) -> Iterator[IndexPart]:
    for one in collection.additions:
        if one.base != base.digest:
            where = base.workspace.location
            raise Failure(f"{where}: the index was rebuilt while it was read; try again")
        yield IndexPart(collection.parts[one.number], one.number, one.digest)
