"""A search index that is read and scored here, in this process, from a copy mapped into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mapsight.index.blocks import read_blocks
from mapsight.index.copies import Copies, Copy
from mapsight.index.local_copy import IDS, ROWS, IndexCopy, write_rows
from mapsight.index.mapped import write_file
from mapsight.index.part import IndexPart
from mapsight.index.rows import Block
from mapsight.search.search_index import SearchIndex, blocks_in
from mapsight.workspace.workspace import Workspace

__all__ = ["CopiedIndex"]

LENGTHS_BYTES = 16
ID_BYTES = 64


class CopiedIndex(SearchIndex):
    """A search index with a copy of each part on this machine, which is made at first use.

    Memory: what a SearchIndex takes, and some 20 MB a part; the system keeps what it likes of the
    mapped files.

    Args:
        workspace: that has the index.
        copies: where copies are kept.
        scratch: as a SearchIndex takes it.

    Raises:
        Failure: a part is missing or has changed, or there is no room.
    """

    def __init__(self, workspace: Workspace, copies: Copies, scratch: Path | None = None) -> None:
        super().__init__(workspace, scratch)
        self.copies = [self._copied(part, copies) for part in self.parts]

    def _copied(self, part: IndexPart, copies: Copies) -> IndexCopy:
        blocks = part.blocks.sort_by([("cell", "ascending"), ("offset", "ascending")])
        size = pc.sum(blocks.column("bytes")).as_py() + (LENGTHS_BYTES + ID_BYTES) * part.rows
        digests = [other.digest for other in self.parts]
        make = partial(self._make, part, blocks)
        copy = Copy(partial(copies.opened, "index", part.digest, size, make, digests))
        facts = (blocks, part.facts.buckets, part.number, self.removed)
        return copy.read(lambda folder: IndexCopy(folder, *facts, copy.again))

    def _make(self, part: IndexPart, blocks: pa.Table, folder: Path) -> dict[str, Any]:
        lengths = set(self.features().values())
        written = write_rows(folder / ROWS, read_blocks(blocks_in(blocks)), lengths)
        for bucket, name in enumerate(part.facts.ids):
            write_file(folder / IDS.format(bucket), part.read(name))
        return {"blocks": written, "rows": part.rows}

    def rows_of(self, image_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these pictures, with `cell` and `part`; `vector` (d,) int16."""
        found = {}
        for image_id in sorted(set(image_ids)):
            rows = [row for copy in self.copies if (row := copy.row_of(image_id)) is not None]
            if rows:
                found[image_id] = rows[-1]
        return found

    def batches(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, pa.RecordBatch]]:
        """Yield each of some blocks with its rows, hidden ones left out. Memory: a block."""
        copies = {part.number: copy for part, copy in zip(self.parts, self.copies, strict=True)}
        return ((block, copies[block.part].batch(block)) for block in blocks)

    def wanted(
        self, wants: Mapping[int, Sequence[int]]
    ) -> Iterator[tuple[pa.RecordBatch, Block, Sequence[int]]]:
        """Yield (rows, place, numbers) of each cell that queries want, by cell, then part."""
        for cell in sorted(wants):
            for part, copy in zip(self.parts, self.copies, strict=True):
                for batch in copy.batches(cell):
                    place = Block(cell, "", 0, 0, batch.num_rows, "", part.number)
                    yield batch, place, wants[cell]
