"""The command line that selects the same pictures."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mapsight.browse.filter_values import FLAGS

if TYPE_CHECKING:
    from mapsight.browse.filters import Filters

__all__ = ["command_of", "option_of"]

USUAL_SORT = "image_id"


def command_of(filters: Filters, sort: str = USUAL_SORT, workspace: str | None = None) -> str:
    """Return the command `mapsight select` that prints the ids of the same pictures.

    >>> from mapsight.browse.filters import Filters
    >>> command_of(Filters.of(label="Snow leopard", min_ppi=5, unsure=True), "-ppi")
    "mapsight select --label 'Snow leopard' --min-ppi 5 --unsure --sort=-ppi"
    """
    words = ["mapsight", "select"]
    for name, value in filters.words():
        words += [f"--{option_of(name)}"] if name in FLAGS else _option(name, value)
    if sort != USUAL_SORT:
        words += _option("sort", sort)
    if workspace is not None:
        words += _option("workspace", workspace)
    return shlex.join(words)


def option_of(name: str) -> str:
    """Return the option for a filter; `--format` is that of what is written.

    >>> option_of("min_ppi"), option_of("format")
    ('min-ppi', 'picture-format')
    """
    return "picture-format" if name == "format" else name.replace("_", "-")


def _option(name: str, value: str) -> list[str]:
    """Return an option's words: one of them where the value would be taken for an option."""
    flag = f"--{option_of(name)}"
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
