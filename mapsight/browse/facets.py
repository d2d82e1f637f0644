"""How many pictures each value of a filter would leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mapsight.browse.columns import ALL, Columns, Rows
from mapsight.browse.conditions import Condition
from mapsight.browse.groups import count_once
from mapsight.browse.layout import BINS, DUPLICATE_KINDS, NO_PLACE
from mapsight.labels.flags import FLAG_NAMES, LOOKED, bits_of
from mapsight.labels.unsure import UNSURE

__all__ = ["count_facets"]

WORDS = ("label", "style", "license", "subset", "split", "format")
FEW = 0.25
"""Below this share of all rows, those that fit are gathered; else all are counted by a mask."""


def count_facets(
    columns: Columns, wanted: Mapping[str, Condition], *, once: bool = False
) -> dict[str, Any]:
    """Return for each facet the counts as they would be with all other filters on.

    Args:
        wanted: the conditions of all filters, by facet.
        once: duplicates are hidden: of each group one picture is left, if one fits.
    """
    left, counter = _Left(columns, wanted), _Counter(columns, once)
    counts: dict[str, Any] = {"total": counter.total(left.rows(""))}
    for name in WORDS:
        counts[name] = counter.words(name, left.rows(name))
    counts["truth"] = counter.truth(left.rows("truth"))
    rows = left.rows("unsure")
    counts["unsure"] = counter.flagged(columns.column("score")[rows] < UNSURE, rows)
    rows = left.rows("disputed")
    counts["disputed"] = counter.flagged(columns.column("disputed")[rows] == 1, rows)
    counts["flag"] = _flags(columns, counter, left.rows("flag"))
    rows = left.rows("no_flags")
    counts["no_flags"] = counter.flagged(columns.column("flags")[rows] == LOOKED, rows)
    counts["duplicates"] = _duplicates(columns, left.rows("duplicates"))
    for name in BINS:
        counts[name] = counter.bins(name, left.rows(name))
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

    def rows(self, name: str) -> Rows:
        """Return those that fulfil all conditions but that of a facet."""
        missed = self._misses.get(name)
        return self._all if missed is None else self._gathered(self._failed == missed)

    def _gathered(self, mask: np.ndarray) -> Rows:
        rows = np.flatnonzero(mask)
        return ALL if len(rows) == self._n else rows


class _Counter:
    """Counts pictures, or where `once` is given of each group one for each value."""

    def __init__(self, columns: Columns, once: bool) -> None:
        self._columns, self._once = columns, once

    def total(self, rows: Rows) -> int:
        return int(self._counts(np.zeros(self._columns.rows, np.uint8)[rows], rows, 0)[0])

    def flagged(self, flags: np.ndarray, rows: Rows) -> int:
        return int(self._counts(flags.astype(np.uint8), rows, 1)[1])

    def _counts(self, codes: np.ndarray, rows: Rows, most: int) -> np.ndarray:
        """Return how many pictures there are of each code, 0 to `most`."""
        if self._once:
            return count_once(self._columns, codes, rows, most)
        return np.bincount(codes, minlength=most + 1)

    def words(self, name: str, rows: Rows) -> list[dict[str, Any]]:
        """Return the values of a facet that there are, the commonest first."""
        names = self._columns.names(name)
        counts = self._counts(self._columns.column(name)[rows], rows, len(names) - 1)
        codes = np.flatnonzero(counts[1:]) + 1
        return _listed(names.take(codes).to_pylist(), counts[codes])

    def truth(self, rows: Rows) -> list[dict[str, Any]]:
        """Return by label how many pictures people verified to show it; one may show several."""
        sets = self._columns.truth_sets
        codes, keepers = (self._columns.column(name)[rows] for name in ("truth", "keeper"))
        grouped = keepers != NO_PLACE if self._once else np.zeros(len(codes), bool)
        alone = np.bincount(codes[~grouped], minlength=len(self._columns.names("truth")))
        counts = sets.counts(alone) + sets.groups(keepers[grouped], codes[grouped])
        there = np.flatnonzero(counts)
        return _listed([sets.labels[one] for one in there], counts[there])

    def bins(self, name: str, rows: Rows) -> dict[str, Any]:
        """Return the edges of up to 16 bins, quantiles of all pictures, and the counts."""
        edges = self._columns.column(f"{name}_edges").tolist()
        n = max(len(edges) - 1, min(len(edges), 1))
        counts = self._counts(self._columns.column(f"{name}_bin")[rows], rows, n)
        shown = counts[1 : n + 1].tolist()
        return {"edges": edges if len(edges) != 1 else edges * 2, "counts": shown}


def _listed(values: Sequence[str], counts: np.ndarray) -> list[dict[str, Any]]:
    order = sorted(zip(values, counts.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
    return [{"value": value, "count": count} for value, count in order]


def _flags(columns: Columns, counter: _Counter, rows: Rows) -> list[dict[str, Any]]:
    """Return how many pictures have each flag that some have; one may have several."""
    bits = columns.column("flags")[rows]
    counts = {name: counter.flagged(bits & bits_of([name]) != 0, rows) for name in FLAG_NAMES}
    names = [name for name, n in counts.items() if n]
    return _listed(names, np.array([counts[name] for name in names], np.int64))


def _duplicates(columns: Columns, rows: Rows) -> dict[str, int]:
    """Return how many pictures would be left by each of DUPLICATES, and of each kind."""
    codes = columns.column("duplicate")[rows]
    none, *others = np.bincount(codes, minlength=len(DUPLICATE_KINDS)).tolist()
    kinds = {str(kind): n for kind, n in zip(DUPLICATE_KINDS[1:], others, strict=True)}
    hidden = count_once(columns, np.zeros(len(codes), np.uint8), rows, 0)[0]
    return {"all": none + sum(others), "hide": int(hidden), "only": sum(others), **kinds}
