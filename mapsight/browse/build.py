"""Columns made of one state of a workspace: a row a picture, in the order of the ids."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.browse.gather import Gathered, texts_of
from mapsight.browse.layout import (
    BINS,
    CODES,
    COLUMN,
    DUPLICATE_KINDS,
    IDS,
    NAME_ROWS,
    NO_PLACE,
    REALS,
    TEXT_ROWS,
    WHOLES,
    Part,
)
from mapsight.browse.sources import Sources
from mapsight.browse.truth_sets import TruthSets
from mapsight.index.mapped import write_batches, write_file
from mapsight.index.oddness import ODD_BIT
from mapsight.index.removed_ids import IdList

__all__ = ["write_columns"]

_Given = Mapping[int, tuple[int, pa.Array]]
CHUNK = 16_384
QUANTILES = 17


def write_columns(folder: Path, sources: Sources) -> dict[str, Any]:
    """Write the columns of a state into an empty folder; return what is to be known of them.

    Memory: some 180 bytes a picture, and each different name once.
    """
    gathered = Gathered(folder)
    texts = write_batches(folder / TEXT_ROWS, texts_of(sources.facts(), gathered))
    gathered.close()
    given = gathered.taken_ids()
    ids = {number: names for number, (_, names) in given.items()}
    rows = _Rows(sources.parts(ids), given, sources.collection.removed)
    del given, ids
    writer = _Writer(folder, gathered, rows)
    writer.write_all()
    writer.write_duplicates(sources.duplicates())
    return {"rows": len(rows.ids), "texts": texts}


class _Rows:
    """Which pictures are shown: `ids` in order, with `part`, `cell`, `odd` and `place` of each."""

    def __init__(self, parts: Iterator[Part], given: _Given, removed: IdList) -> None:
        ids, *facts = _joined([_shown(part, removed) for part in parts])
        order = pc.sort_indices(ids).to_numpy()  # stable: of equal ids the last part comes last
        ids = ids.take(pa.array(order))
        last = _ends_of_runs(ids)
        self.ids = ids.filter(pa.array(last)) if not last.all() else ids
        self.part, self.cell, self.odd = (one[order][last] for one in facts)
        self.place = np.full(len(self.ids), NO_PLACE, np.uint32)
        for number, (first, names) in given.items():
            self._find(number, names, first)

    def _find(self, number: int, given: pa.Array, first: int) -> None:
        """Set the places of the pictures of a part among the facts, CHUNK pictures at a time."""
        order = None if _ascends(given) else pc.sort_indices(given)
        given = given if order is None else given.take(order)
        mine = np.flatnonzero(self.part == number)
        for some in (mine[i : i + CHUNK] for i in range(0, len(mine), CHUNK)):
            ids, every = self.ids.take(pa.array(some)), range(len(given))
            low = bisect_left(every, ids[0].as_py(), key=lambda i: given[i].as_py())
            high = bisect_right(every, ids[-1].as_py(), low, key=lambda i: given[i].as_py())
            found = pc.add(pc.index_in(ids, value_set=given.slice(low, high - low)), low)
            known = found.is_valid().to_numpy(zero_copy_only=False)
            places = found.drop_null() if order is None else order.take(found.drop_null())
            self.place[some[known]] = places.to_numpy() + first


def _joined(parts: list[Part]) -> tuple[pa.Array, np.ndarray, np.ndarray, np.ndarray]:
    """Return (ids; part, cell and oddness of each) of all parts, one after the other."""
    part = [np.full(len(one.ids), one.number, np.uint16) for one in parts]
    ids = parts[0].ids if len(parts) == 1 else pa.concat_arrays([one.ids for one in parts])
    cells, odd = (np.concatenate([getattr(one, of) for one in parts]) for of in ("cells", "odd"))
    return ids, np.concatenate(part), cells, odd


def _ascends(ids: pa.Array) -> bool:
    return len(ids) < 2 or pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py()


def _shown(part: Part, removed: IdList) -> Part:
    """Return a part without hidden pictures."""
    if not len(removed):
        return part
    pieces = (part.ids.slice(i, CHUNK) for i in range(0, len(part.ids), CHUNK))
    masks = [removed.mask(some, part.number) for some in pieces]
    shown = ~np.concatenate([np.zeros(0, bool), *masks])
    ids = part.ids.filter(pa.array(shown))
    return Part(part.number, ids, part.cells[shown], part.odd[shown])


def _ends_of_runs(ids: pa.Array) -> np.ndarray:
    """Return of sorted ids which are the last of equal ones: (n,) bool."""
    last = np.ones(len(ids), bool)
    if len(ids) > 1:
        last[:-1] = pc.not_equal(ids[:-1], ids[1:]).to_numpy(zero_copy_only=False)
    return last


class _Writer:
    """Writes columns in the order of rows, one in memory at a time."""

    def __init__(self, folder: Path, gathered: Gathered, rows: _Rows) -> None:
        self._folder, self._gathered, self._rows = folder, gathered, rows
        self._known = rows.place != NO_PLACE

    def _write(self, name: str, values: np.ndarray) -> None:
        write_file(self._folder / COLUMN.format(name), np.ascontiguousarray(values).tobytes())

    def _in_order(self, values: np.ndarray, unknown: float) -> np.ndarray:
        ordered = np.full(len(self._known), unknown, values.dtype)
        ordered[self._known] = values[self._rows.place[self._known]]
        return ordered

    def write_all(self) -> None:
        """Write all columns but those of duplicates."""
        self._write_ids()
        for name in ("part", "cell", "place"):
            self._write(name, getattr(self._rows, name))
        self._write("text_starts", np.array(self._gathered.starts, np.uint64))
        for name in REALS:
            values = self._in_order(self._gathered.values(name, np.float64), np.nan)
            self._write(name, values)
            self._write_bins(name, values)
        sides = {}
        for name in WHOLES:
            values = self._in_order(self._gathered.values(name, np.uint32), 0)
            if name == "flags":
                values[self._rows.odd] |= ODD_BIT
            if name in ("width", "height"):
                sides[name] = values
            self._write(name, values)
        pixels = sides["width"].astype(np.float64) * sides["height"]
        pixels[pixels == 0] = np.nan
        self._write_bins("pixels", pixels)
        self._write_codes()

    def _write_ids(self) -> None:
        _, offsets, data = pa.concat_arrays([self._rows.ids]).buffers()
        n = len(self._rows.ids)
        ends = np.frombuffer(offsets, np.int64)[: n + 1] if n else np.zeros(1, np.int64)
        self._write("id_offsets", ends)
        write_file(self._folder / IDS, data.to_pybytes() if data else b"")

    def _write_bins(self, name: str, values: np.ndarray) -> None:
        if name not in BINS:
            return
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, QUANTILES))) if len(known) else known
        bins = np.clip(np.searchsorted(edges, values, "right"), 1, max(len(edges) - 1, 1))
        self._write(f"{name}_edges", edges)
        self._write(f"{name}_bin", np.where(np.isnan(values), 0, bins).astype(np.uint8))

    def _write_codes(self) -> None:
        kept = {}
        for name in CODES:
            names, codes = self._gathered.codes(name)
            codes = self._in_order(codes, 0)
            self._write(name, codes)
            batch = pa.record_batch([pa.array(names, pa.string())], ["name"])
            write_batches(self._folder / NAME_ROWS.format(name), [batch])
            if name in ("label", "truth"):
                kept[name] = names, codes
        sets, truth = kept["truth"]
        verified = TruthSets(pa.array([None, *sets], pa.string()))
        self._write("disputed", verified.contradict(truth, *kept["label"]))

    def write_duplicates(self, table: pa.Table) -> None:
        """Write the kind of each picture in groups of duplicates, and the row of its keeper."""
        n = len(self._rows.ids)
        kinds, keepers = np.zeros(n, np.uint8), np.full(n, NO_PLACE, np.uint32)
        if table.num_rows:
            rows, group, kind = self._of_groups(table)
            keepers[rows], kinds[rows] = _groups(rows, group, kind)
        self._write("duplicate", kinds)
        self._write("keeper", keepers)

    def _of_groups(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (rows, number of the group, kind) of the pictures that are shown, as listed."""
        ids = _typed(table.column("image_id").combine_chunks())
        rows = pc.index_in(ids, value_set=self._rows.ids).to_numpy(zero_copy_only=False)
        coded = table.column("keeper").combine_chunks().dictionary_encode()
        kind = pc.index_in(table.column("kind").combine_chunks(), pa.array(DUPLICATE_KINDS))
        there = ~np.isnan(rows.astype(np.float64))
        there[there] &= self._rows.part[rows[there].astype(np.int64)] == 0
        group, kinds = coded.indices.to_numpy(), kind.to_numpy()
        return rows[there].astype(np.int64), group[there], kinds[there].astype(np.uint8)


def _typed(ids: pa.Array) -> pa.Array:
    """Return ids without the apostrophe that CSV puts in front of what looks like a formula."""
    safe = pc.replace_substring_regex(ids, r"^'(\s*[=+\-@＝＋－＠])", r"\1")
    return safe.cast(pa.large_string())


def _groups(rows: np.ndarray, group: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (row of the keeper, kind) of each picture of a group, which lists its keeper first.

    Where the keeper is not shown any more, the next takes its place; a picture that is alone then
    is no duplicate.
    """
    _, first, number, size = np.unique(
        group, return_index=True, return_inverse=True, return_counts=True
    )
    kinds = kind.copy()
    kinds[first] = DUPLICATE_KINDS.index("keeper")
    alone = size[number] == 1
    kinds[alone] = 0
    return np.where(alone, NO_PLACE, rows[first][number]).astype(np.uint32), kinds
