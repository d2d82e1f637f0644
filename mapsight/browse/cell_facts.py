"""What is known of the pictures of each cell, for the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mapsight.browse.cell_map import CellMap
from mapsight.browse.columns import Columns
from mapsight.browse.layout import NO_CELL

__all__ = ["cell_facts"]

MEDIANS = ("ppi", "sharpness", "score")
NAMES = 2


def cell_facts(
    columns: Columns, cells: CellMap, row_of: Callable[[str], int | None]
) -> list[dict[str, Any]]:
    """Return an object for each cell that has pictures: place, size, names and medians.

    Memory: some 40 bytes a picture while it is made.

    Args:
        row_of: gives the row of a picture, None where it is not there.
    """
    groups = _Groups(columns)
    labels, tops = groups.commonest("label", 1), groups.commonest("top_label", NAMES)
    medians = {name: groups.medians(name) for name in MEDIANS}
    return [
        {
            "cell": cell,
            **_place(cells, cell),
            "pictures": size,
            "label": labels[i][0][0] if labels[i] else None,
            "purity": labels[i][0][1] / size if labels[i] else None,
            "name": ", ".join(name for name, _ in tops[i]),
            "picture": _picture(columns, groups, cells, i, row_of),
            **{name: medians[name][i] for name in MEDIANS},
        }
        for i, (cell, size) in enumerate(zip(*groups.sizes, strict=True))
    ]


def _place(cells: CellMap, cell: int) -> dict[str, float]:
    (x, y), r = cells.places[cell].tolist(), float(cells.radii[cell])
    return {"x": x, "y": y, "r": r}


def _picture(
    columns: Columns,
    groups: _Groups,
    cells: CellMap,
    number: int,
    row_of: Callable[[str], int | None],
) -> str:
    """Return the most typical picture that is there; of a cell that has lost those, its first."""
    cell = int(groups.cells[number])
    for image_id in cells.typical.get(cell, ()):
        row = row_of(image_id)
        if row is not None and columns.column("cell")[row] == cell:
            return image_id
    return columns.ids[int(groups.order[groups.starts[number]])].as_py()


class _Groups:
    """Pictures by cell: `order` are rows sorted by cell, `starts` where each of `cells` begins."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        cell = columns.column("cell")
        order = np.argsort(cell, kind="stable")
        self.order = order[: np.searchsorted(cell[order], NO_CELL)]
        self.cells, self.starts = np.unique(cell[self.order], return_index=True)
        self._counts = np.diff([*self.starts, len(self.order)])
        self._number = np.repeat(np.arange(len(self.cells)), self._counts)

    @property
    def sizes(self) -> tuple[list[int], list[int]]:
        """Return (cells, how many pictures each has)."""
        return self.cells.tolist(), self._counts.tolist()

    def commonest(self, name: str, most: int) -> list[list[tuple[str, int]]]:
        """Return for each cell its commonest names with their counts, ties by name."""
        names = self._columns.names(name)
        codes = self._columns.column(name)[self.order].astype(np.int64)
        pairs, counts = np.unique(self._number * len(names) + codes, return_counts=True)
        number, code = np.divmod(pairs, len(names))
        order = np.lexsort((code, -counts, number))
        found: list[list[tuple[str, int]]] = [[] for _ in self.cells]
        for i in order[code[order] > 0].tolist():
            if len(found[number[i]]) < most:
                found[number[i]].append((names[int(code[i])].as_py(), int(counts[i])))
        return found

    def medians(self, name: str) -> list[float | None]:
        """Return the median of a measure of each cell, None where it is known of no picture."""
        values = self._columns.values(name)[self.order]
        ordered = values[np.lexsort((values, self._number))]  # NaN comes last in its cell
        known = np.bincount(self._number[~np.isnan(values)], minlength=len(self.cells))
        middle = self.starts + np.maximum(known - 1, 0) // 2
        other = self.starts + np.where(known, known // 2, 0)
        medians = (ordered[middle] + ordered[other]) / 2 if len(ordered) else ordered
        return [one if one == one else None for one in medians.tolist()]
