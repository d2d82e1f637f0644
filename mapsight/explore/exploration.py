"""What the explore job found: its sums by family, with names for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsight.explore.pictures import MEASURES
from mapsight.explore.sums import TOPS
from mapsight.openimages.columns import SUBSETS

__all__ = ["ALL", "Exploration", "read_sums"]

ALL = "all"


@dataclass
class Exploration:
    """Sums by family and key, and what the classes are called.

    `names` is the display name by MID, `parents` the classes directly above a class,
    `targets` the target labels' MIDs by name.
    """

    sums: Mapping[str, Mapping[tuple[str, ...], Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)

    def family(self, name: str) -> Mapping[tuple[str, ...], Any]:
        """Return the sums of a family by the rest of their keys."""
        return self.sums.get(name, {})

    def label(self, mid: str) -> str:
        """Return what a class is called, its MID where no description has it."""
        return self.names.get(mid, mid)

    def split(self, subset: str) -> dict[str, int]:
        """Return the MEASURES of a subset, or of `all` together."""
        found = dict.fromkeys(MEASURES, 0)
        for (name, measure), number in self.family("split").items():
            if subset in (ALL, name):
                found[measure] += number
        return found

    @property
    def subsets(self) -> list[str]:
        """Return the subsets that occur, `unknown` last."""
        found = {name for name, _ in self.family("split")}
        return [name for name in (*SUBSETS, "unknown") if name in found]


def read_sums(
    records: Iterable[tuple[Sequence[str], Any]],
) -> dict[str, dict[tuple[str, ...], Any]]:
    """Read sums by family; of the largest sums of all parts the largest."""
    sums: dict[str, dict[tuple[str, ...], Any]] = {}
    for (family, *key), value in records:
        found = sums.setdefault(family, {})
        known = found.get(tuple(key))
        found[tuple(key)] = value if known is None else known + value
    for family in TOPS.keys() & sums.keys():
        order = sorted(sums[family].items(), key=lambda item: (-item[1], item[0]))
        sums[family] = dict(order[: TOPS[family]])
    return sums
