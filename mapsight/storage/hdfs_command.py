"""HDFS by the `hadoop fs` command: a second or more for each question, but wherever Hadoop is."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any, BinaryIO

from mapsight.storage.hdfs_base import HdfsFileSystem, error_of

__all__ = ["CommandHdfs"]

SPECIAL = re.compile(r"([\\*?\[\]{}^])")
FORMAT = "%F|%b|%Y|%n"
LOGGED = re.compile(r"^\d{2,4}[-/]\d\d[-/]\d\d |^(WARN|INFO|SLF4J|log4j|WARNING|Picked up)\b")
KINDS = (
    ("No such file or directory", "FileNotFoundException"),
    ("Permission denied", "AccessControlException"),
    ("quota", "QuotaExceededException"),
    ("is not empty", "PathIsNotEmptyDirectoryException"),
    ("Is a directory", "PathIsNotEmptyDirectoryException"),
    ("File exists", "FileAlreadyExistsException"),
    ("s not a directory", "ParentNotDirectoryException"),
)
MAX_MESSAGE = 64 << 10
GROUP = 100


class CommandHdfs(HdfsFileSystem):
    """A HDFS by a program: each operation starts a Java machine.

    Files that are read are fetched whole into $TMPDIR first, with HDFS's
    checksums compared. The program finds NameNodes and passes over standbys, logs
    in by Kerberos or by the tokens of a task, and tries again, all by itself.
    """

    lists_at_once = 4  # each takes a core for a second

    def __init__(self, authority: str = "", command: str = "hadoop", **kwargs: Any) -> None:
        super().__init__(authority, **kwargs)
        self._command = command

    def _run(self, path: str, *arguments: str, **streams: Any) -> bytes:
        """Return what `hadoop fs` prints; `path` is what errors are about."""
        code, out, error = self._outcome(*arguments, **streams)
        if code:
            raise self._error(error, path)
        return out

    def _outcome(self, *arguments: str, **streams: Any) -> tuple[int, bytes, str]:
        # file names are in UTF-8 whatever the shell that started this
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **streams}
        with tempfile.TemporaryFile() as said:
            command = [self._command, "fs", *arguments]
            done = subprocess.run(command, stderr=said, env=environment, **streams)
            said.seek(max(0, said.tell() - MAX_MESSAGE) if said.seek(0, os.SEEK_END) else 0)
            return done.returncode, done.stdout or b"", said.read().decode("utf-8", "replace")

    def _error(self, said: str, path: str) -> OSError:
        lines = [line for line in said.splitlines() if line and not LOGGED.match(line)]
        message = next(
            (x for x in lines if re.match(r"-?[a-zA-Z]+: ", x)), (lines or ["failed"])[0]
        )
        kind = next((kind for text, kind in KINDS if text in message), "IOException")
        return error_of(kind, re.sub(r"^-?\w+: ", "", message), self.unstrip_protocol(path))

    def _arg(self, path: str) -> str:
        """An address whose characters are all taken as they are."""
        return self.unstrip_protocol(SPECIAL.sub(r"\\\1", path))

    def _info(self, path: str) -> dict[str, Any]:
        line = self._run(path, "-stat", FORMAT, self._arg(path)).decode()
        return {**_entry(line.rstrip("\n")), "name": path}

    def _entries(self, path: str) -> list[dict[str, Any]]:
        place = self._arg(path)
        inside = f"{place.rstrip('/')}/*"
        code, out, error = self._outcome("-stat", FORMAT, place, inside)
        lines = out.decode().splitlines()
        # an empty folder has nothing that `*` is: not an error
        if not lines or (code and "No such file or directory" not in error):
            raise self._error(error, path)
        first = _entry(lines[0])
        if first["type"] == "file":
            return [{**first, "name": path}]
        base = path.rstrip("/")
        found = map(_entry, lines[1:])
        return [{**entry, "name": f"{base}/{entry['name']}"} for entry in found]

    def _open_read(self, path: str, block_size: int | None) -> Any:
        file = tempfile.TemporaryFile()  # noqa: SIM115 # the caller closes it
        try:
            self._run(path, "-cat", self._arg(path), stdout=file)
        except OSError as error:
            file.close()
            if error.errno == errno.ENOTEMPTY:
                raise IsADirectoryError(errno.EISDIR, "is a folder", error.filename) from None
            raise
        file.seek(0)
        return file

    def _put(self, path: str, body: BinaryIO, replace: bool = True) -> None:
        """Write under `NAME._COPYING_`, delete what is there, rename: the program's own way.

        For some milliseconds there is neither the old file nor the new one; a
        program that is killed just then leaves the new one under the other name.
        """
        try:
            self._put_once(path, body, replace)
        except FileNotFoundError:
            self._make_folders(self._parent(path))
            self._put_once(path, body, replace)

    def _put_once(self, path: str, body: BinaryIO, replace: bool) -> None:
        body.seek(0)
        with tempfile.TemporaryFile() as file:
            # a pipe would need a thread; only a file on disk can be the program's input
            while block := body.read(1 << 20):
                file.write(block)
            file.seek(0)
            how = ["-f"] if replace else []
            self._run(path, "-put", *how, "-", self._arg(path), stdin=file)

    def _make_folders(self, path: str) -> None:
        self._run(path, "-mkdir", "-p", self._arg(path))

    def _delete(self, path: str, recursive: bool) -> None:
        how = ["-r"] if recursive else []
        try:
            self._run(path, "-rm", *how, "-skipTrash", self._arg(path))
        except OSError as error:
            if recursive or error.errno != errno.ENOTEMPTY:
                raise
            self._run(path, "-rmdir", self._arg(path))

    def _rename(self, path1: str, path2: str) -> None:
        """Deletes what is there first: the program has no other way."""
        self._info(path1)
        if self.isfile(path2):
            self._delete(path2, recursive=False)
        self._run(path1, "-mv", self._arg(path1), self._arg(path2))

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file, or make a folder as the other is."""
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        if self.isdir(path1):
            self._make_folders(path2)
            return
        self._make_folders(self._parent(path2))
        self._run(path1, "-cp", "-f", self._arg(path1), self._arg(path2))

    def checksum(self, path: str) -> str:
        """Return HDFS's own: the MD5 of MD5s of the blocks' CRCs, with their sizes."""
        return self.checksums([path])[0]

    def checksums(self, paths: Sequence[str]) -> list[str]:
        """Return the checksums of many files, a hundred by each program."""
        found: list[str] = []
        for first in range(0, len(paths), GROUP):
            group = [self._strip_protocol(path) for path in paths[first : first + GROUP]]
            text = self._run(group[0], "-checksum", *map(self._arg, group)).decode()
            found += (":".join(line.rsplit("\t", 2)[1:]) for line in text.splitlines())
        return found


def _entry(line: str) -> dict[str, Any]:
    kind, size, modified, name = line.split("|", 3)
    return {
        "name": name,
        "size": int(size),
        "type": "directory" if kind == "directory" else "file",
        "modificationTime": int(modified),
    }
