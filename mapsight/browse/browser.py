"""What a person looks through: one state of a workspace, filtered, sorted and counted."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np

from mapsight.browse.cell_facts import cell_facts
from mapsight.browse.cell_map import CellMap, nearest_ids, spiral
from mapsight.browse.columns import ALL, Columns
from mapsight.browse.conditions import conditions, settled
from mapsight.browse.facets import count_facets
from mapsight.browse.filter_values import HIDE, FilterError
from mapsight.browse.filters import Filters
from mapsight.browse.groups import one_of_each
from mapsight.browse.items import items
from mapsight.browse.selection import Cache, Selection, check_sort, sorted_rows
from mapsight.search.search_index import SearchIndex

__all__ = ["Browser"]

CACHE_BYTES = 256 << 20
CELL_BYTES, FACETS_BYTES = 1_000, 100_000
"""What a cell of the map, and the counts of one set of filters, are taken to have."""


class Browser:
    """Answers which pictures there are. Any number of threads.

    Memory: what the columns take, and CACHE_BYTES of selections that were asked for (4 bytes a
    picture each).

    Args:
        columns: of a state of a workspace.
        labels: that pictures may have, also those that none has.
        open_map: gives the map of the index; None where there is no index.
    """

    def __init__(
        self,
        columns: Columns,
        labels: Collection[str] = (),
        open_map: Callable[[], CellMap] | None = None,
    ) -> None:
        self.columns, self._open_map = columns, open_map
        self._map_lock = threading.Lock()
        self._cell_map: CellMap | None = None
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

    def of_ids(self, image_ids: Sequence[str]) -> Selection:
        """Return these pictures, in this order.

        Raises:
            FilterError: there is no such picture.
        """
        rows = [self.row_of(image_id) for image_id in image_ids]
        for image_id, row in zip(image_ids, rows, strict=True):
            if row is None:
                raise FilterError("ids", image_id, "no picture with this image_id")
        return Selection(self.columns, np.array(rows, np.uint32), "as given")

    def _chosen(self, filters: Filters) -> np.ndarray:
        """Return the rows that fit, ascending: uint32. Each condition looks at what is left."""
        rows: np.ndarray | None = None
        for condition in conditions(filters, self.columns, self._cells_in).values():
            if rows is None:
                rows = np.flatnonzero(condition(ALL)).astype(np.uint32)
            else:
                rows = rows[condition(rows)]
        if rows is None:
            rows = np.arange(self.rows, dtype=np.uint32)
        return rows[one_of_each(self.columns, rows)] if filters.duplicates == HIDE else rows

    def _cells_in(self, filters: Filters) -> np.ndarray:
        return self.cell_map.cells_in(filters.region)

    @property
    def cell_map(self) -> CellMap:
        """Return the map, which the first call opens, or makes: seconds for thousands of cells.

        Raises:
            FilterError: there is no index, and so no map.
        """
        with self._map_lock:
            if self._cell_map is None:
                if self._open_map is None:
                    raise FilterError("region", "", "there is no map, for there is no index")
                self._cell_map = self._open_map()
            return self._cell_map

    def map(self) -> list[dict[str, Any]]:
        """Return an object for each cell that has pictures (docs/browse.md).

        Raises:
            FilterError: there is no index.
        """
        cells = self.cell_map
        make = partial(cell_facts, self.columns, cells, self.row_of)
        return self._cache.get("map", make, lambda one: CELL_BYTES * len(one))

    def cell(self, number: int, index: SearchIndex, most: int = 1000) -> list[dict[str, Any]]:
        """Return the pictures of a cell that are most like its centre, with their places.

        Args:
            index: of the same state; one thread at a time.
            most: at most so many.

        Raises:
            FilterError: there is no such cell.
        """
        cells = self.cell_map
        if not 0 <= number < len(cells):
            raise FilterError("cell", number, f"0 to {len(cells) - 1:,}")
        (x, y), r = cells.places[number].tolist(), float(cells.radii[number])
        known = ((name, self.row_of(name)) for name in nearest_ids(index, number))
        rows = [row for _, row in known if row is not None][:most]
        places = spiral(len(rows), x, y, r).tolist()
        shown = items(self.columns, np.array(rows, np.uint32))
        return [one | {"x": x, "y": y} for one, (x, y) in zip(shown, places, strict=True)]

    def facets(self, filters: Filters | None = None) -> dict[str, Any]:
        """Return for each facet the counts as they would be with all other filters on.

        Raises:
            FilterError: a filter is not allowed.
        """
        exact = self.settled(filters or Filters())
        return self._cache.get(exact, partial(self._counted, exact), lambda _: FACETS_BYTES)

    def _counted(self, filters: Filters) -> dict[str, Any]:
        wanted = conditions(filters, self.columns, self._cells_in)
        return count_facets(self.columns, wanted, once=filters.duplicates == HIDE)

    def row_of(self, image_id: str) -> int | None:
        """Return the row of a picture; None where there is no such picture."""
        ids = self.columns.ids
        row = bisect_left(range(self.rows), image_id, key=lambda i: ids[i].as_py())
        return row if row < self.rows and ids[row].as_py() == image_id else None

    def items(self, image_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return what is shown of pictures, by id; unknown ids are left out."""
        rows = [row for name in image_ids if (row := self.row_of(name)) is not None]
        return {one["image_id"]: one for one in items(self.columns, np.array(rows, np.uint32))}
