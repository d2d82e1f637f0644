"""What mrjob does with files in HDFS, without starting a Java machine for each."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from mrjob.fs.hadoop import HadoopFilesystem

from driver.hadoop.yarn import Yarn
from driver.hadoop.yarn_web import NoAnswer
from mapsight.storage.uri import resolve

__all__ = ["HadoopFiles"]


class HadoopFiles(HadoopFilesystem):
    """mrjob's file system for `hdfs://`: folders and files by libhdfs or WebHDFS where they are.

    mrjob runs `hadoop version` and about eight times `hadoop fs` a job, and once more for each
    input file; a second each. Addresses that we know no way to go to that program still.
    """

    def get_hadoop_version(self) -> str:
        """Return what the ResourceManager says it is of; without an answer, what `hadoop` says."""
        return self._release or super().get_hadoop_version()

    @functools.cached_property
    def _release(self) -> str:
        try:
            return Yarn().hadoop_version()
        except NoAnswer:
            return ""

    def mkdir(self, path: str) -> None:
        """Make a folder and those above it."""
        place = _place(path)
        if place is None:
            return super().mkdir(path)
        file_system, inside = place
        return file_system.makedirs(inside, exist_ok=True)

    def exists(self, path_glob: str) -> bool:
        """Return whether a file or folder is there; what jobs are given has no wildcards."""
        place = _place(path_glob)
        if place is None:
            return super().exists(path_glob)
        file_system, inside = place
        return file_system.exists(inside)

    def put(self, src: str, path: str) -> None:
        """Copy a local file."""
        place = _place(path)
        if place is None:
            return super().put(src, path)
        file_system, inside = place
        return file_system.put_file(src, inside)

    def rm(self, path_glob: str) -> None:
        """Remove a file or folder, if it is there."""
        place = _place(path_glob)
        if place is None:
            return super().rm(path_glob)
        file_system, inside = place
        with contextlib.suppress(FileNotFoundError):
            file_system.rm(inside, recursive=True)
        return None


def _place(uri: str) -> tuple[Any, str] | None:
    """Return (file system, path) of an address, if there is a way to it."""
    try:
        return resolve(uri) if "://" in uri else None
    except (ValueError, ImportError, OSError):
        return None
