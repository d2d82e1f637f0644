"""Finding what the user named: files in folders, globs, Parquet, anywhere fsspec reaches."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from mapsight.globs import glob_matches, parent_of, split_glob
from mapsight.hdfs import resolve_hdfs

__all__ = [
    "Found",
    "InputError",
    "find_inputs",
    "image_id_of",
    "is_named",
    "is_tar",
    "is_url_list",
    "open_uri",
    "resolve",
    "safe_id",
    "source_id",
]

HEX_ID = re.compile(r"[0-9a-fA-F]{16}")
SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
TAR = re.compile(r"\.(tar(\.(gz|bz2|xz|zst))?|tgz|tbz2?|txz|tzst)$", re.I)
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


def is_tar(name: str) -> bool:
    """Whether a name is that of a tar archive, compressed or not."""
    return bool(TAR.search(name))


def is_url_list(name: str) -> bool:
    """Whether a name is that of a text or CSV file."""
    return bool(URL_LIST.search(name))


def image_id_of(source: str, name: str | None = None) -> str:
    """The id of a picture: its 16-hex file stem, else a hash of its source.

    >>> image_id_of("pictures/00966a975d566c45.jpg")
    '00966a975d566c45'
    >>> image_id_of("pictures/cat.jpg") == hashlib.sha256(b"pictures/cat.jpg").hexdigest()[:16]
    True
    """
    stem = PurePosixPath(name if name is not None else source).stem
    if HEX_ID.fullmatch(stem):
        return stem.lower()
    return source_id(source)


def source_id(source: str) -> str:
    """The id of a picture of which only its source is known: a hash."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()[:16]


def is_named(image_id: str, source: str) -> bool:
    """Whether an id is the name of a file that a source ends in, and no hash.

    >>> is_named("00966a975d566c45", "pictures/00966A975d566c45.jpg")
    True
    """
    named = HEX_ID.fullmatch(image_id) and image_id in source.lower()
    return bool(named) and image_id != source_id(source)


def safe_id(text: str) -> bool:
    """Whether a given id can be a key: short, printable, sorted the same by every tool."""
    return bool(SAFE_ID.fullmatch(text))


def resolve(uri: str | bytes) -> tuple[Any, str]:
    """(file system, path) of a URI; a local path may hold any characters."""
    text = uri.decode("utf-8", "surrogateescape") if isinstance(uri, bytes) else uri
    local = LocalFileSystem()
    if text.startswith("/") or ("://" not in text and local.exists(text)):
        return local, local._strip_protocol(text)
    if text.startswith("hdfs://"):
        return resolve_hdfs(text)
    if text.startswith("s3://"):  # what jobs have written must be seen
        return fsspec.core.url_to_fs(text, use_listings_cache=False)
    return fsspec.core.url_to_fs(text)


def open_uri(uri: str | bytes) -> Any:
    """An open binary file for what `Found.uri` names."""
    file_system, path = resolve(uri)
    return file_system.open(path, "rb")


def find_inputs(
    typed: str, *, skip: Collection[str] = (), keep: Callable[[str], bool] | None = None
) -> Iterator[Found]:
    """Every regular file of an input, in an order that depends on names only.

    Args:
        typed: a folder, a file or a glob, local or a URI.
        skip: paths of folders that are not looked into (local ones without links).
        keep: called with the name of each file of a folder; false leaves it out.

    A text or CSV file is a list of URLs only when it is named itself.
    Hidden files and folders, and links to folders, are passed over. Memory
    holds the entries of one folder at a time (about 1 kB each), and with a glob
    all that it matches: name a folder when there are millions.

    Raises:
        InputError: nothing is there, or the file system cannot be reached.
    """
    try:
        file_system, path = resolve(typed)
        if file_system.isdir(path):
            yield from _walk(file_system, path, typed.rstrip("/") or "/", frozenset(skip), keep)
        elif file_system.exists(path):
            found = _found(file_system, file_system.info(path), typed)
            yield replace(found, kind="urls") if is_url_list(typed) else found
        elif any(character in typed for character in "*?["):
            yield from _glob(file_system, path, typed, frozenset(skip), keep)
        else:
            raise InputError(f"{typed}: no such file or folder")
    except InputError:
        raise
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{typed}: cannot be listed: {error}") from error


def _glob(
    file_system: Any, pattern: str, typed: str, skip: frozenset[str], keep: Any
) -> Iterator[Found]:
    base, rest = split_glob(file_system, pattern)
    typed_base = parent_of(typed, rest)
    matches = glob_matches(file_system, base, rest)
    if not matches:
        raise InputError(f"{typed}: matches no file")
    for path, info in matches:
        source = typed_base + path[len(base) :]
        if info["type"] == "directory":
            yield from _walk(file_system, path, source, skip, keep)
        elif _is_file(file_system, info):
            yield _found(file_system, info, source)


def _walk(
    file_system: Any, folder: str, source: str, skip: frozenset[str], keep: Any
) -> Iterator[Found]:
    try:
        entries = file_system.ls(folder, detail=True)
    except OSError as error:
        # what a server cannot tell just now may be any number of files
        if not (isinstance(file_system, LocalFileSystem) or isinstance(error, OF_THE_FOLDER)):
            raise
        yield _unreadable(source, _address(file_system, folder))
        return
    for info in sorted(entries, key=lambda entry: entry["name"]):
        name = info["name"].rstrip("/").rsplit("/", 1)[-1]
        inside = f"{source.rstrip('/')}/{name}"
        if name.startswith(".") or _skipped(file_system, info, skip):
            continue
        if _is_file(file_system, info):
            if keep is None or keep(name):
                yield _found(file_system, info, inside)
        elif info["type"] == "directory":
            yield from _walk(file_system, info["name"], inside, skip, keep)


def _skipped(file_system: Any, info: dict[str, Any], skip: frozenset[str]) -> bool:
    path = info["name"]
    if info["type"] != "directory" or not skip:
        return False
    return (os.path.realpath(path) if isinstance(file_system, LocalFileSystem) else path) in skip


def _is_file(file_system: Any, info: dict[str, Any]) -> bool:
    """Regular files, and links that lead to one or to nothing (which is worth a word)."""
    if info.get("islink"):
        return file_system.isfile(info["name"]) or not file_system.exists(info["name"])
    return info["type"] == "file"


def _found(file_system: Any, info: dict[str, Any], source: str) -> Found:
    path = info["name"]
    uri = _address(file_system, path)
    size = info.get("size")
    stamp = next((str(info[key]) for key in STAMPS if info.get(key)), "")
    kind = _kind(file_system, path, source)
    return Found(_text(source), _bytes(uri), -1 if size is None else int(size), stamp, kind)


def _address(file_system: Any, path: str) -> str:
    return path if isinstance(file_system, LocalFileSystem) else file_system.unstrip_protocol(path)


def _kind(file_system: Any, path: str, source: str) -> str:
    if is_tar(source):
        return "tar"
    parquet = source.endswith((".parquet", ".parq")) and _is_parquet(file_system, path)
    return "parquet" if parquet else "picture"


def _unreadable(source: str, folder: str) -> Found:
    """A folder that cannot be listed stands as one file that cannot be opened."""
    return Found(_text(source), _bytes(folder), -1, "", "picture")


def _is_parquet(file_system: Any, path: str) -> bool:
    try:
        with file_system.open(path, "rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(name: str) -> str:
    return _bytes(name).decode("utf-8", "backslashreplace")
