"""Facts of pictures as they come, column by column, to be put into order afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.browse.layout import CODES, REALS, TEXTS, TRUTH_MARK, WHOLES

__all__ = ["Gathered"]

RAW = "{}.raw"
MOST_WHOLE = 0xFFFF_FFFF


class Gathered:
    """Columns in the order in which facts were read, in files.

    Memory: the ids (8 bytes and their letters each), each different name once (Python's some 100
    bytes), and a batch.

    Args:
        folder: where the files are written, which `values` and `codes` take away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.rows = folder, 0
        self._ids: dict[int, list[pa.Array]] = {}
        self._first: dict[int, int] = {}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in CODES}
        self._files = {
            name: (folder / RAW.format(name)).open("wb") for name in (*REALS, *WHOLES, *CODES)
        }
        self.starts: list[int] = []

    def add(self, part: int, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take the facts of pictures; return what is kept as it is: their TEXTS."""
        self._first.setdefault(part, self.rows)
        self._ids.setdefault(part, []).append(batch.column("image_id"))
        for name in REALS:
            self._write(name, batch.column(name).to_numpy(zero_copy_only=False))
        for name in WHOLES:
            whole = batch.column(name).fill_null(0).to_numpy(zero_copy_only=False)
            self._write(name, np.clip(whole, 0, MOST_WHOLE).astype(np.uint32))
        for name in CODES:
            self._write(name, self._coded(name, batch.column(name)))
        self.starts.append(self.rows)
        self.rows += batch.num_rows
        return batch.select(list(TEXTS))

    def _write(self, name: str, values: np.ndarray) -> None:
        self._files[name].write(values.tobytes())

    def _coded(self, name: str, texts: pa.Array) -> np.ndarray:
        """Return provisional codes of a batch's names: (n,) uint32, 0 where not known."""
        if name == "truth":
            texts = pc.binary_join(texts, TRUTH_MARK)
        coded = texts.dictionary_encode()
        known = self._codes[name]
        words = coded.dictionary.to_pylist()
        codes = [known.setdefault(word, len(known) + 1) if word else 0 for word in words]
        numbers = coded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        return np.array([*codes, 0], np.uint32)[numbers]

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()

    def taken_ids(self) -> dict[int, tuple[int, pa.Array]]:
        """Return (place of the first, ids) of each part, which are not kept here any more."""
        taken: dict[int, tuple[int, pa.Array]] = {0: (0, pa.array([], pa.large_string()))}
        while self._ids:
            part, some = self._ids.popitem()
            taken[part] = self._first[part], pa.concat_arrays(some)
        return taken

    def values(self, name: str, kind: type[np.generic]) -> np.ndarray:
        """Return a column, whose file is gone then: (n,) of a kind."""
        path = self._folder / RAW.format(name)
        values = np.fromfile(path, kind)
        path.unlink()
        return values

    def codes(self, name: str) -> tuple[list[str], np.ndarray]:
        """Return (names in order, codes (n,) from 1 in that order, 0 where not known)."""
        known = self._codes.pop(name)
        names = sorted(known)
        kind = next(kind for kind in (np.uint8, np.uint16, np.uint32) if _holds(kind, len(names)))
        final = np.zeros(len(names) + 1, kind)
        final[[known[word] for word in names]] = np.arange(1, len(names) + 1)
        return names, final[self.values(name, np.uint32)]


def _holds(kind: type[np.unsignedinteger], number: int) -> bool:
    return number <= np.iinfo(kind).max


def texts_of(
    batches: Iterator[tuple[int, pa.RecordBatch]], into: Gathered
) -> Iterator[pa.RecordBatch]:
    """Yield the TEXTS of facts that are gathered on the way."""
    for part, batch in batches:
        if batch.num_rows:
            yield into.add(part, batch)
