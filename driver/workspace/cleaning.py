"""Deleting in a workspace: what its documents list as ours, and nothing else."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from driver.workspace.writable import RUNS, Writable
from mapsight.workspace.documents import FOLDER_OF_OURS
from mapsight.workspace.links import files_below, is_linked, remove_empty
from mapsight.workspace.workspace import MARK

__all__ = [
    "clean",
    "clean_stage",
    "clean_top",
    "erase",
    "erase_stage",
    "remove_tree",
]

_DOCUMENTS = r"(stage\.json|changes\.json(\.next)?|lock\.json|mapsight-[a-z]+\.json)"
UNFINISHED = re.compile(
    rf"{_DOCUMENTS}(\._COPYING_|\.\d+(\.[0-9a-f]{{8}})?\.part)"
    r"|\.?[a-z0-9-]+_\$folder\$"
)
"""What a dead writer left of our documents, here or in `hadoop fs`, or EMR for a folder on S3."""
HIDDEN = ("_SUCCESS", "._SUCCESS.crc")
OF_ADDITIONS = ("added.csv", "rejected.csv")


def clean(workspace: Writable) -> None:
    """Remove what stages have not finished or superseded. Only with the lock held."""
    entries = list(workspace.fs.ls(workspace.root, detail=True))
    clean_top(workspace, entries)
    for entry in entries:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        if entry["type"] == "directory" and workspace.is_stage(name):
            clean_stage(workspace, name)


def clean_top(workspace: Writable, entries: Iterable[Mapping[str, Any]]) -> None:
    """Remove documents that were half written, among the entries of a folder."""
    for entry in entries:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        if entry["type"] == "file" and UNFINISHED.fullmatch(name):
            workspace.fs.rm_file(entry["name"])


def clean_stage(workspace: Writable, stage: str) -> None:
    """Remove what a stage has superseded or not finished."""
    if workspace.local and is_linked(workspace.root, stage):
        return
    document = workspace.committed(stage)
    kept = document["folder"] if document else None
    before = {one["folder"]: one["parts"] for one in (document or {}).get("before", [])}
    runs: set[str] | None = None
    entries = list(workspace.fs.ls(workspace.path(stage), detail=True))
    clean_top(workspace, entries)
    for entry in entries:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        ours = FOLDER_OF_OURS.fullmatch(name)
        if entry["type"] != "directory" or name == kept:
            continue
        if name in before:
            remove_listed(workspace, before[name], stage, name)
        elif ours and ours[2]:
            runs = workspace.outermost.runs() if runs is None else runs
            if ours[2] in runs:
                remove_tree(workspace, stage, name)


def remove_tree(workspace: Writable, *names: str) -> None:
    """Remove a folder that is wholly ours, or a file, if it is there; never through a link."""
    path = workspace.path(*names)
    if not workspace.local:
        with contextlib.suppress(FileNotFoundError):
            workspace.fs.rm(path, recursive=True)
    elif not is_linked(workspace.root, *names):
        if Path(path).is_dir():
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)


def remove_listed(workspace: Writable, listed: Iterable[str], *names: str) -> None:
    """Remove the files that a document lists from one of its folders; the folder if it is empty.

    Args:
        listed: names below the folder that holds the folder.
        names: of the folder, below the workspace.
    """
    if workspace.local and is_linked(workspace.root, *names):
        return
    base, skip = workspace.path(*names), len(names[-1]) + 1
    ours = {name[skip:] for name in listed}
    ours |= {_beside(name) for name in ours} | set(HIDDEN)
    there = set(_files(workspace, base))
    if there <= ours or all(_is_hidden_copy(name, ours) for name in there - ours):
        remove_tree(workspace, *names)
        return
    for name in there & ours:
        workspace.fs.rm_file(f"{base}/{name}")
    if workspace.local:
        remove_empty(base)


def _is_hidden_copy(name: str, ours: set[str]) -> bool:
    """Whether a file is a mark of Hadoop in a folder below."""
    return name.rsplit("/", 1)[-1] in HIDDEN and name not in ours


def _beside(name: str) -> str:
    """The checksum file that Hadoop writes beside a part."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}.{last}.crc"


def _files(workspace: Writable, base: str) -> Iterable[str]:
    if workspace.local:
        return (name for name, _ in files_below(base))
    return (path[len(base) + 1 :] for path in workspace.fs.find(base))


def erase_stage(workspace: Writable, stage: str) -> None:
    """Remove a stage with all that it lists, so that it has not run."""
    if workspace.local and is_linked(workspace.root, stage):
        return
    document = workspace.committed(stage)
    with contextlib.suppress(FileNotFoundError):
        clean_stage(workspace, stage)
    if document:
        workspace.fs.rm_file(workspace.path(stage, "stage.json"))
        parts = [part["name"] for part in document["parts"]]
        remove_listed(workspace, parts, stage, document["folder"])
    _remove_if_empty(workspace, stage)


def erase(workspace: Writable, stages: Iterable[str]) -> None:
    """Remove a workspace inside another: what it lists, and itself if nothing else is there."""
    for stage in stages:
        erase_stage(workspace, stage)
    for name in (*OF_ADDITIONS, RUNS, MARK):
        path = workspace.path(name)
        if not (workspace.local and is_linked(workspace.root, name)):
            with contextlib.suppress(FileNotFoundError):
                workspace.fs.rm_file(path)
    _remove_if_empty(workspace)


def _remove_if_empty(workspace: Writable, *names: str) -> None:
    path = workspace.path(*names)
    if workspace.local:
        with contextlib.suppress(OSError):
            Path(path).rmdir()
        return
    with contextlib.suppress(OSError):
        if workspace.fs.isdir(path) and not workspace.fs.find(path):
            workspace.fs.rm(path, recursive=True)
