"""Files below a folder, never through a symbolic link that somebody put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mapsight.errors import Failure

__all__ = [
    "files_below",
    "is_linked",
    "link_below",
    "refuse_links",
    "remove_empty",
    "stays_inside",
]


def is_linked(root: str | Path, *names: str) -> bool:
    """Return whether a folder or file below `root` is, or lies behind, a symbolic link."""
    return link_below(root, *names) is not None


def link_below(root: str | Path, *names: str) -> Path | None:
    """Return the first symbolic link on the way from `root` to something below it."""
    path = Path(root)
    for name in "/".join(names).split("/"):
        path = path / name
        if path.is_symlink():
            return path
    return None


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


def stays_inside(root: str, *names: str) -> bool:
    """Return whether something below `root` is really there, wherever links lead."""
    top = os.path.realpath(root)
    real = os.path.realpath("/".join([root, *names]))
    return real.startswith(f"{top.rstrip('/')}/")


def files_below(folder: str | Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (relative name, lstat) of everything in a folder that is no folder; follows no link."""
    base = len(str(folder)) + 1
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(f"{place}/{name}")]  # noqa: PTH114
        for name in sorted([*files, *links]):
            path = f"{place}/{name}"
            yield path[base:], os.lstat(path)


def remove_empty(folder: str | Path) -> None:
    """Remove the folders below a folder that hold nothing, and itself if nothing is left."""
    for place, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(place)  # noqa: PTH106 - a name need not be UTF-8
        except OSError:
            continue
