"""What a person looks through: one state of a workspace, filtered, sorted and counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import Any

import numpy as np

from mapsight.browse.columns import ALL, Columns
from mapsight.browse.conditions import conditions, settled
from mapsight.browse.facets import count_facets
from mapsight.browse.filter_values import FilterError
from mapsight.browse.filters import Filters
from mapsight.browse.items import items
from mapsight.browse.selection import Cache, Selection, check_sort, sorted_rows

__all__ = ["Browser"]

CACHE_BYTES = 256 << 20
FACETS_BYTES = 100_000
"""What the counts of one set of filters are taken to have."""


class Browser:
    """Answers which pictures there are. Any number of threads.

    Memory: what the columns take, and CACHE_BYTES of selections that were asked for (4 bytes a
    picture each).

    Args:
        columns: of a state of a workspace.
        labels: that pictures may have, also those that none has.
    """

    def __init__(self, columns: Columns, labels: Collection[str] = ()) -> None:
        self.columns = columns
        self.labels = sorted({*labels, *columns.names("label").to_pylist()[1:]})
        self._cache = Cache(CACHE_BYTES)

    @property
    def state(self) -> str:
        """Return the digest of the state."""
        return self.columns.state

    @property
    def rows(self) -> int:
        """Return how many pictures there are."""
        return self.columns.rows

    def settled(self, filters: Filters) -> Filters:
        """Return filters with names as the workspace writes them.

        Raises:
            FilterError: one names what no picture can have.
        """
        return settled(filters, self.columns, self.labels)

    def select(self, filters: Filters | None = None, sort: str = "image_id") -> Selection:
        """Return the pictures that fit, in an order.

        Args:
            filters: None for all pictures.
            sort: one of SORTS, with a minus in front for the highest first.

        Raises:
            FilterError: a filter or the sort is not allowed.
        """
        exact, sort = self.settled(filters or Filters()), check_sort(sort)
        rows = self._cache.get(
            (exact, sort),
            lambda: sorted_rows(self.columns, self._chosen(exact), sort),
            lambda rows: rows.nbytes,
        )
        return Selection(self.columns, rows, sort)

    def _chosen(self, filters: Filters) -> np.ndarray:
        """Return the rows that fit, ascending: uint32. Each condition looks at what is left."""
        rows: np.ndarray | None = None
        for condition in conditions(filters, self.columns, self._cells_in).values():
            if rows is None:
                rows = np.flatnonzero(condition(ALL)).astype(np.uint32)
            else:
                rows = rows[condition(rows)]
        return np.arange(self.rows, dtype=np.uint32) if rows is None else rows

    def _cells_in(self, filters: Filters) -> np.ndarray:
        raise FilterError("region", len(filters.region), "there is no map of this workspace")

    def facets(self, filters: Filters | None = None) -> dict[str, Any]:
        """Return for each facet the counts as they would be with all other filters on.

        Raises:
            FilterError: a filter is not allowed.
        """
        exact = self.settled(filters or Filters())
        return self._cache.get(
            exact,
            lambda: count_facets(self.columns, conditions(exact, self.columns, self._cells_in)),
            lambda _: FACETS_BYTES,
        )

    def row_of(self, image_id: str) -> int | None:
        """Return the row of a picture; None where there is no such picture."""
        ids = self.columns.ids
        row = bisect_left(range(self.rows), image_id, key=lambda i: ids[i].as_py())
        return row if row < self.rows and ids[row].as_py() == image_id else None

    def items(self, image_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return what is shown of pictures, by id; unknown ids are left out."""
        rows = [row for name in image_ids if (row := self.row_of(name)) is not None]
        return {one["image_id"]: one for one in items(self.columns, np.array(rows, np.uint32))}
