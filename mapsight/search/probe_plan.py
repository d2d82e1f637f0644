"""Planning a search of the index: which cells a query probes, and which bytes that means.

How many they are at least, `SearchIndex.probe_for` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.nearest import Centres, Nearest
from mapsight.index.rows import Block

__all__ = [
    "BATCH_BYTES",
    "Cells",
    "Choice",
    "blocks_of",
    "choose",
    "choose_nearest",
    "in_order",
    "mean_vector",
    "probe_lines",
    "queries_by_cell",
    "rankings",
    "reads_of",
    "usual_probe",
]

BATCH_BYTES = 64 << 20
"""Of one task: a second or two of reading, against as much for starting it."""
RANKED_AT_ONCE = 256
LEAST_PROBE = 8
LEAST_RANKED = 32

Choice = tuple[np.ndarray, bool]
"""Cells (n,) int64, nearest first, and whether they are all that have fitting rows."""


class Cells:
    """How many rows each cell has, of each label and style.

    Args:
        k: number of cells.
        table: columns cell, and kinds: label, style, rows (`cells.parquet`).
    """

    def __init__(self, k: int, table: pa.Table) -> None:
        kinds = table.column("kinds").combine_chunks()
        lengths = np.diff(kinds.offsets.to_numpy())
        self._cell = np.repeat(table.column("cell").to_numpy(), lengths)
        flat = kinds.flatten()
        names = ("label", "style")
        self._names = {n: np.asarray(flat.field(n).to_pylist(), object) for n in names}
        self._rows = flat.field("rows").to_numpy()
        self._known: dict[tuple[str, str], np.ndarray] = {}
        self.k = k
        self.rows = self.fitting()

    def fitting(self, label: str = "", style: str = "") -> np.ndarray:
        """Rows of a label and a style, or of any where it is empty, in each cell: (k,) int64."""
        kind = label, style
        if kind not in self._known:
            rows = self._rows
            for name, value in zip(self._names, kind, strict=True):
                rows = np.where(self._names[name] == value, rows, 0) if value else rows
            counts = np.bincount(self._cell, weights=rows, minlength=self.k)
            self._known[kind] = counts.astype(np.int64)
        return self._known[kind]

    @cached_property
    def labels(self) -> frozenset[str]:
        """Labels that rows have."""
        return frozenset(self._names["label"].tolist())

    @cached_property
    def styles(self) -> frozenset[str]:
        """Styles that rows have: none where no head knew any."""
        return frozenset(filter(None, self._names["style"].tolist()))

    def kinds(self, label: str) -> dict[str, int]:
        """Rows of a label by style."""
        chosen = self._names["label"] == label
        found: dict[str, int] = {}
        styles, rows = self._names["style"][chosen], self._rows[chosen]
        for style, n in zip(styles.tolist(), rows.tolist(), strict=True):
            found[style] = found.get(style, 0) + n
        return found


def in_order(centres: Centres, vectors: np.ndarray) -> Iterator[np.ndarray]:
    """For each of (n, d) int16 vectors all cells from the nearest on: (k,) int64.

    Memory: RANKED_AT_ONCE × k.
    """
    for first in range(0, len(vectors), RANKED_AT_ONCE):
        yield from centres.ranked(vectors[first : first + RANKED_AT_ONCE])


def rankings(centres: Centres, vectors: np.ndarray) -> Iterator[Nearest]:
    """For each of (n, d) int16 vectors what gives its nearest cells; memory as `in_order`."""
    for first in range(0, len(vectors), RANKED_AT_ONCE):
        yield from centres.rankings(vectors[first : first + RANKED_AT_ONCE])


def mean_vector(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of (n, d) int16 vectors by whole (n,) weights: (d,) int16, halves up."""
    total, count = weights @ vectors.astype(np.int64), int(weights.sum())
    return ((2 * total + count) // (2 * count)).astype(np.int16)


def usual_probe(k: int) -> int:
    """Cells to probe of k where no recall has been measured: one in 64, and 8 at least."""
    return min(k, max(LEAST_PROBE, k // 64))


def choose(ranked: np.ndarray, fitting: np.ndarray, probe: int, least: int) -> Choice:
    """The nearest `probe` cells that have fitting rows, and more until there are `least` rows.

    Args:
        ranked: (k,) cells, nearest first.
        fitting: (k,) how many rows of each cell may fit.
    """
    useful = ranked[fitting[ranked] > 0]
    enough = int(np.searchsorted(np.cumsum(fitting[useful]), least)) + 1
    cells = useful[: max(probe, enough)]
    return cells, len(cells) == len(useful)


def choose_nearest(nearest: Nearest, fitting: np.ndarray, probe: int, least: int) -> Choice:
    """What `choose` gives of all cells in order, of which no more are put in order than it takes.

    Args:
        nearest: gives the first n cells in order.
        fitting, probe, least: as `choose` has them.
    """
    k, n = len(fitting), max(LEAST_RANKED, 2 * probe)
    while True:
        cells, all_of_them = choose(nearest(min(n, k)), fitting, probe, least)
        if not all_of_them or n >= k:
            return cells, all_of_them
        n *= 4


def queries_by_cell(cells: Sequence[np.ndarray]) -> dict[int, list[int]]:
    """The numbers of the queries that want each cell, from the cells that each query wants."""
    wants: dict[int, list[int]] = {}
    for number, chosen in enumerate(cells):
        for cell in chosen.tolist():
            wants.setdefault(cell, []).append(number)
    return wants


def blocks_of(table: pa.Table, cells: Iterable[int]) -> list[Block]:
    """The blocks of some cells, as they lie in files."""
    wanted = pa.array(sorted(set(cells)), pa.int32())
    rows = table.filter(pa.compute.is_in(table.column("cell"), wanted)).to_pylist()
    return sorted((Block(**row) for row in rows), key=lambda block: (block.file, block.offset))


def probe_lines(blocks: Sequence[Block], wants: Mapping[int, Sequence[int]]) -> Iterator[str]:
    """A line for every task: what it reads, and for which queries.

    Args:
        blocks: as `blocks_of` gives them; their files are addresses.
        wants: numbers of the queries that want each cell.

    Yields:
        JSON: `reads`, of files: `uri`, `part` and `blocks` of [cell, offset, bytes, rows, sha256];
        `wants`: [cells, query numbers], cells that the same queries want together.
    """
    for batch in _batches(blocks):
        reads = [
            {"uri": file, "part": part, "blocks": [_place(block) for block in some]}
            for (file, part), some in groupby(batch, key=lambda block: (block.file, block.part))
        ]
        together: dict[tuple[int, ...], list[int]] = {}
        for cell in dict.fromkeys(block.cell for block in batch):
            together.setdefault(tuple(wants[cell]), []).append(cell)
        pairs = [[cells, numbers] for numbers, cells in together.items()]
        yield json.dumps({"reads": reads, "wants": pairs})


def _batches(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks of about as many bytes each, BATCH_BYTES at most unless one block has more."""
    total = sum(block.bytes for block in blocks)
    each = total / max(-(-total // BATCH_BYTES), 1)
    batch: list[Block] = []
    size = 0.0
    for block in blocks:
        if batch and size + block.bytes / 2 > each:
            yield batch
            batch, size = [], size - each
        batch.append(block)
        size += block.bytes
    if batch:
        yield batch


def _place(block: Block) -> list[Any]:
    return [block.cell, block.offset, block.bytes, block.rows, block.sha256]


def reads_of(line: str) -> Iterator[tuple[Block, list[int]]]:
    """Yield what a line says: blocks, by file, each with the queries that want it."""
    found = json.loads(line)
    wants = {cell: numbers for cells, numbers in found["wants"] for cell in cells}
    for read in found["reads"]:
        uri, part = read["uri"], read["part"]
        blocks = (replace(Block(place[0], uri, *place[1:]), part=part) for place in read["blocks"])
        yield from ((block, wants[block.cell]) for block in blocks)
