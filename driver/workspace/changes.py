"""Committing what was added to an index and removed from it, and clearing what counts no more."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import asdict
from typing import Any

from driver.workspace.cleaning import clean, erase
from driver.workspace.writable import Writable
from mapsight.workspace.changes import (
    ADDED,
    CHANGES,
    CHANGES_FORMAT,
    NEXT,
    REMOVED,
    Changes,
    read_changes,
)
from mapsight.workspace.document_checks import dumped
from mapsight.workspace.links import is_linked
from mapsight.workspace.stage_names import ADDITION_STAGES, STAGE_NAMES

__all__ = ["clean_changes", "drop_addition", "write_changes"]


def write_changes(workspace: Writable, changes: Changes) -> None:
    """Commit: from now on this is what has been added and removed. Only with the lock held."""
    document: dict[str, Any] = {"format": CHANGES_FORMAT, **asdict(changes)}
    data = dumped(document)
    workspace.check_held(CHANGES)
    if workspace.local:
        workspace.write(data, CHANGES)
        return
    workspace.write(data, NEXT)
    workspace.write(data, CHANGES)
    workspace.fs.rm_file(workspace.path(NEXT))


def clean_changes(workspace: Writable) -> None:
    """Remove what changes.json does not name. Only with the lock held.

    The addition of the next number is unfinished, and stays: the next `add` goes on with it.
    """
    changes = read_changes(workspace)
    names = set(workspace.names())
    if NEXT in names:
        if CHANGES not in names:
            workspace.write(workspace.fs.cat_file(workspace.path(NEXT)), CHANGES)
        workspace.fs.rm_file(workspace.path(NEXT))
    _clean_additions(workspace, changes)
    for name in workspace.names(REMOVED):
        if changes.removals is None or changes.removals.file != f"{REMOVED}/{name}":
            _drop_list(workspace, name)


def _clean_additions(workspace: Writable, changes: Changes) -> None:
    """Remove additions that count no more; what else lies there is the user's."""
    kept = {one.place[1] for one in changes.additions}
    begun = changes.next_place
    for name in workspace.names(ADDED):
        if name in kept or not re.fullmatch("[0-9]{6}", name):
            continue
        if workspace.local and is_linked(workspace.root, ADDED, name):
            continue
        place = workspace.inside(ADDED, name)
        if place.is_there():
            if name == begun[1]:
                clean(place)
            else:
                drop_addition(place)


def drop_addition(place: Writable) -> None:
    """Remove an addition's folder, but for what somebody else has put there."""
    erase(place, sorted(STAGE_NAMES | ADDITION_STAGES))


def _drop_list(workspace: Writable, name: str) -> None:
    """Remove a list of removed pictures: a file whose name begins its own SHA-256."""
    match = re.fullmatch(r"([0-9a-f]{16})\.arrow", name)
    if not match or (workspace.local and is_linked(workspace.root, REMOVED, name)):
        return
    path = workspace.path(REMOVED, name)
    with contextlib.suppress(OSError):
        digest = hashlib.sha256(workspace.fs.cat_file(path)).hexdigest()
        if digest.startswith(match[1]):
            workspace.fs.rm_file(path)
