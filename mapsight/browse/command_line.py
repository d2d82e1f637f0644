"""The command line that selects the same pictures."""

from __future__ import annotations

import shlex

from mapsight.browse.filters import Filters

__all__ = ["command_of"]

FLAGS = ("unsure", "disputed")
USUAL_SORT = "image_id"


def command_of(filters: Filters, sort: str = USUAL_SORT, workspace: str | None = None) -> str:
    """Return the command `mapsight select` that prints the ids of the same pictures.

    >>> command_of(Filters.of(label="Snow leopard", min_ppi=5, unsure=True), "-ppi")
    "mapsight select --label 'Snow leopard' --min-ppi 5 --unsure --sort=-ppi"
    """
    words = ["mapsight", "select"]
    for name, value in filters.words():
        words += [_flag(name)] if name in FLAGS else _option(name, value)
    if sort != USUAL_SORT:
        words += _option("sort", sort)
    if workspace is not None:
        words += _option("workspace", workspace)
    return shlex.join(words)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _option(name: str, value: str) -> list[str]:
    """Return an option's words: one of them where the value would be taken for an option."""
    return [f"{_flag(name)}={value}"] if value.startswith("-") else [_flag(name), value]
