"""Pictures of a state as answers show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mapsight.browse.filter_values import HIDE
from mapsight.browse.filters import Filters
from mapsight.browse.groups import one_of_each
from mapsight.browse.items import items
from mapsight.serve.errors import asked
from mapsight.serve.state import State

__all__ = ["item_of", "items_of", "rows_of", "rows_that_fit"]

UNKNOWN = -1


def rows_of(state: State, image_ids: Iterable[str]) -> np.ndarray:
    """Return the rows of pictures, UNKNOWN for those that there are not: (n,) int64."""
    rows = (state.browser.row_of(image_id) for image_id in image_ids)
    return np.fromiter((UNKNOWN if row is None else row for row in rows), np.int64)


def items_of(state: State, rows: np.ndarray | Sequence[int]) -> list[dict[str, Any]]:
    """Return what is shown of pictures, by their rows."""
    return items(state.browser.columns, np.asarray(rows, np.int64))


def item_of(state: State, image_id: str) -> dict[str, Any] | None:
    """Return what is shown of a picture; None where there is none."""
    return state.browser.items([image_id]).get(image_id)


def rows_that_fit(state: State, filters: Filters, rows: np.ndarray) -> np.ndarray:
    """Return which rows fit filters: (n,) bool. Duplicates are hidden among these rows alone.

    Raises:
        Refusal: a filter is not allowed.
    """
    hide = filters.duplicates == HIDE
    with asked():
        alone = replace(filters, duplicates="all") if hide else filters
        chosen = state.browser.select(alone).rows
    places = np.minimum(np.searchsorted(chosen, rows), max(len(chosen) - 1, 0))
    fits = chosen[places] == rows if len(chosen) else np.zeros(len(rows), bool)
    if hide:
        fits[fits] = one_of_each(state.browser.columns, rows[fits])
    return fits
