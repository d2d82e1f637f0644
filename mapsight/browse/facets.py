"""How many pictures each value of a filter would leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mapsight.browse.columns import ALL, Columns, Rows
from mapsight.browse.conditions import Condition
from mapsight.browse.layout import BINS, DUPLICATE_KINDS, TRUTH_MARK
from mapsight.labels.unsure import UNSURE

__all__ = ["count_facets"]

WORDS = ("label", "style", "license", "subset", "format")
FEW = 0.25
"""Below this share of all rows, those that fit are gathered; else all are counted by a mask."""


def count_facets(columns: Columns, wanted: Mapping[str, Condition]) -> dict[str, Any]:
    """Return for each facet the counts as they would be with all other filters on.

    Args:
        wanted: the conditions of all filters, by facet.
    """
    left = _Left(columns, wanted)
    counts: dict[str, Any] = {"total": int(left.total)}
    for name in WORDS:
        counts[name] = _words(columns, name, left.rows(name))
    counts["truth"] = _truth(columns, left.rows("truth"))
    unsure = columns.column("score")[left.rows("unsure")] < UNSURE
    counts["unsure"] = int(np.count_nonzero(unsure))
    counts["disputed"] = int(np.count_nonzero(columns.column("disputed")[left.rows("disputed")]))
    counts["duplicates"] = _duplicates(columns, left.rows("duplicates"))
    for name in BINS:
        counts[name] = _bins(columns, name, left.rows(name))
    return counts


class _Left:
    """Rows that fulfil all conditions but one. Memory: two bytes a picture and condition."""

    def __init__(self, columns: Columns, wanted: Mapping[str, Condition]) -> None:
        self._n = columns.rows
        self._misses = {name: ~condition(ALL) for name, condition in wanted.items()}
        self._failed = np.zeros(self._n, np.uint8)
        for missed in self._misses.values():
            self._failed += missed
        self._all = self._gathered(self._failed == 0)
        self.total = self._n if isinstance(self._all, slice) else len(self._all)

    def rows(self, name: str) -> Rows:
        """Return those that fulfil all conditions but that of a facet."""
        missed = self._misses.get(name)
        return self._all if missed is None else self._gathered(self._failed == missed)

    def _gathered(self, mask: np.ndarray) -> Rows:
        rows = np.flatnonzero(mask)
        return ALL if len(rows) == self._n else rows


def _counted(columns: Columns, name: str, rows: Rows, most: int) -> np.ndarray:
    return np.bincount(columns.column(name)[rows], minlength=most + 1)


def _words(columns: Columns, name: str, rows: Rows) -> list[dict[str, Any]]:
    """Return the values of a facet that there are, the commonest first."""
    names = columns.names(name)
    counts = _counted(columns, name, rows, len(names) - 1)
    codes = np.flatnonzero(counts[1:]) + 1
    values = zip(names.take(codes).to_pylist(), counts[codes].tolist(), strict=True)
    return _listed(dict(values))


def _listed(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [{"value": value, "count": count} for value, count in order]


def _truth(columns: Columns, rows: Rows) -> list[dict[str, Any]]:
    """Return by label how many pictures people verified to show it; one may show several."""
    sets: dict[str, int] = {}
    for one in _words(columns, "truth", rows):
        for label in one["value"].split(TRUTH_MARK):
            sets[label] = sets.get(label, 0) + one["count"]
    return _listed(sets)


def _duplicates(columns: Columns, rows: Rows) -> dict[str, int]:
    """Return how many pictures would be left by each of DUPLICATES, and of each kind."""
    counts = _counted(columns, "duplicate", rows, len(DUPLICATE_KINDS) - 1).tolist()
    none, keeper, near, exact = counts[: len(DUPLICATE_KINDS)]
    every = none + keeper + near + exact
    left = {"all": every, "hide": none + keeper, "only": every - none}
    return {**left, "keeper": keeper, "near": near, "exact": exact}


def _bins(columns: Columns, name: str, rows: Rows) -> dict[str, Any]:
    """Return the edges of up to 16 bins, which are quantiles of all pictures, and the counts."""
    edges = columns.column(f"{name}_edges").tolist()
    n = max(len(edges) - 1, min(len(edges), 1))
    counts = _counted(columns, f"{name}_bin", rows, n)
    return {"edges": edges if len(edges) != 1 else edges * 2, "counts": counts[1 : n + 1].tolist()}
