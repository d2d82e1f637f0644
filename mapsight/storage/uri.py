"""Opening what an address names: here, on HDFS, or where SCHEMES lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from mapsight.storage.hdfs import resolve_hdfs
from mapsight.storage.schemes import named_errors, require_file, scheme_of

__all__ = ["open_uri", "read_ranges", "resolve"]


def resolve(uri: str | bytes) -> tuple[Any, str]:
    """Return (file system, path) of a URI; a local path may hold any characters.

    Raises:
        AddressError: it is none of `schemes.SCHEMES`.
        OSError, ValueError, ImportError: there is no way to its file system.
    """
    text = uri.decode("utf-8", "surrogateescape") if isinstance(uri, bytes) else uri
    scheme = "" if text.startswith("/") else scheme_of(text)
    text = f"{scheme}{text[len(scheme) :]}"  # in lower case
    if scheme in ("", "file", "local"):
        local = LocalFileSystem()
        return local, local._strip_protocol(text)
    if scheme == "hdfs":
        return resolve_hdfs(text)
    with named_errors(text):
        if scheme == "s3":  # what jobs have written must be seen
            return fsspec.core.url_to_fs(text, use_listings_cache=False)
        return fsspec.core.url_to_fs(text)


def open_uri(uri: str | bytes) -> Any:
    """Open a binary file for what `Found.uri` names; OSError if it is no file."""
    file_system, path = resolve(uri)
    if isinstance(file_system, LocalFileSystem):
        require_file(path)
        return file_system.open(path, "rb")
    with named_errors(path):
        return file_system.open(path, "rb")


def read_ranges(uri: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Read (first byte, end) ranges of a file, nothing between them; memory: all of them.

    Object stores are asked for all at once: an open file of theirs reads 50 MB ahead.
    """
    file_system, path = resolve(uri)
    if not file_system.async_impl:
        with open_uri(uri) as file:
            return [_range_of(file, *one) for one in ranges]
    starts, ends = ([one[side] for one in ranges] for side in (0, 1))
    with named_errors(uri):
        return file_system.cat_ranges([path] * len(ranges), starts, ends, on_error="raise")


def _range_of(file: Any, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)
