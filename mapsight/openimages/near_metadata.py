"""Files of an Open Images folder that look like metadata and are not read as such."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from mapsight.openimages.dataset import FOLDERS, METADATA, Dataset
from mapsight.storage.uri import resolve

__all__ = ["missing_metadata"]

NEAR = re.compile(
    r"(label|box|annot|class|image.?id|images|hierarch|descript|detect|metadata).*"
    r"\.(csv|tsv|json)(\.(gz|zip|bz2|xz|zst))?$",
    re.I,
)
LOOKED_AT = 200  # entries of a folder, and folders
DEPTH = 3
SHOWN = 5


def missing_metadata(folder: str, dataset: Dataset) -> str:
    """Say in one line what an Open Images folder lacks; "" where it has labels or boxes.

    Looks at some hundred names at most.

    Args:
        folder: as it was typed.
        dataset: what was found in it.
    """
    if dataset.files["labels"] or dataset.files["boxes"]:
        return ""
    read = {file.source for files in dataset.files.values() for file in files}
    base = folder.rstrip("/")
    near = [name for name in _near(folder) if f"{base}/{name}" not in read][: SHOWN + 1]
    what = "labels or boxes" if read else "metadata"
    patterns = ", ".join((*METADATA["labels"], METADATA["boxes"][0]))
    text = (
        f"no {what} found in {folder}, so no label is one that people verified: they are looked"
        f" for there and in {', '.join(f'{name}/' for name in FOLDERS)} under the published names"
        f" ({patterns}), not compressed"
    )
    if near:
        text += f"; these come near: {', '.join(near[:SHOWN])}{', …' if len(near) > SHOWN else ''}"
    return text


def _near(folder: str) -> Iterator[str]:
    """Yield names of files that look like metadata, relative to a folder."""
    file_system, path = resolve(folder)
    if isinstance(file_system, LocalFileSystem):
        yield from _near_here(Path(path))
        return
    for inside in ("", *FOLDERS):
        for name in _names(file_system, f"{path.rstrip('/')}/{inside}".rstrip("/")):
            if NEAR.search(name):
                yield f"{inside}/{name}".lstrip("/")


def _names(file_system: Any, path: str) -> list[str]:
    try:
        return sorted(one.rstrip("/").rsplit("/", 1)[-1] for one in file_system.ls(path, False))
    except OSError:
        return []


def _near_here(top: Path) -> Iterator[str]:
    folders = [(top, 0)]
    for folder, depth in itertools.islice(iter(folders), LOOKED_AT):
        try:
            with os.scandir(folder) as entries:
                some = sorted(itertools.islice(entries, LOOKED_AT), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in some:
            if entry.is_dir(follow_symlinks=False) and depth < DEPTH:
                folders.append((folder / entry.name, depth + 1))
            elif NEAR.search(entry.name) and entry.is_file():
                yield (folder / entry.name).relative_to(top).as_posix()
