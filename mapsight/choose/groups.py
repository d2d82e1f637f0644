"""Pictures in the groups that are to have equal shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapsight.browse.columns import Columns
from mapsight.choose.shares import shares
from mapsight.license_names import license_name

__all__ = ["BALANCED", "Grouped", "grouped"]

BALANCED = ("label", "style", "top_label", "license", "subset", "format", "author", "cell")
"""What equal shares can be asked for by."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Grouped:
    """Rows, and the group of each.

    Args:
        rows: (n,) row numbers of columns.
        group: (n,) number of the group of each.
        names: of each group, a name for each of what is balanced.
        sizes: rows of each group.
        quotas: how many are to be chosen of each.
    """

    rows: np.ndarray
    group: np.ndarray
    names: Sequence[tuple[str, ...]]
    sizes: Sequence[int]
    quotas: Sequence[int]


def grouped(columns: Columns, rows: np.ndarray, by: Sequence[str], count: int) -> Grouped:
    """Return rows in groups by some columns, in the order of their names, with equal shares.

    What is not known of a picture is a group, too. Memory: 20 bytes a row.
    """
    codes = np.zeros((len(rows), 0), np.int64)
    if by:
        codes = np.stack([columns.column(name)[rows].astype(np.int64) for name in by], axis=1)
    kinds, group, sizes = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    names = [_names(columns, by, kind) for kind in kinds.tolist()]
    if not by:
        group, names, sizes = np.zeros(len(rows), np.int64), [()], np.array([len(rows)])
    taken = shares(sizes.tolist(), count)
    return Grouped(rows, group.reshape(-1), names, sizes.tolist(), taken)


def _names(columns: Columns, by: Sequence[str], codes: Sequence[int]) -> tuple[str, ...]:
    return tuple(_name(columns, one, code) for one, code in zip(by, codes, strict=True))


def _name(columns: Columns, name: str, code: int) -> str:
    if name == "cell":
        return f"cell {code}"
    word = columns.names(name)[code].as_py()
    return UNKNOWN if word is None else license_name(word) if name == "license" else word
