"""Arrays that somebody else made, in archives or alone: judged by what they declare."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np

__all__ = ["read_member", "read_npy", "read_npz"]

HEADER_BYTES = 4096
"""Of a .npy besides its numbers; those that numpy writes have 128."""


def read_npz(path: str | Path, names: Sequence[str], most: int) -> dict[str, np.ndarray]:
    """Read some arrays of an .npz file; nothing in it is executed, others are not unpacked.

    Args:
        names: of the arrays.
        most: bytes they may take together, unpacked; what is declared is judged first.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, an array is not there, or they are larger.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            declared = 0
            for name in names:
                if f"{name}.npy" not in archive.namelist():
                    raise ValueError(f"no array {name!r}")
                declared += archive.getinfo(f"{name}.npy").file_size
            if declared > most:
                raise ValueError(f"its arrays declare {declared:,} bytes, at most {most:,}")
            return {name: _array(read_member(archive, f"{name}.npy", most)) for name in names}
    except (zipfile.BadZipFile, NotImplementedError):
        raise ValueError("no .npz file") from None


def read_npy(path: str | Path, most: int) -> np.ndarray:
    """Read the array of a .npy file; nothing in it is executed.

    Args:
        most: bytes that it may have.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, holds Python objects, or is larger.
    """
    with Path(path).open("rb") as file:
        data = file.read(most + 1)
    if not data.startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError("no .npy file")
    if len(data) > most:
        raise ValueError(f"more than {most:,} bytes")
    return _array(data)


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read a file of an archive, however much it unpacks to at most so many bytes.

    Raises:
        ValueError: it is larger, or damaged.
    """
    try:
        if archive.getinfo(name).file_size > most:
            raise ValueError(f"{name} declares {archive.getinfo(name).file_size:,} bytes")
        with archive.open(name) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{name} is damaged: {error}") from None
    if len(data) > most:
        raise ValueError(f"{name} has more than {most:,} bytes")
    return data


def _array(data: bytes) -> np.ndarray:
    """Parse a .npy file, whose header may declare no more than there is.

    Raises:
        ValueError: it does, or it is no such file.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"a .npy file of version {version}")
    read = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(file, max_header_size=HEADER_BYTES)
    except (SyntaxError, TokenError, TypeError, RecursionError, MemoryError):
        raise ValueError("a .npy file with a damaged header") from None
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    count = 1
    for side in shape:  # in Python's whole numbers, which do not overflow
        count *= side
    if any(side < 0 for side in shape) or count * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"an array {shape} of {dtype} in {len(data):,} bytes")
    return np.load(io.BytesIO(data), allow_pickle=False)
