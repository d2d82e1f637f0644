"""Folders of this machine for temporary files: private, new, and removed when their owner died.

A run's folder holds the document that says which module a job's process imports: whoever can
write there can execute what he likes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from driver.errors import Failure
from driver.workspace.lock import OWNER, died_here, sign
from driver.workspace.writable import RUN_ID
from mapsight.workspace.documents import holder_document

__all__ = [
    "SCRATCH",
    "is_private",
    "local_scratch",
    "orphan_folders",
    "remote_scratch",
    "remove_scratch",
]

SCRATCH = ".tmp"
"""The folder of a local workspace for the temporary files of runs."""
SEARCH_SECONDS = 86400.0


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


def remove_scratch(folder: Path, run_id: str) -> None:
    """Remove temporary folders that dead runs left in a local folder, by what is signed in them.

    Only with the workspace's lock held: a run that is not this one is dead then. Searches hold
    none; theirs go when their process has ended, or after a day.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    for place in folder.iterdir():
        if RUN_ID.fullmatch(place.name) and not place.is_symlink() and place.name != run_id:
            with contextlib.suppress(OSError):
                holder = holder_document((place / OWNER).read_bytes())
                old = time.time() - place.stat().st_mtime > SEARCH_SECONDS
                alive = place.name.startswith("search-") and not (died_here(holder) or old)
                if holder.get("run") == place.name and not alive:
                    shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _prefix() -> str:
    return f"mapsight-{os.getuid()}-"
