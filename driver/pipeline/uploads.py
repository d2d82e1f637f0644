"""Input files of this machine, copied to where the tasks of a cluster can read them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from mapsight.text import plain

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.openimages.dataset import CsvSplit

__all__ = ["FOLDER", "drop_others", "is_here", "manifest_lines", "stamps", "upload"]

FOLDER = "uploads"
COPY = re.compile(r"[0-9a-f]{24}(\.[^/]*)?")
"""How copies are named: by a hash of what they are of. Others are the user's."""


def is_here(uri: str) -> bool:
    """Return whether an address is of this machine alone."""
    return "://" not in uri


def stamps(run: Pipeline, uris: Iterable[str]) -> list[list[str]]:
    """Return what tells the contents of files that have to be copied: address, bytes, time."""
    here = sorted({uri for uri in uris if is_here(uri)}) if run.on_cluster else []
    found = [(uri, os.stat(uri)) for uri in here]  # noqa: PTH116 - a name need not be UTF-8
    return [[uri, str(file.st_size), str(file.st_mtime_ns)] for uri, file in found]


def upload(run: Pipeline, uris: Iterable[str]) -> dict[str, str]:
    """Copy the files that are only here to the workspace; return their names there, by address.

    A file that an earlier run has copied is not copied again; one that is half
    copied has no name yet (HDFS, S3).
    """
    return {stamp[0]: _copy(run, stamp) for stamp in stamps(run, uris)}


def manifest_lines(run: Pipeline, splits: Sequence[CsvSplit]) -> tuple[list[str], dict[str, str]]:
    """Return manifest lines of metadata files, which are uploaded, and names of the copies."""
    copies = upload(run, (split.uri for split in splits))
    lines = []
    for split in splits:
        uri = run.workspace.uri(copies[split.uri]) if split.uri in copies else split.uri
        lines.append(json.dumps(asdict(replace(split, uri=uri))))
    return lines, copies


def _copy(run: Pipeline, stamp: list[str]) -> str:
    uri, size, _ = stamp
    digest = hashlib.sha256("\0".join(stamp).encode("utf-8", "surrogateescape")).hexdigest()
    name = f"{FOLDER}/{digest[:24]}{PurePath(uri).suffix}"
    workspace = run.workspace
    target = workspace.path(name)
    if workspace.fs.exists(target) and workspace.fs.size(target) == int(size):
        return name
    sys.stderr.write(f"copying {plain(uri)} ({int(size):,} bytes) to {workspace.location}\n")
    workspace.fs.makedirs(workspace.own(FOLDER), exist_ok=True)
    workspace.fs.put_file(uri, target)
    return name


def drop_others(run: Pipeline, named: Iterable[str]) -> None:
    """Remove copies that no stage names any more."""
    workspace, kept = run.workspace, set(named)
    if workspace.local or not workspace.fs.exists(workspace.path(FOLDER)):
        return
    for path in workspace.fs.find(workspace.path(FOLDER)):
        name = path.rsplit("/", 1)[-1]
        if COPY.fullmatch(name) and f"{FOLDER}/{name}" not in kept:
            workspace.fs.rm_file(path)
