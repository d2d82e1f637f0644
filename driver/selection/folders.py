"""A selection as a folder: links, copies, or an Open Images folder, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from driver.pipeline.pipeline import Pipeline
from driver.selection.openimages import annotations_of, write_openimages
from driver.selection.pictures import Unread, copy_pictures, link_pictures
from driver.workspace.new_folder import whole_folder
from mapsight.browse.exports import export
from mapsight.browse.selection import Selection
from mapsight.labels.made_with import targets_of
from mapsight.opened import OpenedWorkspace
from mapsight.text import plain

__all__ = ["write_folder"]

TABLE = "selection.csv"
"""Beside the pictures: what is known of each."""
LINK_BYTES, SHOWN = 4096, 5


def write_folder(
    kind: str, run: Pipeline, opened: OpenedWorkspace, selection: Selection, target: Path
) -> int:
    """Write a folder of pictures; return how many of them could not be had, which is said.

    Args:
        kind: one of `options.FOLDERS`.
        target: new or empty.
    """
    with whole_folder(target, run.workspace.run_id, _size(kind, selection)) as folder:
        unread = _said(_fill(kind, run, opened, selection, folder))
        with (folder / TABLE).open("wb") as file:
            file.writelines(export(selection, "csv"))
    if unread:
        sys.stderr.write(f"{unread:,} of {selection.total:,} pictures are not in {target}\n")
    return unread


def _said(unread: Iterable[Unread]) -> int:
    """Say of the first pictures why they cannot be had; return how many there are."""
    count = 0
    for one in unread:
        count += 1
        if count <= SHOWN:
            sys.stderr.write(f"{plain(f'{one.image_id}: {one.reason}')}\n")
    return count


def _fill(
    kind: str, run: Pipeline, opened: OpenedWorkspace, selection: Selection, folder: Path
) -> Iterator[Unread]:
    if kind == "links":
        return link_pictures(opened, selection, folder)
    if kind == "copies":
        return copy_pictures(opened, selection, folder)
    ids = [image_id for some in selection.ids() for image_id in some]
    targets = targets_of(run.workspace.required("classify"))
    return write_openimages(opened, selection, annotations_of(run, ids), targets, folder)


def _size(kind: str, selection: Selection) -> int:
    """Return about how many bytes the pictures take."""
    if kind == "links":
        return LINK_BYTES * selection.total
    return int(selection.columns.column("bytes")[selection.rows].sum())
