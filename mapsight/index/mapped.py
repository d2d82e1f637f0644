"""Arrow files that are mapped into memory, and held to their checksums where they are touched.

Beside a file lies one of its sums: for each extent, one after the other, where it ends (uint64)
and its SHA-256. Of a file of batches the first extent is what comes before them, the last what
comes after, and each batch is one. Nothing is given to Arrow before it was compared: what is
damaged may end the process that reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import pyarrow as pa

from mapsight.files import HashingFile

__all__ = [
    "DamagedError",
    "MappedBatches",
    "MappedFile",
    "MappedFolder",
    "Repair",
    "write_batches",
    "write_file",
]

Got = TypeVar("Got")
Repair = Callable[[Callable[[Path], None]], None]
"""Makes a folder anew, and has it mapped by what it is given."""

SUMS = ".sums"
EXTENT = np.dtype([("end", "<u8"), ("sha256", "V32")])


class DamagedError(ValueError):
    """A mapped file is not what was written."""


class _Summed(HashingFile):
    """A file that is hashed extent by extent."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._extents: list[tuple[int, bytes]] = []

    def end_extent(self) -> None:
        self._extents.append((self.size, self.sha256.digest()))
        self.sha256 = hashlib.sha256()

    def sums(self) -> bytes:
        return np.array(self._extents, EXTENT).tobytes()


def write_file(path: Path, data: bytes) -> None:
    """Write a file of one extent, and its sums."""
    with path.open("wb") as file:
        summed = _Summed(file)
        summed.write(data)
        summed.end_extent()
    path.with_suffix(SUMS).write_bytes(summed.sums())


def write_batches(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write an Arrow file of some batches, and its sums; how many there were. Memory: a batch.

    Without a batch there is no schema: the file is empty.
    """
    n, writer = 0, None
    with path.open("wb") as file:
        summed = _Summed(file)
        for batch in batches:
            if writer is None:
                writer = pa.ipc.new_file(summed, batch.schema)
                summed.end_extent()
            writer.write_batch(batch)
            summed.end_extent()
            n += 1
        if writer:
            writer.close()
        summed.end_extent()
    path.with_suffix(SUMS).write_bytes(summed.sums())
    return n


class MappedFile:
    """A file with sums, mapped: it can be read when its name is gone.

    Memory: its sums, 40 bytes an extent.

    Raises:
        DamagedError: its sums do not describe a file of this size.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._data = pa.memory_map(str(path)).read_buffer()
        try:
            sums = np.frombuffer(path.with_suffix(SUMS).read_bytes(), EXTENT)
        except ValueError:
            raise self._damaged() from None
        self._ends = np.concatenate([[0], sums["end"]]).astype(np.uint64)
        self._sums = sums["sha256"]
        self._checked = np.zeros(len(sums), bool)
        grows = bool((self._ends[1:] >= self._ends[:-1]).all())
        if not grows or int(self._ends[-1]) != self._data.size:
            raise self._damaged()

    def __len__(self) -> int:
        """How many extents it has."""
        return len(self._checked)

    def extent(self, number: int) -> pa.Buffer:
        """Return the bytes of an extent, compared when they are first asked for.

        Raises:
            DamagedError: they are not what was written.
        """
        begin, end = (int(place) for place in self._ends[number : number + 2])
        data = self._data.slice(begin, end - begin)
        if not self._checked[number]:
            if hashlib.sha256(data).digest() != self._sums[number].tobytes():
                raise self._damaged()
            self._checked[number] = True
        return data

    def whole(self) -> pa.Buffer:
        """Return all of the file, each extent of it compared."""
        for number in range(len(self)):
            self.extent(number)
        return self._data

    def _damaged(self) -> DamagedError:
        return DamagedError(f"{self.path}: damaged: not what was written")


class MappedBatches:
    """The batches of a file that `write_batches` wrote; each is compared at first touch.

    Raises:
        DamagedError: it is not what was written.
    """

    def __init__(self, path: Path) -> None:
        self._file = MappedFile(path)
        self.num_record_batches = max(len(self._file) - 2, 0)
        if self.num_record_batches:
            self._file.extent(0)
            self._file.extent(len(self._file) - 1)
            self._reader = pa.ipc.open_file(self._file._data)

    def get_batch(self, number: int) -> pa.RecordBatch:
        """Return a batch; it points into the file."""
        self._file.extent(number + 1)
        return self._reader.get_batch(number)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return map(self.get_batch, range(self.num_record_batches))


class MappedFolder:
    """Mapped files of a folder that is made anew when one of them is damaged.

    Args:
        folder: that has the files.
        repair: makes them anew; None raises the error.
    """

    def __init__(self, folder: Path, repair: Repair | None) -> None:
        self._repair = repair
        self._map(folder)

    def _map(self, folder: Path) -> None:
        """Map the files of a folder."""
        raise NotImplementedError

    def _whole_or_anew(self, read: Callable[[], Got]) -> Got:
        """Read something; once more if it is damaged and could be made anew."""
        try:
            return read()
        except DamagedError:
            if self._repair is None:
                raise
            self._repair(self._map)
            return read()
