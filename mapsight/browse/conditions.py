"""Filters as conditions on rows of columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from mapsight.browse.columns import Columns, Rows
from mapsight.browse.filter_values import MEASURES, FilterError
from mapsight.browse.filters import Filters
from mapsight.labels.flags import LOOKED, NO_FLAGS, bits_of
from mapsight.labels.unsure import UNSURE
from mapsight.license_names import license_name
from mapsight.near_names import near_names

__all__ = ["Condition", "conditions", "settled"]

Condition = Callable[[Rows], np.ndarray]
"""Tells which of some rows fit: (n,) bool."""
SHOWN = 20


def settled(filters: Filters, columns: Columns, labels: Collection[str]) -> Filters:
    """Return filters with names as the columns write them, in whatever case they came.

    Args:
        labels: that pictures may have, also those that none has.

    Raises:
        FilterError: there is no such label, style, subset, format or licence.
    """
    known = {"label": labels, "truth": labels}
    exact: dict[str, Any] = {}
    for name in ("label", "truth", "style", "subset", "split", "format"):
        if words := getattr(filters, name):
            names = known.get(name) or columns.names(name).to_pylist()[1:]
            exact[name] = tuple(_known(name, word, names) for word in words)
    for text in filters.license:
        if not _licenses(columns, text):
            raise FilterError("license", text, "no picture has such a licence")
    return replace(filters, **exact)


def _known(field: str, word: str, names: Iterable[str]) -> str:
    folded = {name.casefold(): name for name in names}
    if word in (exact := set(folded.values())):
        return word
    if word.casefold() in folded:
        return folded[word.casefold()]
    if near := near_names(word.casefold(), folded, 3):
        raise FilterError(field, word, f"did you mean {', '.join(folded[n] for n in near)}?")
    listed = ", ".join(sorted(exact)[:SHOWN]) or "nothing, for it is known of no picture"
    raise FilterError(field, word, f"one of {listed}{', …' if len(exact) > SHOWN else ''}")


def conditions(
    filters: Filters, columns: Columns, cells_in: Callable[[Filters], np.ndarray]
) -> dict[str, Condition]:
    """Return what rows have to fulfil, by the name of the filter, what is soon known first.

    Hiding duplicates is none: which picture of a group is left depends on those that fit.

    Args:
        filters: that were `settled`.
        cells_in: gives which cells lie in the filters' region: (k,) bool.
    """
    return dict(_each(filters, columns, cells_in))


def _each(
    filters: Filters, columns: Columns, cells_in: Callable[[Filters], np.ndarray]
) -> Iterator[tuple[str, Condition]]:
    if filters.cell:
        yield "cell", partial(_in_cells, columns, np.array(filters.cell))
    if filters.region:
        yield "region", partial(_in_table, columns, "cell", cells_in(filters))
    for name in ("label", "style", "subset", "split", "format"):
        if words := getattr(filters, name):
            yield name, partial(_in_table, columns, name, _table(columns, name, words))
    if filters.license:
        yield "license", partial(_in_table, columns, "license", _license_table(columns, filters))
    if filters.truth:
        table = columns.truth_sets.with_any(filters.truth)
        yield "truth", partial(_in_table, columns, "truth", table)
    if filters.disputed:
        yield "disputed", lambda rows: columns.column("disputed")[rows] == 1
    if filters.duplicates == "only":
        yield "duplicates", lambda rows: columns.column("duplicate")[rows] > 0
    if bits := bits_of(filters.flag):
        yield "flag", partial(_has_flag, columns, bits)
    if bits := bits_of(filters.without_flag):
        yield "without_flag", partial(_is_without, columns, bits)
    if filters.no_flags:
        yield "no_flags", partial(_is_without, columns, NO_FLAGS)
    if filters.unsure:
        yield "unsure", lambda rows: columns.column("score")[rows] < UNSURE
    for name in MEASURES:
        low, high = filters.bounds(name)
        if low is not None or high is not None:
            yield name, partial(_between, columns, name, low, high)


def _has_flag(columns: Columns, bits: int, rows: Rows) -> np.ndarray:
    return (columns.column("flags")[rows] & bits) != 0


def _is_without(columns: Columns, bits: int, rows: Rows) -> np.ndarray:
    """Return which rows were looked at, and have none of some flags."""
    return (columns.column("flags")[rows] & (bits | LOOKED)) == LOOKED


def _in_cells(columns: Columns, cells: np.ndarray, rows: Rows) -> np.ndarray:
    return np.isin(columns.column("cell")[rows], cells)


def _in_table(columns: Columns, name: str, table: np.ndarray, rows: Rows) -> np.ndarray:
    """Return which codes a table has; one that is alone is compared, which is sooner."""
    codes = columns.column(name)[rows]
    (wanted,) = np.nonzero(table)
    if len(wanted) == 1:
        return codes == codes.dtype.type(wanted[0])
    inside = np.minimum(codes, len(table) - 1) if name == "cell" else codes
    return table[inside]


def _table(columns: Columns, name: str, words: Iterable[str]) -> np.ndarray:
    """Return which codes of a column are wanted: (names + 1,) bool."""
    table = np.zeros(len(columns.names(name)), bool)
    for word in words:
        if code := columns.code(name, word):
            table[code] = True
    return table


def _license_table(columns: Columns, filters: Filters) -> np.ndarray:
    words = (name for text in filters.license for name in _licenses(columns, text))
    return _table(columns, "license", words)


def _licenses(columns: Columns, text: str) -> list[str]:
    """Return the licences that a text names: by address or short name, else by a part of it."""
    names = columns.names("license").to_pylist()[1:]
    if text in names:
        return [text]
    short = [name for name in names if license_name(name).casefold() == text.casefold()]
    return short or [name for name in names if text in name]


def _between(
    columns: Columns, name: str, low: float | None, high: float | None, rows: Rows
) -> np.ndarray:
    values = columns.values(name, rows)
    fits = ~np.isnan(values) if low is None else values >= low
    if high is not None:
        fits &= values <= high
    return fits
