"""Files and folders that a command is to write, looked at before it begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from driver.errors import UsageError

HEAD = 4096
"""Bytes at the start of a file that say what it is."""

__all__ = ["check_file", "check_folder", "make_folder", "write_pieces"]


def check_file(option: str, name: str | None, is_ours: Callable[[bytes], bool]) -> None:
    """Check that a file can be written there.

    Args:
        is_ours: whether a file that begins like this (HEAD bytes) is one that the same command
            has written: that alone, and an empty one, is replaced.

    Raises:
        UsageError: it is a folder, its folder is missing, one of them cannot be written, or it is
            a file of the user's.
    """
    if not name:
        return
    path = Path(name).absolute()
    if path.is_dir():
        raise UsageError(f"{option} {name}: is a folder; name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {name}: there is no folder {path.parent}")
    _check_writable(option, name, path if path.exists() else path.parent)
    if path.is_file() and (head := _head(path)) and not is_ours(head):
        raise UsageError(
            f"{option} {name}: holds something else than what this command writes, and is not"
            " overwritten; name another file, or move it away"
        )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b"?"  # nobody can say whose it is


def check_folder(option: str, name: str | None) -> None:
    """Check that a folder is there or can be made, with those above it, and can be written.

    Raises:
        UsageError: it is a file or below one, or cannot be written.
    """
    if not name:
        return
    path = Path(name).absolute()
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    if not there.is_dir():
        raise UsageError(f"{option} {name}: {there} is no folder")
    _check_writable(option, name, there)


def make_folder(option: str, name: str | None) -> None:
    """Make a folder and write to it, before hours of work, not after.

    Raises:
        UsageError: it cannot be made or written.
    """
    if not name:
        return
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option} {name}: cannot be made: {error.strerror}") from None
    try:
        with tempfile.NamedTemporaryFile(prefix=".mapsight-", dir=name) as file:
            file.write(b"can it be written?")
    except OSError as error:
        raise UsageError(f"{option} {name}: cannot be written: {error.strerror}") from None


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file piece by piece; until all of it is there, whatever was there stays.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check_writable(option: str, name: str, path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise UsageError(f"{option} {name}: {path} cannot be written")
