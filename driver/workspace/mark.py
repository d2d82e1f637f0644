"""What makes a folder a workspace: a mark in it, without which nothing there is touched."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from driver.errors import Failure, UsageError
from driver.workspace.inside import is_linked
from mapsight import __version__
from mapsight.text import plain
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import (
    ADDITION_STAGES,
    STAGE_NAMES,
    mark_document,
    runs_document,
)

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = ["MARK", "RUNS", "claim", "is_workspace", "note_run", "runs_of"]

MARK, RUNS = "mapsight-workspace.json", "mapsight-runs.json"
FORMAT = 1
LOCKS = (".lock", "lock.json")
NOBODYS = frozenset(("lost+found", ".DS_Store", "Thumbs.db", "desktop.ini"))
"""What systems put into a folder that is empty for people."""
SHOWN = 3
SHOWN_STAGES = {"results": ("merge", "duplicates"), "report": ("render",)}
"""The stages that are shown in plain folders, which have no records in old workspaces."""
MOST_RUNS = 500


def claim(workspace: Workspace) -> None:
    """Mark an empty folder as a workspace; a marked one stays as it is.

    One of before there were marks is known by a stage that it has committed.

    Raises:
        UsageError: the folder holds other things; names them. Nothing was written.
        Failure: a newer version has made it.
    """
    if is_marked(workspace):
        return
    others = sorted(set(_names(workspace)) - NOBODYS - {MARK, RUNS})
    others = [name for name in others if name not in LOCKS or not _ours(workspace, name)]
    if others and not _has_committed(workspace, others):
        more = f", … ({len(others):,} in all)" if len(others) > SHOWN else ""
        raise UsageError(
            f"{workspace.location}: not a workspace of Mapsight, and not empty: it holds"
            f" {', '.join(map(plain, others[:SHOWN]))}{more}; name a new or an empty folder"
        )
    if others:
        from driver.workspace.publishing import adopt

        adopt(workspace, SHOWN_STAGES)
    text = json.dumps({"mapsight": __version__, "format": FORMAT}, indent=1)
    workspace.write(f"{text}\n".encode(), MARK)


def is_workspace(workspace: Workspace) -> bool:
    """Return whether a folder is marked, or has committed a stage before there were marks."""
    return is_marked(workspace) or _has_committed(workspace, list(_names(workspace)))


def is_marked(workspace: Workspace) -> bool:
    """Return whether a folder has the mark.

    Raises:
        Failure: a newer version has written it.
    """
    if workspace.local and is_linked(workspace.root, MARK):
        return False
    try:
        mark = mark_document(workspace.fs.cat_file(workspace.path(MARK)))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DamagedDocumentError):
        return False
    except OSError as error:
        raise Failure(f"{workspace.uri(MARK)}: cannot be read: {error}") from error
    if mark["format"] > FORMAT:
        raise Failure(
            f"{workspace.location}: made by a newer version of Mapsight ({plain(mark['mapsight'])})"
        )
    return True


def _names(workspace: Workspace) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for entry in workspace.fs.ls(workspace.root, detail=False):
            yield entry.rstrip("/").rsplit("/", 1)[-1]


def _ours(workspace: Workspace, lock: str) -> bool:
    """Whether a lock is one that a run may leave."""
    from driver.workspace.lock import is_lock

    if workspace.local and is_linked(workspace.root, lock):
        return False
    try:
        return is_lock(workspace.fs.cat_file(workspace.path(lock)))
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _has_committed(workspace: Workspace, names: list[str]) -> bool:
    """Whether one of the folders of these names is a stage whose parts are all there."""
    for stage in sorted((STAGE_NAMES | ADDITION_STAGES) & set(names)):
        document = workspace.committed(stage)
        if document is not None and workspace.intact(document):
            return True
    return False


def runs_of(workspace: Workspace) -> set[str]:
    """Return the ids of runs that have written here; what they left unfinished is ours."""
    try:
        return set(runs_document(workspace.fs.cat_file(workspace.path(RUNS))))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DamagedDocumentError):
        return set()


def note_run(workspace: Workspace) -> None:
    """Write down that a run begins, before it writes anything else."""
    try:
        runs = runs_document(workspace.fs.cat_file(workspace.path(RUNS)))
    except (FileNotFoundError, DamagedDocumentError):
        runs = []
    if workspace.run_id not in runs:
        text = json.dumps({"runs": [*runs, workspace.run_id][-MOST_RUNS:]})
        workspace.write(f"{text}\n".encode(), RUNS)
