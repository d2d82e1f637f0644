"""Opening what an address names: here, on HDFS, or where SCHEMES lead."""

from __future__ import annotations

from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from mapsight.storage.hdfs import resolve_hdfs
from mapsight.storage.schemes import named_errors, require_file, scheme_of

__all__ = ["open_uri", "resolve"]


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
