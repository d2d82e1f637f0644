"""Making a folder a workspace: a mark in it, without which nothing there is touched."""

from __future__ import annotations

import json

from driver.errors import UsageError
from driver.workspace.lock import is_lock
from driver.workspace.publishing import adopt
from driver.workspace.writable import RUNS, Writable
from mapsight import __version__
from mapsight.text import plain
from mapsight.workspace.links import is_linked
from mapsight.workspace.workspace import FORMAT, MARK

__all__ = ["claim"]

LOCKS = (".lock", "lock.json")
NOBODYS = frozenset(("lost+found", ".DS_Store", "Thumbs.db", "desktop.ini"))
"""What systems put into a folder that is empty for people."""
SHOWN = 3
SHOWN_STAGES = {"results": ("merge", "duplicates"), "report": ("render",)}
"""The stages that are shown in plain folders, which have no records in old workspaces."""


def claim(workspace: Writable) -> None:
    """Mark an empty folder as a workspace; a marked one stays as it is.

    One of before there were marks is known by a stage that it has committed.

    Raises:
        UsageError: the folder holds other things; names them. Nothing was written.
        Failure: a newer version has made it.
    """
    if workspace.is_marked():
        return
    others = sorted(set(workspace.names()) - NOBODYS - {MARK, RUNS})
    others = [name for name in others if name not in LOCKS or not _ours(workspace, name)]
    if others and not workspace.has_committed(others):
        more = f", … ({len(others):,} in all)" if len(others) > SHOWN else ""
        raise UsageError(
            f"{workspace.location}: not a workspace of Mapsight, and not empty: it holds"
            f" {', '.join(map(plain, others[:SHOWN]))}{more}; name a new or an empty folder"
        )
    if others:
        adopt(workspace, SHOWN_STAGES)
    text = json.dumps({"mapsight": __version__, "format": FORMAT}, indent=1)
    workspace.write(f"{text}\n".encode(), MARK)


def _ours(workspace: Writable, lock: str) -> bool:
    """Return whether a lock is one that a run may leave."""
    if workspace.local and is_linked(workspace.root, lock):
        return False
    try:
        return is_lock(workspace.fs.cat_file(workspace.path(lock)))
    except FileNotFoundError:
        return True
    except OSError:
        return False
