"""Mapsight: classify, rank and reverse-search image collections by map-reduce."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mapsight.opened import OpenedWorkspace

__all__ = ["open", "run"]
__version__ = "0.1.0"


def open(location: str | PathLike[str], *, copy: str | None = None) -> OpenedWorkspace:
    """Open a workspace to read it: a folder, `hdfs://…` or `s3://…` (docs/python.md).

    Args:
        location: of the workspace.
        copy: folder for the copy of the index that searches make; None takes the usual one.

    Raises:
        Failure: there is no workspace.
    """
    from mapsight.opened import OpenedWorkspace

    return OpenedWorkspace(location, copy)


def run(**options: Any) -> OpenedWorkspace | None:
    """Run the pipeline as the command `mapsight` does, and open its workspace.

    With `dry_run=True` it prints what would be run, and there is no workspace: None.

    Args:
        options: the command's, with underscores: `images="pictures"`, `runner="local"`,
            `workspace="workspace"`, `duplicates=True`, `target_labels=["Lion", "Tiger"]`.

    Raises:
        UsageError: an option or its value is unknown.
        Failure: what the command prints.
    """
    from mapsight.running import run

    return run(**options)
