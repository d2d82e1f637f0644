"""A search index that is read and scored here, in this process, from a copy mapped into memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from driver.copies import Copies
from driver.index_files import SearchIndex
from driver.workspace import Workspace
from mapsight.index_copy import IDS, ROWS, IndexCopy, write_rows
from mapsight.index_rows import BLOCK_ROWS
from mapsight.probe import Probe, merged
from mapsight.probe_queries import GivenQueries, ProbeQuery

__all__ = ["CopiedIndex", "probe_here"]

LENGTHS_BYTES = 16
ID_BYTES = 64
TOGETHER = 8 * BLOCK_ROWS
"""Rows scored together: those of several cells for one query, as they lie in the file."""


class CopiedIndex(SearchIndex):
    """A search index with a copy on this machine, which is made at first use.

    Memory: what a SearchIndex takes, and some 20 MB; the system keeps what it likes of the
    mapped file.

    Args:
        workspace: that has the index.
        copies: where copies are kept.

    Raises:
        Failure: a part is missing or has changed, or there is no room.
    """

    def __init__(self, workspace: Workspace, copies: Copies) -> None:
        super().__init__(workspace)
        size = int(self.cell_bytes.sum()) + (LENGTHS_BYTES + ID_BYTES) * self.rows
        with copies.opened("index", self.digest, size, self._make) as folder:
            cells = self.ordered_blocks.column("cell").to_numpy()
            self.copy = IndexCopy(folder, cells, self.facts["buckets"])

    def _make(self, folder: Path) -> dict[str, Any]:
        lengths = set(self.features().values())
        blocks = write_rows(folder / ROWS, (batch for _, batch in self.batches()), lengths)
        for bucket, data in self.id_files():
            (folder / IDS.format(bucket)).write_bytes(data)
        return {"blocks": blocks, "rows": self.rows}

    def rows_of(self, image_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The rows of these pictures, with `cell`; `vector` (d,) int16."""
        found = {image_id: self.copy.row_of(image_id) for image_id in sorted(set(image_ids))}
        return {image_id: row for image_id, row in found.items() if row is not None}


def probe_here(
    index: SearchIndex,
    vectors: np.ndarray,
    queries: Sequence[ProbeQuery],
    cells: Sequence[np.ndarray],
    d: int,
) -> Iterator[tuple[int, list[Any]]]:
    """Score cells for all queries in this process, each cell once; (number, answers) by number.

    Args:
        index: a CopiedIndex.
        vectors: (n, d) int16.
        d: how many numbers of vectors count.
    """
    assert isinstance(index, CopiedIndex)
    wants: dict[int, list[int]] = {}
    for number, chosen in enumerate(cells):
        for cell in chosen.tolist():
            wants.setdefault(cell, []).append(number)
    given = GivenQueries(vectors, queries)
    probe = Probe(given, d, TOGETHER)
    probe.add_blocks(index.copy.blocks(wants))
    for number, found in probe.answers():
        yield number, merged(given[number], [found])
