"""Globs in folders whose own names have brackets, stars or question marks."""

from __future__ import annotations

import glob
from typing import Any

__all__ = ["glob_matches", "parent_of", "split_glob"]

MAGIC = frozenset("*?[")


def split_glob(file_system: Any, pattern: str) -> tuple[str, str]:
    """Split a pattern into the folders that are there by these very names, and the rest.

    Returns:
        The folders, with a slash at the end; and what is a pattern in them.
    """
    parts = pattern.split("/")
    depth = 0
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if last or (MAGIC & {*part} and not file_system.isdir("/".join(parts[: depth + 1]))):
            break
    base = "".join(f"{part}/" for part in parts[:depth])
    return base, "/".join(parts[depth:])


def parent_of(typed: str, rest: str) -> str:
    """Return what a user typed before the rest of a pattern.

    >>> parent_of("./br [1]/*.jpg", "*.jpg"), parent_of("*.jpg", "*.jpg")
    ('./br [1]/', '')
    """
    parts = typed.rstrip("/").split("/")
    return "".join(f"{part}/" for part in parts[: -len(rest.split("/"))])


def glob_matches(file_system: Any, base: str, rest: str) -> list[tuple[str, dict[str, Any]]]:
    """List (path, facts) of what a pattern matches in a folder, by path.

    A pattern that matches nothing is tried once more with its brackets as plain letters.
    """
    literal = glob.escape(base)
    found = file_system.glob(literal + rest, detail=True)
    if not found and "[" in rest:
        found = file_system.glob(literal + rest.replace("[", "[[]"), detail=True)
    return sorted(found.items())
