"""Writing and deleting below a folder, never through a symbolic link that somebody put there."""

from __future__ import annotations

import os
from pathlib import Path

from driver.errors import Failure
from mapsight.workspace.links import link_below

__all__ = ["refuse_links", "remove_empty"]


def refuse_links(root: str | Path, *names: str) -> None:
    """Find a symbolic link before something is written or deleted behind it.

    Raises:
        Failure: there is one; names it.
    """
    link = link_below(root, *names)
    if link is not None:
        raise Failure(
            f"{link} is a symbolic link, and nothing is written or deleted through one;"
            " move it away, or name another folder"
        )


def remove_empty(folder: str | Path) -> None:
    """Remove the folders below a folder that hold nothing, and itself if nothing is left."""
    for place, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(place)  # noqa: PTH106 - a name need not be UTF-8
        except OSError:
            continue
