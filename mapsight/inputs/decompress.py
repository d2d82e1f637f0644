"""Reading a file of any compression forward, in bounded memory.

The standard library's own streams for `tarfile` unpack 10 kB of bzip2 to as
many gigabytes as they declare, and stop after the first stream of several.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa

__all__ = ["ByteStream", "StreamError"]

CHUNK = 1 << 18
XZ_MEMORY = 256 << 20  # `xz -9` needs 65 MiB to unpack
SWELL, SWELL_BYTES = 100, 64 << 20  # what unpacks to more than both is no archive of pictures
FAULTS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
MAGIC = {
    "gzip": rb"\x1f\x8b\x08",
    "bzip2": rb"BZh[1-9](1AY&SY|\x17rE8P\x90)",
    "xz": rb"\xfd7zXZ\0|\x5d\0\0\x80",
    "zstd": rb"\x28\xb5\x2f\xfd",
}


class StreamError(ValueError):
    """The file cannot be read any further; `name` is what it broke off in, or ""."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(reason)
        self.name = name


class _Streams:
    """Streams of bzip2 or xz, one after another, unpacked a bounded piece at a time."""

    def __init__(self, handle: Any, start: Callable[[], Any]) -> None:
        self._handle, self._start = handle, start
        self._decoder, self._packed = start(), b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        while True:
            if self._decoder.eof and not self._next():
                return b""
            if self._decoder.needs_input and not self._packed:
                self._packed = self._handle.read(CHUNK)
                if not self._packed:
                    raise EOFError("the compressed data ends early")
            packed, self._packed = self._packed, b""
            if data := self._decoder.decompress(packed, size):
                return data

    def _next(self) -> bool:
        """Return whether another stream follows; zeros between them are padding."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while not rest:
            if not (more := self._handle.read(CHUNK)):
                return False
            rest = more.lstrip(b"\0")
        self._decoder, self._packed = self._start(), rest
        return True


def _unpacked(handle: Any, how: str) -> Any:
    if how == "gzip":
        return gzip.GzipFile(fileobj=handle)
    if how == "bzip2":
        return _Streams(handle, bz2.BZ2Decompressor)
    if how == "xz":
        return _Streams(handle, lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY))
    return pa.CompressedInputStream(pa.PythonFile(handle, "r"), "zstd")


class ByteStream:
    """The bytes of a file, plain or compressed, read once from front to back.

    `at` is the number of bytes passed, unpacked. What a compressed file may
    grow to is limited by SWELL.
    """

    def __init__(self, handle: Any) -> None:
        """`handle`: a binary file that can seek, at its beginning."""
        head = handle.read(16)
        handle.seek(0)
        how = next((how for how, magic in MAGIC.items() if re.match(magic, head)), "")
        self._handle = handle
        self._file = _unpacked(handle, how) if how else handle
        self.compressed = bool(how)
        self.at = 0

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer where the file ends.

        Raises:
            StreamError: the file cannot be read, or its compressed data is damaged.
        """
        parts = []
        while size > 0:
            part = self._some(min(size, CHUNK if self.compressed else size))
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def packed(self) -> int:
        """Return how many bytes of the file were read; it reads ahead."""
        return int(self._handle.tell())

    def _some(self, size: int) -> bytes:
        try:
            part = self._file.read(size)
            self.at += len(part)
            packed = self._handle.tell() if self.compressed else 0
        except FAULTS as error:
            raise self._broken(error) from error
        if self.compressed and self.at > max(SWELL_BYTES, SWELL * packed):
            raise StreamError(f"{packed:,} bytes have grown to {self.at:,}; the rest is not read")
        return part

    def skip(self, size: int) -> bool:
        """Pass over `size` bytes; false if the file ends before."""
        if size > CHUNK and not self.compressed:
            try:
                # a place behind the end can be sought, but not read
                self._handle.seek(self.at + size - 1)
            except FAULTS as error:
                raise self._broken(error) from error
            self.at += size - 1
            size = 1
        while size > 0 and (part := self._some(min(size, CHUNK))):
            size -= len(part)
        return size == 0

    def _broken(self, error: Exception) -> StreamError:
        return StreamError(f"after {self.at:,} bytes: {error}")
