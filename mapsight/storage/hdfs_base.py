"""What every way to HDFS has in common: names, whole writes, listings that hide no fault."""

from __future__ import annotations

import errno
import io
import os
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any, BinaryIO

from fsspec.spec import AbstractFileSystem
from fsspec.utils import stringify_path

from mapsight.storage.hdfs_buffers import Upload

__all__ = ["HdfsFileSystem", "error_of"]

ADDRESS = re.compile(r"hdfs://[^/]*", re.S)
REASONS: dict[str, tuple[type[OSError], int]] = {
    "FileNotFoundException": (FileNotFoundError, errno.ENOENT),
    "PathIsNotEmptyDirectoryException": (OSError, errno.ENOTEMPTY),
    "FileAlreadyExistsException": (FileExistsError, errno.EEXIST),
    "ParentNotDirectoryException": (NotADirectoryError, errno.ENOTDIR),
    "AccessControlException": (PermissionError, errno.EACCES),
    "SecurityException": (PermissionError, errno.EACCES),
    "NSQuotaExceededException": (OSError, errno.EDQUOT),
    "DSQuotaExceededException": (OSError, errno.EDQUOT),
    "QuotaByStorageTypeExceededException": (OSError, errno.EDQUOT),
    "QuotaExceededException": (OSError, errno.EDQUOT),
}


def error_of(kind: str, message: str, address: str) -> OSError:
    """Return the error for a Java exception's simple name: one line, with the address."""
    what, number = REASONS.get(kind, (OSError, errno.EIO))
    line = next(iter(message.strip().splitlines()), "") or kind
    if number == errno.ENOENT:
        line = os.strerror(number)
    return what(number, f"No space: {line}" if number == errno.EDQUOT else line, address)


class HdfsFileSystem(AbstractFileSystem):
    """`hdfs://authority/…`, whichever way it is reached.

    Paths are absolute and taken as they are: no character is special. `info`
    and `ls` give `name`, `size`, `type` (`file` or `directory`) and
    `modificationTime` in ms, by name, never from a cache. A file that is
    written takes its place when it is whole; folders above it are made. `mv`
    replaces a file. What cannot be read is an error everywhere, also in `exists`
    and `find`, which for other file systems of fsspec say that it is not there.
    """

    protocol = "hdfs"
    root_marker = "/"

    def __init__(self, authority: str = "", **kwargs: Any) -> None:
        super().__init__(**{"use_listings_cache": False, **kwargs})
        self.authority = authority

    # ---- what each way has to give; paths are stripped

    @abstractmethod
    def _info(self, path: str) -> dict[str, Any]:
        """One entry. Raises FileNotFoundError."""

    @abstractmethod
    def _entries(self, path: str) -> list[dict[str, Any]]:
        """The entries of a folder, or the one of a file. Raises FileNotFoundError."""

    @abstractmethod
    def _open_read(self, path: str, block_size: int | None) -> Any:
        """A seekable binary file."""

    @abstractmethod
    def _put(self, path: str, body: BinaryIO, replace: bool = True) -> None:
        """Write a seekable file's bytes, from its start, whole or not at all; makes folders."""

    @abstractmethod
    def _make_folders(self, path: str) -> None:
        """Make a folder and those above it, unless they are there."""

    @abstractmethod
    def _delete(self, path: str, recursive: bool) -> None:
        """Delete without a trash. Raises FileNotFoundError, or ENOTEMPTY."""

    @abstractmethod
    def _rename(self, path1: str, path2: str) -> None:
        """Give another name to a file or folder; replaces a file."""

    @abstractmethod
    def checksum(self, path: str) -> str:
        """Return a text that differs when the file's bytes do."""

    # ---- names

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """
        >>> HdfsFileSystem._strip_protocol("hdfs://host:8020/a b//c#d?e=%20/")
        '/a b/c#d?e=%20'
        """
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        bare = ADDRESS.sub("", stringify_path(path), count=1)
        return "/" + "/".join(part for part in bare.split("/") if part)

    def unstrip_protocol(self, name: str) -> str:
        return f"hdfs://{self.authority}{self._strip_protocol(name)}"

    @property
    def fsid(self) -> str:
        return f"hdfs_{self.authority}"

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        return self._info(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        entries = sorted(self._entries(self._strip_protocol(path)), key=lambda e: e["name"])
        return entries if detail else [entry["name"] for entry in entries]

    def walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: str | Callable[[OSError], None] = "omit",
        **kwargs: Any,
    ) -> Any:
        handler = _omit_missing if on_error == "omit" else on_error
        return super().walk(path, maxdepth, topdown, on_error=handler, **kwargs)

    def exists(self, path: str, **kwargs: Any) -> bool:
        return self._type(path) is not None

    def isdir(self, path: str) -> bool:
        return self._type(path) == "directory"

    def isfile(self, path: str) -> bool:
        return self._type(path) == "file"

    def _type(self, path: str) -> str | None:
        try:
            return self.info(path)["type"]
        except (FileNotFoundError, NotADirectoryError):
            return None

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self.info(path)["modificationTime"] / 1000, timezone.utc)

    def checksums(self, paths: Sequence[str]) -> list[str]:
        """Return the checksums of many files, in their order."""
        return [self.checksum(path) for path in paths]

    def ukey(self, path: str) -> str:
        return self.checksum(path)

    # ---- reading and writing

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **kwargs: Any) -> Any:
        if mode == "rb":
            return self._open_read(path, block_size)
        if mode == "wb":
            return Upload(lambda body: self._put(path, body))
        raise ValueError(f"{self.unstrip_protocol(path)}: opened with {mode!r}, not 'rb' or 'wb'")

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        """Write a file whole; with mode `create`, only one of many writers succeeds.

        By libhdfs and by the command two that come in the same moment may both.
        """
        path = self._strip_protocol(path)
        if mode == "create" and self.exists(path):
            raise FileExistsError(errno.EEXIST, "exists already", self.unstrip_protocol(path))
        self._put(path, io.BytesIO(value), replace=mode != "create")

    def put_file(self, lpath: Any, rpath: str, *args: Any, **kwargs: Any) -> None:
        if os.path.isdir(lpath):  # noqa: PTH112 # bytes are names too
            self.makedirs(rpath, exist_ok=True)
            return
        with open(lpath, "rb") as body:  # noqa: PTH123
            self._put(self._strip_protocol(rpath), body)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file, through this machine; memory holds one block of it."""
        if self.isdir(path1):
            self.makedirs(path2, exist_ok=True)
            return
        with self.open(path1, "rb") as body:
            self._put(self._strip_protocol(path2), body)

    # ---- folders

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        self.makedirs(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        path = self._strip_protocol(path)
        if not exist_ok and self.exists(path):
            raise FileExistsError(errno.EEXIST, "exists already", self.unstrip_protocol(path))
        self._make_folders(path)

    def rmdir(self, path: str) -> None:
        self.rm(path)

    def rm_file(self, path: str) -> None:
        self.rm(path)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        for each in path if isinstance(path, list) else [path]:
            self._delete(self._strip_protocol(each), recursive)

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        self._rename(self._strip_protocol(path1), self._strip_protocol(path2))

    def invalidate_cache(self, path: str | None = None) -> None:
        """Do nothing: nothing is cached."""


def _omit_missing(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error
