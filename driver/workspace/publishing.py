"""Showing what stages have made in a plain folder, beside whatever its user keeps there.

What Mapsight has written into a folder stands in a record, and only that is replaced or removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Any

from driver.errors import Failure
from driver.workspace.exchange import put_in_place
from driver.workspace.owned_files import (
    Source,
    copied,
    read_record,
    record_of,
    refuse_foreign,
    replaced,
    same_bytes,
    written,
)
from driver.workspace.writable import Writable
from mapsight.files import sha256_of, write_whole
from mapsight.workspace.links import files_below, refuse_links, remove_empty

__all__ = [
    "RECORDS",
    "adopt",
    "publish_here",
    "publish_there",
    "recover",
]

RECORDS = {"results": "mapsight-results.json", "report": "mapsight-report.json"}
STAGING = ".mapsight-{}-{}"


def publish_here(workspace: Writable, name: str, files: Mapping[str, Source]) -> None:
    """Show files in a folder of a local workspace: the old ones are seen or the new, no mixture.

    A file of the user's is in both folders until one is gone.

    Raises:
        Failure: one has changed since it was made, or would replace a file of the user's.
    """
    refuse_links(workspace.root, name)
    folder, record = Path(workspace.path(name)), Path(workspace.path(RECORDS[name]))
    old = read_record(record)
    if _is_shown(folder, old, files):
        return
    refuse_foreign(folder, old, files)
    staging = Path(workspace.path(STAGING.format(name, workspace.run_id)))
    write_whole(record, written({**old, **{one: source.sha256 for one, source in files.items()}}))
    new = staging / "new"
    new.mkdir(parents=True)
    try:
        sums = {one: copied(source, new / one) for one, source in files.items()}
        _carry(folder, new, old)
        put_in_place(new, folder, staging / "old")
    finally:
        if folder.is_dir():
            _take_down(staging, folder, {*old, *files})
    write_whole(record, written(sums))


@contextlib.contextmanager
def publish_there(workspace: Writable, name: str, files: Mapping[str, str]) -> Iterator[None]:
    """Enclose the writing of files that are shown in a folder of a remote workspace.

    Args:
        files: SHA-256 by name, "" where it is not known.

    Raises:
        Failure: a file there was not written by Mapsight; names it.
    """
    folder = workspace.path(name)
    old = record_of(_fetched(workspace, RECORDS[name]))
    there = {path[len(folder) + 1 :] for path in workspace.fs.find(folder)}
    for one in sorted(_in_the_way(there - old.keys(), files)):
        raise Failure(
            f"{workspace.uri(name, one)} was not written by Mapsight, and is not overwritten;"
            " move it away"
        )
    workspace.write(written({**old, **files}), RECORDS[name])
    gone = there & {*replaced(old, files)}
    _clear_tables(workspace, folder, gone)
    yield
    for one in sorted(there & (old.keys() - files.keys()) - gone):
        workspace.fs.rm_file(f"{folder}/{one}")
    workspace.write(written(files), RECORDS[name])


def _in_the_way(there: Iterable[str], new: Collection[str]) -> Iterator[str]:
    """Yield the files that have the place of a new one, or of its folder, or are below it."""
    folders = {str(folder) for one in new for folder in PurePosixPath(one).parents}
    for one in there:
        above = map(str, PurePosixPath(one).parents)
        if one in folders or not {one, *above}.isdisjoint(new):
            yield one


def _clear_tables(workspace: Writable, folder: str, files: Collection[str]) -> None:
    """Remove files of tables that are made anew, and the folders that hold nothing else."""
    for one in files:
        workspace.fs.rm_file(f"{folder}/{one}")
    for inside in {one.rpartition("/")[0] for one in files} - {""}:
        path = f"{folder}/{inside}"
        if workspace.fs.isdir(path) and not workspace.fs.find(path):
            workspace.fs.rmdir(path)


def _fetched(workspace: Writable, name: str) -> bytes | None:
    try:
        return workspace.fs.cat_file(workspace.path(name))
    except FileNotFoundError:
        return None


def adopt(workspace: Writable, stages: Mapping[str, Iterable[str]]) -> None:
    """Write down what a workspace of before there were records shows of its stages.

    Args:
        stages: by folder.
    """
    for name, shown in stages.items():
        base = workspace.path(name)
        there = {path[len(base) + 1 :] for path in workspace.fs.find(base)}
        ours = {one for stage in shown for one in _names_of(workspace.committed(stage))}
        if there & ours and _fetched(workspace, RECORDS[name]) is None:
            workspace.write(written(dict.fromkeys(there & ours, "")), RECORDS[name])


def _names_of(document: dict[str, Any] | None) -> Iterator[str]:
    """The names under which the parts of a stage are shown."""
    for part in document["parts"] if document else ():
        yield part["name"][len(document["folder"]) + 1 :]  # type: ignore[index]


def _is_shown(folder: Path, old: Mapping[str, str], files: Mapping[str, Source]) -> bool:
    """Whether a folder has these files as they are, and none of ours beside them."""
    wanted = {name: source.sha256 for name, source in files.items()}
    if old != wanted or not all(wanted.values()):
        return False
    there = {name for name, file in files_below(folder) if S_ISREG(file.st_mode)}
    return wanted.keys() <= there and all(sha256_of(folder / n) == s for n, s in wanted.items())


def _carry(folder: Path, new: Path, ours: Mapping[str, str]) -> None:
    """Bring what the user has in a folder into the one that takes its place; both have it."""
    for place, folders, files in os.walk(folder):
        inside = Path(place).relative_to(folder)
        if place != str(folder) and not (folders or files):
            (new / inside).mkdir(parents=True, exist_ok=True)
        for name in [*files, *(f for f in folders if (Path(place) / f).is_symlink())]:
            if (inside / name).as_posix() not in ours:
                (new / inside).mkdir(parents=True, exist_ok=True)
                _link(Path(place) / name, new / inside / name)


def _link(path: Path, copy: Path) -> None:
    """A second name for a file; a copy where file systems have no such names."""
    if copy.is_symlink() or copy.exists():
        return
    try:
        os.link(path, copy, follow_symlinks=False)
    except OSError:
        if path.is_symlink():
            copy.symlink_to(path.readlink())
        else:
            shutil.copy2(path, copy)


def _take_down(staging: Path, folder: Path, ours: Iterable[str]) -> None:
    """Remove a folder that is shown no more; what only it has goes back to where it was."""
    known = set(ours)
    for part in ("new", "old"):
        for name, file in list(files_below(staging / part)):
            path, shown = staging / part / name, folder / name
            there = shown.is_symlink() or shown.exists()
            same = there and (os.path.samestat(file, shown.lstat()) or _alike(path, shown))
            if same or name in known:
                path.unlink()
            elif not there or file.st_mtime_ns >= shown.lstat().st_mtime_ns:
                shown.parent.mkdir(parents=True, exist_ok=True)
                path.rename(shown)
    remove_empty(staging)


def _alike(path: Path, shown: Path) -> bool:
    if path.is_symlink() or shown.is_symlink():
        return path.is_symlink() and shown.is_symlink() and path.readlink() == shown.readlink()
    return same_bytes(path, shown)


def recover(workspace: Writable) -> None:
    """Bring the folders of a local workspace to order where a run was killed while it showed them.

    Only with the lock held.
    """
    runs: set[str] | None = None
    for name, record in RECORDS.items():
        for staging in Path(workspace.root).glob(STAGING.format(name, "*")):
            run = staging.name.rsplit("-", 1)[-1]
            runs = workspace.runs() if runs is None else runs
            if run not in runs or staging.is_symlink() or not re.fullmatch("[0-9a-f]{12}", run):
                continue
            folder = Path(workspace.path(name))
            if folder.is_symlink():
                continue
            if (staging / "old").is_dir() and not folder.exists():
                (staging / "old").rename(folder)
            _take_down(staging, folder, read_record(Path(workspace.path(record))))
