"""Folders of this machine for temporary files: private, new, and removed when their owner died.

A run's folder holds the document that says which module a job's process imports: whoever can
write there can execute what he likes.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from driver.errors import Failure
from driver.workspace.lock import sign

__all__ = ["SCRATCH", "is_private", "local_scratch", "orphan_folders", "remote_scratch"]

SCRATCH = ".tmp"
"""The folder of a local workspace for the temporary files of runs."""


def is_private(path: Path) -> bool:
    """Return whether this is a folder, no link, of this user, where nobody else can write."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def remote_scratch(run_id: str) -> Path:
    """Return a new folder (0700) for a run whose workspace is not on this machine.

    What somebody else has made beforehand, under whichever name, is not used.
    """
    folder = Path(tempfile.mkdtemp(prefix=_prefix()))
    sign(folder, run_id)
    return folder


def orphan_folders() -> Iterator[Path]:
    """Yield the folders that `remote_scratch` of this user has made, of living runs too."""
    return filter(is_private, Path(tempfile.gettempdir()).glob(f"{_prefix()}*"))


def local_scratch(base: Path, run_id: str) -> Path:
    """Return a run's folder (0700) in a folder of a local workspace; both are made if need be.

    Raises:
        Failure: one of them is there and is a link, or others can write to it.
    """
    folder = base / run_id
    for path in (base, folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            if not is_private(path):
                raise Failure(
                    f"{path}: not used for temporary files: it is a link, or not yours alone;"
                    " remove it, or name another --workspace"
                ) from None
    return folder


def _prefix() -> str:
    return f"mapsight-{os.getuid()}-"
