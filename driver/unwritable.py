"""Reasons of errors that nobody expected: a full disk above all, and which folder it is."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mapsight.text import plain

__all__ = ["GONE", "full_folder", "reason_of", "stands", "watch_folder"]

TRIED_BYTES = 1 << 18
GONE = "the current folder was deleted: go to another, or name files by their whole paths"
_watched: list[str] = []


def watch_folder(folder: str | Path) -> None:
    """Remember a local folder that is written to, to look at when something fails."""
    if "://" not in str(folder):
        _watched.append(str(folder))


def full_folder(folders: Iterable[str | Path] = ()) -> str:
    """Return "No space left on device: FOLDER" of the first folder that takes no data, else "".

    Args:
        folders: to try; after them those of `watch_folder`, and that of temporary files.
    """
    tried = [*map(str, folders), *_watched]
    with contextlib.suppress(OSError):
        tried.append(tempfile.gettempdir())
    for folder in dict.fromkeys(tried):
        if folder and Path(folder).is_dir() and (why := _why_not(folder)):
            return f"{why}: {plain(folder)}"
    return ""


def _why_not(folder: str) -> str:
    """Return the system's message where a file cannot be written in a folder, else ""."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            left = TRIED_BYTES
            while left > 0:
                left -= file.write(bytes(left))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def reason_of(error: BaseException) -> str:
    """Return what an error says, in one line that names the file or folder where it is known."""
    if isinstance(error, OSError) and error.strerror:
        if error.filename is not None:
            return plain(f"{os.fsdecode(error.filename)}: {error.strerror}")
        if isinstance(error, FileNotFoundError) and not stands():
            return GONE
        if type(error) is OSError and (full := full_folder()):
            return full
        return plain(error.strerror)
    if isinstance(error, OSError | ValueError) and (full := full_folder()):
        return full
    return plain(f"{type(error).__name__}: {error}")


def stands() -> bool:
    """Return whether the current folder is there (it may have been deleted)."""
    try:
        return bool(Path.cwd())
    except OSError:
        return False
