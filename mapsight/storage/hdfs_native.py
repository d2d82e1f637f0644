"""HDFS by libhdfs, the library of a Hadoop distribution, which pyarrow knows how to call."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mapsight.storage.hadoop_conf import hadoop_command
from mapsight.storage.hdfs_base import HdfsFileSystem, error_of

__all__ = ["NativeHdfs", "connect", "find_library"]

JAVA_OPTIONS = "-Xmx256m -Xrs"
"""Java's heap, which comes on top of the task's memory; signals are left to Python."""
LIBRARY = "libhdfs.so"


class NativeHdfs(HdfsFileSystem):
    """A HDFS by pyarrow.

    The library reads a replica that is intact and near, passes over standbys and
    lost DataNodes, and logs in by Kerberos or by the tokens of a task.

    Args:
        arrow: a pyarrow.fs.FileSystem; `connect` gives one.
    """

    cachable = False

    def __init__(self, authority: str = "", arrow: Any = None, **kwargs: Any) -> None:
        super().__init__(authority, **kwargs)
        self._arrow = arrow

    def _entry(self, found: Any) -> dict[str, Any]:
        from pyarrow.fs import FileType

        path = self._strip_protocol(found.path)
        if found.type is FileType.NotFound:
            raise error_of("FileNotFoundException", "", self.unstrip_protocol(path))
        return {
            "name": path,
            "size": found.size or 0,
            "type": "directory" if found.type is FileType.Directory else "file",
            "modificationTime": (found.mtime_ns or 0) // 1_000_000,
        }

    def _info(self, path: str) -> dict[str, Any]:
        return self._entry(self._arrow.get_file_info([path])[0])

    def _entries(self, path: str) -> list[dict[str, Any]]:
        from pyarrow.fs import FileSelector

        info = self._info(path)
        if info["type"] == "file":
            return [info]
        return [self._entry(found) for found in self._arrow.get_file_info(FileSelector(path))]

    def _open_read(self, path: str, block_size: int | None) -> Any:
        if self._info(path)["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, "is a folder", self.unstrip_protocol(path))
        return self._arrow.open_input_file(path)

    def _put(self, path: str, body: BinaryIO, replace: bool = True) -> None:
        """Write under a hidden name beside it, then rename.

        libhdfs does not rename over a file: pyarrow deletes the old one first, so
        that for a moment there is neither.
        """
        folder = self._parent(path)
        part = f"{folder.rstrip('/')}/.{secrets.token_hex(8)}.part"
        self._make_folders(folder)
        body.seek(0)
        try:
            with self._arrow.open_output_stream(part, compression=None) as out:
                shutil.copyfileobj(body, out, 1 << 20)
            self._arrow.move(part, path)
        except OSError as error:
            raise self._named(error, path) from error
        finally:
            if self.exists(part):
                self._arrow.delete_file(part)

    def _make_folders(self, path: str) -> None:
        self._arrow.create_dir(path, recursive=True)

    def _delete(self, path: str, recursive: bool) -> None:
        if self._info(path)["type"] == "file":
            self._arrow.delete_file(path)
        elif recursive or not self._entries(path):
            self._arrow.delete_dir(path)
        else:
            kind = "PathIsNotEmptyDirectoryException"
            raise error_of(kind, "folder is not empty", self.unstrip_protocol(path))

    def _rename(self, path1: str, path2: str) -> None:
        self._info(path1)
        self._arrow.move(path1, path2)

    def checksum(self, path: str) -> str:
        """Size and time of change: pyarrow does not ask for HDFS's checksum."""
        info = self.info(path)
        return f"modified:{info['size']}:{info['modificationTime']}"

    def _named(self, error: OSError, path: str) -> OSError:
        kind = "QuotaExceededException" if "uota" in str(error) else type(error).__name__
        return error_of(kind, str(error), self.unstrip_protocol(path))


def find_library() -> Path | None:
    """Return the libhdfs of this machine, or None."""
    folders = [os.environ.get("ARROW_LIBHDFS_DIR"), os.environ.get("HADOOP_COMMON_LIB_NATIVE_DIR")]
    if home := os.environ.get("HADOOP_HOME"):
        folders.append(f"{home}/lib/native")
    folders += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    paths = (Path(folder, LIBRARY) for folder in folders if folder)
    return next((path for path in paths if path.is_file()), None)


def connect(authority: str, conf: Mapping[str, str]) -> NativeHdfs:
    """Connect to a file system by libhdfs; this starts a Java machine in this process.

    Raises:
        OSError, ImportError: there is no library, no Java, or no NameNode.
    """
    from pyarrow.fs import HadoopFileSystem

    library = find_library()
    if library is None:
        raise OSError(errno.ENOENT, "no libhdfs", LIBRARY)
    os.environ.setdefault("ARROW_LIBHDFS_DIR", str(library.parent))
    os.environ.setdefault("LIBHDFS_OPTS", JAVA_OPTIONS)
    if command := None if os.environ.get("CLASSPATH") else hadoop_command():
        listed = [command, "classpath", "--glob"]
        os.environ["CLASSPATH"] = subprocess.check_output(listed, text=True).strip()
    host, _, port = authority.rpartition(":") if authority else ("default", "", "0")
    if not host:
        host, port = authority, "0"
    return NativeHdfs(authority, HadoopFileSystem(host, int(port)))
