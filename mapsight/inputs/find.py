"""Finding what the user named: files in folders, globs, Parquet, here or where SCHEMES lead."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from mapsight.inputs.container_kinds import is_tar, kind_of
from mapsight.inputs.named_inputs import NamedInputs
from mapsight.inputs.table_logs import TableError, delta_files, refuse_tables
from mapsight.redaction import public_address, without_secrets
from mapsight.storage.folder_listings import Listings
from mapsight.storage.globs import glob_matches, parent_of, split_glob
from mapsight.storage.passed_over import passes_over
from mapsight.storage.schemes import AddressError, named_errors
from mapsight.storage.uri import resolve

__all__ = [
    "Found",
    "InputError",
    "find_inputs",
    "is_tar",
    "is_url_list",
]

URL_LIST = re.compile(r"\.(txt|csv|tsv)(\.(gz|bz2|xz))?$", re.I)
OF_THE_FOLDER = (PermissionError, FileNotFoundError, NotADirectoryError)
STAMPS = ("mtime", "LastModified", "last_modified", "modificationTime", "ETag", "etag", "updated")


class InputError(ValueError):
    """An input that cannot be used at all; the message names it and says why."""


@dataclass(frozen=True)
class Found:
    """A file that was found.

    `source` is what the user would call it, valid UTF-8; `uri` is what opens
    it, as bytes because a file name need not be UTF-8; `bytes` is its size or
    -1; `stamp` changes when the file does; `kind` is `picture`, or for a file
    that holds many of them `parquet`, `tar` or `urls`.
    """

    source: str
    uri: bytes
    bytes: int
    stamp: str
    kind: str


def is_url_list(name: str) -> bool:
    """Return whether a name is that of a text or CSV file."""
    return bool(URL_LIST.search(name))


@dataclass(frozen=True)
class _Search:
    """What all that is found for an input has in common."""

    file_system: Any
    listings: Listings
    skip: frozenset[str]
    keep: Callable[[str], bool] | None
    named: NamedInputs

    @property
    def local(self) -> bool:
        return isinstance(self.file_system, LocalFileSystem)

    def real(self, path: str) -> str:
        """Return the one name of a file or folder."""
        return os.path.realpath(path) if self.local else self.file_system.unstrip_protocol(path)

    def enters(self, info: dict[str, Any]) -> bool:
        """Return whether it is a folder inside another that is looked into, and has not been."""
        if info["type"] != "directory" or info.get("islink"):
            return False
        real = self.real(info["name"])
        place = real if self.local else info["name"]
        return not (place in self.skip or self.named.had_folder(real))

    def keeps(self, place: str) -> bool:
        """Return whether a file of a folder is wanted, by its name."""
        return self.keep is None or self.keep(place.rsplit("/", 1)[-1])

    def is_file(self, info: dict[str, Any]) -> bool:
        """Return whether it is a regular file, or a link to nothing or to one not read itself."""
        path = info["name"]
        if info.get("islink"):
            if not self.file_system.isfile(path):
                return not self.file_system.exists(path)
            return not self.named.has_target(path, self.skip)
        return info["type"] == "file"


def find_inputs(
    typed: str,
    *,
    skip: Collection[str] = (),
    keep: Callable[[str], bool] | None = None,
    named: NamedInputs | None = None,
) -> Iterator[Found]:
    """Find every regular file of an input, in an order that depends on names only.

    Args:
        typed: a folder, a file or a glob, local or a URI.
        skip: paths of folders that are not looked into (local ones without links).
        keep: called with the name of each file of a folder; false leaves it out.
        named: what the inputs of a run have in common: of several, a file is read once.

    A text or CSV file is a list of URLs only when it is named itself.
    Hidden files and folders, links to folders and to files that are read
    themselves, and the marks of Hadoop and Spark are passed over; of a Delta table
    the files are those that its log names. Folders are listed several at a time
    (`Listings`): memory holds their entries, and with a glob all that it matches: name
    a folder when there are millions.

    Raises:
        InputError: nothing is there, the file system cannot be reached, or it is a
            table whose present files cannot be told.
    """
    shown = public_address(typed)
    try:
        with named_errors(typed):
            yield from _files(typed, shown, frozenset(skip), keep, named or NamedInputs([typed]))
    except InputError:
        raise
    except AddressError as error:
        raise InputError(str(error)) from error
    except (OSError, ValueError, ImportError) as error:
        reason = without_secrets(str(error), typed)
        raise InputError(f"{shown}: cannot be listed: {reason}") from error


def _files(
    typed: str, shown: str, skip: frozenset[str], keep: Any, named: NamedInputs
) -> Iterator[Found]:
    file_system, path = resolve(typed)
    with Listings(file_system) as listings:
        search = _Search(file_system, listings, skip, keep, named)
        yield from _named(search, typed, path, shown)


def _named(search: _Search, typed: str, path: str, shown: str) -> Iterator[Found]:
    file_system = search.file_system
    if file_system.isdir(path):
        if search.named.add_folder(search.real(path)):
            yield from _walk(search, path, shown.rstrip("/") or "/")
    elif file_system.isfile(path):
        found = _found(file_system, file_system.info(path), shown)
        if search.named.add_file(search.real(path)):
            yield replace(found, kind="urls") if is_url_list(shown) else found
    elif any(character in typed for character in "*?["):
        yield from _glob(search, path, shown)
    elif file_system.exists(path):
        raise InputError(f"{shown}: is neither a file nor a folder")
    else:
        raise InputError(f"{shown}: no such file or folder")


def _glob(search: _Search, pattern: str, typed: str) -> Iterator[Found]:
    base, rest = split_glob(search.file_system, pattern)
    typed_base = parent_of(typed, rest)
    matches = glob_matches(search.file_system, base, rest)
    if not matches:
        raise InputError(f"{typed}: matches no file")
    # links come last, so that what they lead to is read under its own name
    matches.sort(key=lambda match: bool(match[1].get("islink")))
    for path, info in matches:
        source = typed_base + path[len(base) :]
        if info["type"] == "directory":
            if search.named.add_folder(search.real(path)):
                yield from _walk(search, path, source)
        elif search.is_file(info) and search.named.add_file(search.real(path)):
            yield _found(search.file_system, info, source)


def _walk(search: _Search, folder: str, source: str) -> Iterator[Found]:
    file_system = search.file_system
    try:
        entries = search.listings.of(folder)
    except OSError as error:
        # what a server cannot tell just now may be any number of files
        if not (search.local or isinstance(error, OF_THE_FOLDER)):
            raise
        yield _unreadable(source, _address(file_system, folder))
        return
    named = {info["name"].rstrip("/").rsplit("/", 1)[-1]: info for info in entries}
    try:
        refuse_tables(file_system, folder, named)
        if "_delta_log" in named:
            yield from _table(search, folder, source)
            return
    except TableError as error:
        raise InputError(f"{source}: {error}") from None
    over = passes_over(named)
    inside = {f"{source.rstrip('/')}/{n}": named[n] for n in sorted(named) if not over(n)}
    folders = [info["name"] for info in inside.values() if search.enters(info)]
    turns, below = search.listings.in_turn(folders), frozenset(folders)
    for place, info in inside.items():
        if info["name"] in below:
            yield from _walk(search, next(turns), place)
        elif search.is_file(info) and search.keeps(place):
            yield from _unless_read(search, info, place)


def _unless_read(search: _Search, info: dict[str, Any], source: str) -> Iterator[Found]:
    """A file of a folder, unless it was named itself before."""
    if not search.named.had(lambda: search.real(info["name"])):
        yield _found(search.file_system, info, source)


def _table(search: _Search, folder: str, source: str) -> Iterator[Found]:
    """The files of a Delta table; one that is not there cannot be opened."""
    for name in delta_files(search.file_system, folder):
        inside, path = f"{source.rstrip('/')}/{name}", f"{folder.rstrip('/')}/{name}"
        try:
            yield _found(search.file_system, search.file_system.info(path), inside)
        except FileNotFoundError:
            yield _unreadable(inside, _address(search.file_system, path))


def _found(file_system: Any, info: dict[str, Any], source: str) -> Found:
    path = info["name"]
    local = isinstance(file_system, LocalFileSystem)
    size = info.get("size")
    stamp = _stamp(path) if local else ""
    stamp = stamp or next((str(info[key]) for key in STAMPS if info.get(key)), "")
    kind = kind_of(file_system, path, source, near=local)
    uri = _bytes(_address(file_system, path))
    return Found(_text(source), uri, -1 if size is None else int(size), stamp, kind)


def _stamp(path: str) -> str:
    """Return what changes with a local file; of a link, also with the file it leads to.

    The inode tells of links alone: a copy of a folder, with its times, holds the same pictures.
    """
    try:
        file = os.stat(path)  # noqa: PTH116 - a name need not be UTF-8
        inode = f"-{file.st_ino}" if os.path.islink(path) else ""  # noqa: PTH114
    except OSError:
        return ""
    return f"{file.st_mtime_ns}{inode}"


def _address(file_system: Any, path: str) -> str:
    return path if isinstance(file_system, LocalFileSystem) else file_system.unstrip_protocol(path)


def _unreadable(source: str, folder: str) -> Found:
    """A folder that cannot be listed stands as one file that cannot be opened."""
    return Found(_text(source), _bytes(folder), -1, "", "picture")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(name: str) -> str:
    return _bytes(name).decode("utf-8", "backslashreplace")
