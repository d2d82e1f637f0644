"""Showing what stages have made in a plain folder, beside whatever its user keeps there.

What Mapsight has written into a folder stands in a record, and only that is replaced or removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

from driver.errors import Failure
from driver.workspace.exchange import put_in_place
from driver.workspace.inside import refuse_links, remove_empty
from driver.workspace.runs import runs_of
from driver.workspace.writable import Writable
from mapsight import __version__
from mapsight.files import HashingFile, sha256_of, write_whole
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import files_document
from mapsight.workspace.links import files_below

__all__ = [
    "FILES",
    "RECORDS",
    "Source",
    "adopt",
    "copied",
    "copy_into",
    "publish_here",
    "publish_there",
    "record_of",
    "recover",
    "refuse_foreign",
    "written",
]

FILES = ".mapsight-files.json"
"""The record inside a folder that is not in a workspace."""
RECORDS = {"results": "mapsight-results.json", "report": "mapsight-report.json"}
STAGING = ".mapsight-{}-{}"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A local file that is to be shown; `sha256` is what it must have, "" for any.

    `stage` is the one to run again if it has not.
    """

    path: Path
    sha256: str = ""
    stage: str = ""


def copied(source: Source, target: Path) -> str:
    """Copy a file to where none is; the SHA-256 of what was read.

    Raises:
        Failure: it has changed since it was made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.path.open("rb") as file, target.open("xb") as copy:
        hashing = HashingFile(copy)
        shutil.copyfileobj(file, hashing, BLOCK)
    found = hashing.sha256.hexdigest()
    if source.sha256 not in ("", found):
        target.unlink()
        raise Failure(
            f"{source.path} has changed since it was made; run with --force {source.stage}"
        )
    return found


def record_of(data: bytes | None) -> dict[str, str]:
    """Return the files that a record lists; none where it is missing or damaged."""
    try:
        return files_document(data) if data is not None else {}
    except DamagedDocumentError:
        return {}


def written(files: Mapping[str, str]) -> bytes:
    """Return the record of files, by name with SHA-256."""
    document = {"mapsight": __version__, "files": dict(sorted(files.items()))}
    return f"{json.dumps(document, indent=1)}\n".encode()


def _read(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        if not path.is_symlink():
            return path.read_bytes()
    return None


def refuse_foreign(folder: Path, ours: Iterable[str], files: Mapping[str, Source]) -> None:
    """Find a file that would be overwritten and that Mapsight has not written.

    Raises:
        Failure: there is one; names it.
    """
    known = set(ours)
    for name, source in files.items():
        refuse_links(folder, name)
        path = folder / name
        blocked = next((one for one in path.parents if one.exists() and not one.is_dir()), None)
        if blocked or path.is_dir():
            raise Failure(f"{blocked or path} is in the way of {name}; move it away")
        if name not in known and path.exists() and not _same(path, source.path):
            raise Failure(
                f"{path} was not written by Mapsight, and is not overwritten; move it away"
            )


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.stat().st_size == other.stat().st_size and sha256_of(one) == sha256_of(other)
    return False


def publish_here(workspace: Writable, name: str, files: Mapping[str, Source]) -> None:
    """Show files in a folder of a local workspace: the old ones are seen or the new, no mixture.

    A file of the user's is in both folders until one is gone.

    Raises:
        Failure: one has changed since it was made, or would replace a file of the user's.
    """
    refuse_links(workspace.root, name)
    folder, record = Path(workspace.path(name)), Path(workspace.path(RECORDS[name]))
    old = record_of(_read(record))
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


def publish_there(workspace: Writable, name: str, files: Mapping[str, str]) -> Iterator[str]:
    """Show files in a folder of a remote workspace; yields those to write.

    Args:
        files: SHA-256 by name, "" where it is not known.

    Raises:
        Failure: a file there was not written by Mapsight; names it.
    """
    folder = workspace.path(name)
    old = record_of(_fetched(workspace, RECORDS[name]))
    there = {path[len(folder) + 1 :] for path in workspace.fs.find(folder)}
    for one in sorted(there & (files.keys() - old.keys())):
        raise Failure(
            f"{workspace.uri(name, one)} was not written by Mapsight, and is not overwritten;"
            " move it away"
        )
    workspace.write(written({**old, **files}), RECORDS[name])
    for one in files:
        yield one
    for one in sorted(there & (old.keys() - files.keys())):
        workspace.fs.rm_file(f"{folder}/{one}")
    workspace.write(written(files), RECORDS[name])


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
    return _same(path, shown)


def recover(workspace: Writable) -> None:
    """Bring the folders of a local workspace to order where a run was killed while it showed them.

    Only with the lock held.
    """
    runs: set[str] | None = None
    for name, record in RECORDS.items():
        for staging in Path(workspace.root).glob(STAGING.format(name, "*")):
            run = staging.name.rsplit("-", 1)[-1]
            runs = runs_of(workspace) if runs is None else runs
            if run not in runs or staging.is_symlink() or not re.fullmatch("[0-9a-f]{12}", run):
                continue
            folder = Path(workspace.path(name))
            if folder.is_symlink():
                continue
            if (staging / "old").is_dir() and not folder.exists():
                (staging / "old").rename(folder)
            _take_down(staging, folder, record_of(_read(Path(workspace.path(record)))))


def copy_into(folder: Path, files: Mapping[str, Source]) -> None:
    """Copy files into a folder of the user's, each whole or not at all.

    Raises:
        Failure: one would replace a file that Mapsight has not written, or has changed itself.
    """
    record = folder / FILES
    refuse_links(folder, FILES)
    old = record_of(_read(record))
    refuse_foreign(folder, old, files)
    write_whole(record, written({**old, **{one: source.sha256 for one, source in files.items()}}))
    sums = dict(old)
    for name, source in files.items():
        part = folder / f"{name}.{os.urandom(4).hex()}.part"
        try:
            sums[name] = copied(source, part)
            part.replace(folder / name)
        finally:
            part.unlink(missing_ok=True)
    write_whole(record, written(sums))
