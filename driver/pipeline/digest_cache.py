"""Digests of code that an earlier run has worked out, for as long as no file has changed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mapsight.application import APPLICATION, LIBRARY
from mapsight.files import fingerprint, write_whole

__all__ = ["cached_digest"]

SETTLED_SECONDS = 5.0
"""A file may change once more in the tick of its file system's clock in which it was read."""
BESIDE = ("driver", "mr_jobs")

File = tuple[str, os.stat_result]


def cached_digest(roots: tuple[str, ...], data: Sequence[Path], compute: Callable[[], str]) -> str:
    """Return the digest of roots of this program: of the cache, else computed and put there.

    It holds while `stat` says the same of every file of the program and of `data`: an edit
    changes a time that no program can set (ctime), whatever becomes of size and mtime. What
    changed a moment ago is not cached.

    Args:
        roots: what the digest is of.
        data: files outside of the program's packages that count too.
        compute: returns the digest.
    """
    try:
        state = _state([*_program(), *map(_file, data)])
        path, name = _place(), fingerprint([*roots])
    except (OSError, RuntimeError):  # a file is missing, or there is no home
        return compute()
    if state is None:
        return compute()
    digests = _read(path)
    if digests.get(name, {}).get("state") == state:
        return digests[name]["digest"]
    digest = compute()
    with contextlib.suppress(OSError):
        if state == _state([*_program.__wrapped__(), *map(_file, data)]):
            digests[name] = {"state": state, "digest": digest}
            write_whole(path, json.dumps(digests).encode())
    return digest


def _place() -> Path:
    """Return the file of this program's digests; each checkout and Python has one of its own."""
    program = fingerprint([APPLICATION, LIBRARY, sys.version])
    return Path.home() / ".cache" / "mapsight" / "digests" / f"{program}.json"


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        digests = json.loads(path.read_bytes())
        return {n: each for n, each in digests.items() if {*each} == {"state", "digest"}}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _state(files: Sequence[File]) -> str | None:
    """Return what changes with any of the files; None if one has changed a moment ago."""
    digest, newest = hashlib.sha256(), 0
    for path, file in files:
        facts = (file.st_size, file.st_mtime_ns, file.st_ctime_ns, file.st_ino, file.st_dev)
        digest.update(f"{path}\0{facts}\n".encode("utf-8", "surrogateescape"))
        newest = max(newest, file.st_mtime_ns, file.st_ctime_ns)
    return digest.hexdigest() if newest / 1e9 < time.time() - SETTLED_SECONDS else None


@functools.cache
def _program() -> list[File]:
    """Return the program's files, as they are when this process asks first."""
    folders = [LIBRARY, *(f"{APPLICATION}/{name}" for name in BESIDE)]
    return [file for folder in folders for file in _files(folder)]


def _files(folder: str) -> Iterator[File]:
    """Yield the files below a folder by name, but for what Python compiles.

    Raises:
        OSError: it cannot be listed, or a folder is a link, which may lead round in circles.
    """
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if not entry.is_dir():
            yield _file(entry.path)
        elif entry.is_symlink():
            raise OSError(f"{entry.path} is a link")
        elif entry.name != "__pycache__":
            yield from _files(entry.path)


def _file(path: str | Path) -> File:
    return str(path), os.stat(path)  # noqa: PTH116 - a name need not be UTF-8
