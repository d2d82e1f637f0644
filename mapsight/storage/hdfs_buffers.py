"""Files on HDFS while they are read or written."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from fsspec.caching import BaseCache, register_cache
from fsspec.spec import AbstractBufferedFile

__all__ = ["RangeFile", "Upload"]

SPOOL_BYTES = 8 << 20
"""Of a file that is written, in memory; the rest waits in $TMPDIR."""
AHEAD_BYTES = 64 << 10


class Upload(io.BufferedIOBase):
    """A file that is being written: it waits on this machine until it is closed.

    So an upload can be tried again from its start, and nobody sees a part. What
    is left by an exception, or never closed, is dropped. Memory holds 8 MiB.
    """

    def __init__(self, put: Callable[[BinaryIO], None]) -> None:
        self._put = put
        self._file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 # until close

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            try:
                self._put(self._file)  # type: ignore[arg-type]
            finally:
                self.discard()

    def discard(self) -> None:
        """Forget what was written."""
        self._file.close()
        super().close()

    def __exit__(self, kind: Any, *_: object) -> None:
        self.discard() if kind else self.close()

    def __del__(self) -> None:
        self.discard()


class GrowingCache(BaseCache):
    """Reads what is asked and 64 KiB more, twice as much more each time the next bytes are asked.

    A seek to a row group costs the row group; a stream of small reads few
    requests. Memory: one read and a block.
    """

    name = "growing"

    def __init__(self, blocksize: int, fetcher: Any, size: int) -> None:
        super().__init__(blocksize, fetcher, size)
        self._start, self._data, self._ahead = 0, b"", AHEAD_BYTES

    def _fetch(self, start: int | None, stop: int | None) -> bytes:
        start, stop = start or 0, min(self.size if stop is None else stop, self.size)
        if start >= stop:
            return b""
        first, end = start - self._start, self._start + len(self._data)
        if first >= 0 and stop <= end:
            return self._data[first : first + stop - start]
        follows = self._start <= start <= end
        self._ahead = min(2 * self._ahead, self.blocksize) if follows else AHEAD_BYTES
        kept = self._data[first:] if follows else b""
        until = min(stop + self._ahead, self.size)
        data = kept + self.fetcher(start + len(kept), until)
        self.miss_count += 1
        self.total_requested_bytes += until - start - len(kept)
        # a long read is not held twice: what comes after it is
        cut = stop - start if stop - start > self.blocksize else 0
        self._start, self._data = start + cut, data[cut:]
        return data[: stop - start]


register_cache(GrowingCache, clobber=True)


class RangeFile(AbstractBufferedFile):
    """A file of which ranges are read: `fetch(path, start, end)` gives the bytes."""

    DEFAULT_BLOCK_SIZE = 4 << 20

    def __init__(self, fs: Any, path: str, fetch: Any, block_size: int | None, size: int) -> None:
        self._fetch_bytes = fetch
        super().__init__(fs, path, "rb", block_size or "default", cache_type="growing", size=size)

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self._fetch_bytes(self.path, start, end)
