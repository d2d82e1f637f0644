"""Where the columns of a metadata file stand, and what was wrong with their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mapsight.explore.sums import Key
from mapsight.inputs.csv_rows import Row
from mapsight.inputs.image_ids import HEX_ID
from mapsight.openimages.columns import (
    FLAGS,
    NAMES,
    NOT_UTF8,
    SIDES,
    Header,
    checker,
    readable,
)

__all__ = ["MICRO", "ColumnChecks"]

MICRO = 1_000_000
"""Coordinates are counted in millionths of the picture's side, so that sums are exact."""
REMEMBERED, SHORT = 4096, 40  # cells of a column that were found right, and their characters
NEEDED = {
    "images": ("ImageID",),
    "labels": ("ImageID", "LabelName", "Confidence"),
    "boxes": ("ImageID", "LabelName"),
}
"""Cells without which a row tells nothing."""


class ColumnChecks:
    """Where the columns of a file stand, and what was wrong with their cells."""

    def __init__(
        self, header: Header, kind: str, note: Callable[[str, str, int, str], None]
    ) -> None:
        self._kind, self._note = kind, note
        self._names = [readable(name) for name in header.columns]
        self._places = {name: place for place, name in enumerate(header.columns)}
        self._checks = [(set[str](), checker(name)) for name in header.columns]
        self._sides = [self._places[name] for name in SIDES if kind == "boxes"]
        self._flags = [self._places.get(name) for name in FLAGS]
        self.needed = [self._places[name] for name in NEEDED[kind]]
        self._cells = 0
        self._empty = [0] * len(self._names)
        self._malformed = [0] * len(self._names)

    def examined(self, row: Row) -> list[str]:
        """Return the cells of a row, malformed ones emptied."""
        self._cells += 1
        cells = row.cells
        for place, (right, check) in enumerate(self._checks):
            cell = cells[place]
            if cell in right:
                continue
            if not cell:
                self._empty[place] += 1
            elif problem := check(cell):
                cells = self._emptied(row, cells, place, problem)
            elif len(right) < REMEMBERED and len(cell) <= SHORT:
                right.add(cell)
        return cells

    def _emptied(self, row: Row, cells: list[str], place: int, problem: str) -> list[str]:
        self._malformed[place] += 1
        self._note(self._names[place], problem, row.offset, cells[place])
        if problem == NOT_UTF8:
            return cells
        return [*cells[:place], "", *cells[place + 1 :]]

    def lacking(self, row: Row) -> list[str]:
        """Return the columns of which a cell is needed, and came empty."""
        return [self._names[place] for place in self.needed if not row.cells[place]]

    def cell(self, cells: list[str], name: str) -> str:
        """Return a cell by the published name of its column.

        Empty where there is no such column.
        """
        place = self._places.get(name)
        return "" if place is None else cells[place]

    def image_id(self, cells: list[str]) -> str:
        """Return the picture of a row, as pictures of that name get it."""
        text = cells[self.needed[0]]
        return text.lower() if HEX_ID.fullmatch(text) else text

    def flags(self, cells: list[str]) -> list[str]:
        """Return the box attributes as 1, 0, -1, empty or, without such a column, a dash."""
        return [cells[place] if place is not None else "-" for place in self._flags]

    def sides(self, row: Row, cells: list[str]) -> tuple[int, int] | None:
        """Return width and height of a box in millionths of its picture; None where unknown."""
        values = [cells[place] for place in self._sides]
        if not all(values):
            return None
        left, right, top, bottom = (round(float(value) * MICRO) for value in values)
        if right >= left and bottom >= top:
            return right - left, bottom - top
        low, high = ("XMin", "XMax") if right < left else ("YMin", "YMax")
        place = self._places[high]
        self._malformed[place] += 1
        self._note(high, f"smaller than {low}", row.offset, cells[place])
        return None

    def totals(self) -> Iterator[tuple[Key, int]]:
        """Yield cells, empty and malformed ones of each column."""
        for name, empty, malformed in zip(self._names, self._empty, self._malformed, strict=True):
            key = ("column", self._kind, NAMES.get(name, ""), name)
            yield (*key, "cells"), self._cells
            yield (*key, "empty"), empty
            yield (*key, "malformed"), malformed
