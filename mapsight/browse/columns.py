"""One state of a workspace as columns that are mapped into memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.build import write_columns
from mapsight.browse.layout import (
    CODES,
    COLUMN,
    COLUMNS,
    IDS,
    MILLIONTHS,
    NAME_ROWS,
    NO_PLACE,
    TEXT_ROWS,
    TEXTS,
)
from mapsight.browse.sources import Sources
from mapsight.browse.truth_sets import TruthSets
from mapsight.errors import Failure
from mapsight.index.copies import Copies, Copy
from mapsight.index.mapped import MappedBatches, MappedFile, MappedFolder, Repair

__all__ = ["ALL", "Columns", "Rows", "open_columns"]

Rows = np.ndarray | slice
ALL = slice(None)
BYTES, TEXT_BYTES = 120, 300
"""Of a picture in columns, without long ids, and about in texts."""


class Columns(MappedFolder):
    """Facts of pictures, a row each, in the order of `image_id`; layout.py lists them.

    Everything is mapped at once, so that it can be read when the folder is removed; what is
    touched is held to its checksum, and made anew if it is damaged. Memory: the names that were
    asked for. Any number of threads.

    Args:
        folder: that `write_columns` has filled.
        state: the digest of what they were made of.
        repair: makes the folder anew when it is damaged, and has it mapped; None raises the error.

    Raises:
        DamagedError: a file is damaged and cannot be made anew.
    """

    def __init__(
        self,
        folder: Path,
        state: str,
        repair: Repair | None = None,
    ) -> None:
        self.state = state
        super().__init__(folder, repair)
        self.rows = len(self.column("id_offsets")) - 1

    def _map(self, folder: Path) -> None:
        names = (*COLUMNS, *CODES)
        self._files = {name: MappedFile(folder / COLUMN.format(name)) for name in names}
        self._id_data = MappedFile(folder / IDS)
        self._names = {name: MappedBatches(folder / NAME_ROWS.format(name)) for name in CODES}
        self._texts = MappedBatches(folder / TEXT_ROWS)
        self._arrays: dict[str, np.ndarray] = {}
        self._words: dict[str, pa.Array] = {}
        self._ids: pa.Array | None = None
        self._truth_sets: TruthSets | None = None

    def column(self, name: str) -> np.ndarray:
        """Return a column of numbers or codes as it lies in its file; not to be written."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = self._whole_or_anew(lambda: self._read(name))
        return array

    def _read(self, name: str) -> np.ndarray:
        data = self._files[name].whole()
        return np.frombuffer(data, COLUMNS[name] if name in COLUMNS else self._code_kind(name))

    def _code_kind(self, name: str) -> type[np.unsignedinteger]:
        most = len(self.names(name)) - 1
        return next(k for k in (np.uint8, np.uint16, np.uint32) if most <= np.iinfo(k).max)

    def values(self, name: str, rows: Rows = ALL) -> np.ndarray:
        """Return a measure of some rows: (n,) float64, NaN where it is not known."""
        if name == "pixels":
            return self.values("width", rows) * self.values("height", rows)
        values = self.column(name)[rows]
        if values.dtype == np.float64:
            return values
        real = values.astype(np.float64)
        real[values == 0] = np.nan
        return (real - 1) / MILLIONTHS if name == "quality" else real

    def names(self, name: str) -> pa.Array:
        """Return the names of a column's codes: string, null for code 0."""
        words = self._words.get(name)
        if words is None:
            batch = self._whole_or_anew(lambda: self._names[name].get_batch(0))
            unknown = pa.nulls(1, pa.string())
            words = self._words[name] = pa.concat_arrays([unknown, batch.column(0)])
        return words

    def code(self, name: str, word: str) -> int | None:
        """Return the code of a name; None if no picture has it."""
        words = self.names(name)
        low, high = 1, len(words)
        while low < high:
            middle = (low + high) // 2
            if words[middle].as_py() < word:
                low = middle + 1
            else:
                high = middle
        return low if low < len(words) and words[low].as_py() == word else None

    @property
    def truth_sets(self) -> TruthSets:
        """Return which labels are in the sets of the column `truth`."""
        if self._truth_sets is None:
            self._truth_sets = TruthSets(self.names("truth"))
        return self._truth_sets

    @property
    def ids(self) -> pa.Array:
        """Return all ids, in order: large_string."""
        if self._ids is None:
            offsets = pa.py_buffer(self.column("id_offsets"))
            data = self._whole_or_anew(lambda: self._id_data.whole()) or pa.py_buffer(b"")
            self._ids = pa.LargeStringArray.from_buffers(self.rows, offsets, data)
        return self._ids

    def texts(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """Return TEXTS of some rows, None where nothing is known."""
        return self.text_batch(rows).to_pylist()

    def text_batch(self, rows: np.ndarray) -> pa.RecordBatch:
        """Return TEXTS of some rows as columns of text; each batch that has some is read once."""
        places = self.column("place")[rows]
        order = np.argsort(places, kind="stable")
        pieces = [*self._pieces(places[order]), _nothing(int((places == NO_PLACE).sum()))]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        columns = [pa.concat_arrays([one.column(name) for one in pieces]) for name in TEXTS]
        return pa.RecordBatch.from_arrays(columns, list(TEXTS)).take(pa.array(back))

    def _pieces(self, places: np.ndarray) -> Iterator[pa.RecordBatch]:
        """Yield the texts at ascending places."""
        starts = self.column("text_starts")
        places = places[: np.searchsorted(places, NO_PLACE)]
        ends = np.searchsorted(places, starts[1:])
        first = 0
        for number, last in enumerate([*ends.tolist(), len(places)][: len(starts)]):
            if last > first:
                batch = self._whole_or_anew(partial(self._texts.get_batch, number))
                yield batch.take(pa.array(places[first:last] - int(starts[number])))
            first = last


def _nothing(n: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(n, pa.string())] * len(TEXTS), list(TEXTS))


def open_columns(sources: Sources, copies: Copies) -> Columns:
    """Return the columns of a state of a workspace, made at first use and then mapped.

    Args:
        copies: where they are kept, one state of a workspace at a time.

    Raises:
        Failure: there is no room, or a file of the workspace is missing or has changed.
    """
    state = sources.digest

    def make(folder: Path) -> dict[str, Any]:
        about = write_columns(folder, sources)
        if sources.digest != state:
            raise Failure("the workspace has changed while its columns were made; try again")
        return about

    size = (BYTES + TEXT_BYTES) * sources.pictures
    copy = Copy(partial(copies.opened, "columns", state, size, make, doing="writing columns:"))
    return copy.read(lambda folder: Columns(folder, state, copy.again))
