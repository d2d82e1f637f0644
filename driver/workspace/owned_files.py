"""Files copied into a folder beside those of its user: a record says which are Mapsight's.

Only what Mapsight has written is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from driver.errors import Failure
from mapsight import __version__
from mapsight.files import HashingFile, sha256_of, write_whole
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import files_document
from mapsight.workspace.links import refuse_links, remove_empty

__all__ = [
    "FILES",
    "Source",
    "copied",
    "copy_into",
    "read_record",
    "record_of",
    "refuse_foreign",
    "replaced",
    "same_bytes",
    "written",
]

FILES = ".mapsight-files.json"
"""The record inside a folder that is not in a workspace."""
BLOCK = 1 << 20
TABLE = ".parquet"
"""How tables end that are a file, or a folder of parts."""


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


def read_record(path: Path) -> dict[str, str]:
    """Return the files that a record lists; none where it is missing, damaged or a link."""
    with contextlib.suppress(OSError):
        if not path.is_symlink():
            return record_of(path.read_bytes())
    return {}


def refuse_foreign(folder: Path, ours: Iterable[str], files: Mapping[str, Source]) -> None:
    """Find a file that would be overwritten and that Mapsight has not written.

    Raises:
        Failure: there is one; names it.
    """
    known = set(ours)
    for name, source in files.items():
        refuse_links(folder, name)
        path, blocked = folder / name, _in_the_way(folder, name, known)
        if blocked:
            raise Failure(f"{blocked} is in the way of {name}; move it away")
        if name not in known and path.is_file() and not same_bytes(path, source.path):
            raise Failure(
                f"{path} was not written by Mapsight, and is not overwritten; move it away"
            )


def _in_the_way(folder: Path, name: str, ours: Set[str]) -> Path | None:
    """Return a file where a name needs a folder, or a folder in its place, that is not ours."""
    path = folder / name
    for one in path.parents:
        if one.exists() and not one.is_dir():
            return one if os.path.relpath(one, folder) not in ours else None
    if not path.is_dir():
        return None
    inside = {f"{name}/{one.name}" for one in path.iterdir()}
    return None if inside and inside <= ours else path


def replaced(old: Iterable[str], new: Collection[str]) -> list[str]:
    """Return the old files of tables that are written anew, in parts or in one, and go with it.

    Readers of a table in parts take all files that are beside them.

    >>> replaced(["a.parquet/1", "b.parquet", "c.csv"], ["a.parquet/0", "b.parquet/0", "d.csv"])
    ['a.parquet/1', 'b.parquet']
    """
    tables = {name.split("/")[0] for name in new if name.split("/")[0].endswith(TABLE)}
    return [name for name in old if name not in new and name.split("/")[0] in tables]


def same_bytes(one: Path, other: Path) -> bool:
    """Return whether two files can be read and hold the same."""
    with contextlib.suppress(OSError):
        return one.stat().st_size == other.stat().st_size and sha256_of(one) == sha256_of(other)
    return False


def copy_into(folder: Path, files: Mapping[str, Source]) -> None:
    """Copy files into a folder of the user's, each whole or not at all.

    Raises:
        Failure: one would replace a file that Mapsight has not written, or has changed itself.
    """
    record = folder / FILES
    refuse_links(folder, FILES)
    old = read_record(record)
    refuse_foreign(folder, old, files)
    write_whole(record, written({**old, **{one: source.sha256 for one, source in files.items()}}))
    for name in replaced(list(old), files):
        (folder / name).unlink(missing_ok=True)
        if "/" in name:
            remove_empty((folder / name).parent)
        del old[name]
    sums = dict(old)
    for name, source in files.items():
        part = folder / f"{name}.{os.urandom(4).hex()}.part"
        try:
            sums[name] = copied(source, part)
            part.replace(folder / name)
        finally:
            part.unlink(missing_ok=True)
    write_whole(record, written(sums))
