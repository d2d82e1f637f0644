"""Files that are what they should be: hashed, locked, written whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = [
    "AlteredError",
    "HashingFile",
    "fingerprint",
    "locked",
    "sha256_of",
    "verify",
    "write_whole",
]


class AlteredError(ValueError):
    """A file does not have the SHA-256 that was recorded for it."""


class HashingFile:
    """A file open for writing that hashes what goes through it; also one that pyarrow writes.

    Attributes:
        sha256: of what was written.
        size: of that, in bytes.
    """

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        """Write bytes, or anything with a buffer; return how many bytes were written."""
        self.sha256.update(data)
        self.size += memoryview(data).nbytes
        return self._file.write(data)

    def flush(self) -> None:
        """Hand on what the file has buffered."""
        self._file.flush()

    def tell(self) -> int:
        """Return the number of bytes so far."""
        return self.size


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fingerprint(document: Any) -> str:
    """Return sixteen hex digits that change with anything in a JSON document."""
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def verify(path: str | Path, expected: str | None) -> str:
    """Return the SHA-256 of a file, which must be `expected` unless that is None.

    Raises:
        AlteredError: it is not; the message names the file and both values.
    """
    found = sha256_of(path)
    if expected is not None and found != expected:
        raise AlteredError(f"{path} is altered: SHA-256 {found}, expected {expected}")
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of `path` (an flock on `path`.lock); it dies with its holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(f"{path}.lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears complete or not at all.

    Raises:
        OSError: it cannot be written; `filename` names it, also where a disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)
