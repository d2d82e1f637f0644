"""What the rows of one split of the metadata say: sums, and parts of pictures.

Parts are keyed by `image_id`. Rows of a picture that follow each other, as they do
in the published files, share a part of at most PART_ROWS rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from mapsight.explore.column_checks import MICRO, ColumnChecks
from mapsight.explore.sums import FIRST, Key, Sums
from mapsight.inputs.csv_rows import Row
from mapsight.labels.labeler import VERIFIED
from mapsight.openimages.columns import (
    SUBSETS,
    Header,
    data_rows,
    read_header,
    readable,
    subset_of,
)
from mapsight.openimages.dataset import CsvSplit

__all__ = ["ABSENT", "END", "MACHINE", "PRESENT", "SURE", "UNCLEAR", "SplitReader"]

PART_ROWS = 1000
END = 20
"""The first and last bins of areas and aspects: what is beyond them is in them."""
TEXT = 300  # characters of a licence or an author that tell it from others
EXCERPT = 80
LACKING = "is needed, and empty"
PRESENT, ABSENT, MACHINE, UNCLEAR = range(4)
"""What a label row is: verified by people (confidence 1, 0), by machine, anything else."""
SURE = 4
"""Added where the confidence is above 0.99."""
Parts = Iterator[tuple[str | Key, Any]]


class SplitReader:
    """Reads one split. Memory: the sums of `Sums`, a part, and a few examples a column.

    Raises:
        ValueError: the file's columns are not those of its kind.
    """

    def __init__(self, split: CsvSplit) -> None:
        self.split = split
        self.name = readable(PurePosixPath(split.source or split.uri).name)
        self.header = read_header(split.uri, split.kind, split.source or None)
        self.sums = Sums()
        self.counters = {"rows": 0, "unreadable": 0, "unusable": 0}
        self._examples: dict[Key, list[list[Any]]] = {}
        self._subset = subset_of(self.name)

    def parts(self) -> Parts:
        """Yield `image_id, part of a picture`, and `key, sum` of what needs no picture."""
        if self.header is not None:
            yield from self._parts(self.header)
        yield from self.sums.drain()
        yield from sorted(self._examples.items())

    def _parts(self, header: Header) -> Parts:
        if not self.split.start:
            words = [*header.columns] if header.is_row else ["", *header.columns]
            text = " ".join(map(readable, words))
            yield ("header", self.split.kind, self.name), [[text, self._subset]]
        columns = ColumnChecks(header, self.split.kind, self._note)
        fold = {"images": self._image, "labels": self._label, "boxes": self._box}[self.split.kind]
        last = ""
        part: list[Any] = []
        for row in data_rows(self.split.uri, header, self.split.start, self.split.end):
            self.counters["rows"] += 1
            cells = self._usable(row, columns)
            if cells is None:
                continue
            image_id = columns.image_id(cells)
            if part and (image_id != last or len(part) == PART_ROWS):
                yield last, self._part(part)
                part = []
            last = image_id
            part.append(fold(row, cells, columns))
            if self.sums.full:
                yield from self.sums.drain()
        if part:
            yield last, self._part(part)
        self._total(columns)

    def _usable(self, row: Row, columns: ColumnChecks) -> list[str] | None:
        """The cells of a row, malformed ones emptied; None where it tells nothing."""
        if row.problem:
            self.counters["unreadable"] += 1
            self._note("", row.problem, row.offset, ",".join(row.cells))
            return None
        cells = columns.examined(row)
        if not all(cells[place] for place in columns.needed):
            self.counters["unusable"] += 1
            for name in columns.lacking(row):
                self._note(name, LACKING, row.offset, ",".join(row.cells))
            return None
        return cells

    def _note(self, column: str, problem: str, offset: int, cell: str) -> None:
        key = ("example", self.split.kind, column, problem)
        kept = self._examples.setdefault(key, [])
        if len(kept) < FIRST["example"]:
            kept.append([self.name, offset, readable(cell[:EXCERPT])])

    def _total(self, columns: ColumnChecks) -> None:
        for name, number in self.counters.items():
            self.sums.add(("file", self.split.kind, self.name, name), number)
        for key, number in columns.totals():
            self.sums.add(key, number)

    def _part(self, rows: list[Any]) -> dict[str, Any]:
        if self.split.kind == "images":
            return {"images": rows}
        if self.split.kind == "labels":
            return {"labels": rows, "subset": self._subset}
        boxes: dict[str, int] = {}
        for mid in rows:
            boxes[mid] = boxes.get(mid, 0) + 1
        return {"boxes": boxes, "subset": self._subset}

    def _image(self, row: Row, cells: list[str], columns: ColumnChecks) -> list[str]:
        subset, *text = (columns.cell(cells, n) for n in ("Subset", "License", "Author"))
        turn = columns.cell(cells, "Rotation")
        return [
            subset if subset in SUBSETS else self._subset,
            *(readable(cell[:TEXT]) for cell in text),
            f"{float(turn):.0f}" if turn else "",
        ]

    def _label(self, row: Row, cells: list[str], columns: ColumnChecks) -> list[Any]:
        source = columns.cell(cells, "Source")
        confidence = float(columns.cell(cells, "Confidence"))
        self.sums.add(("labels_source", readable(source[:TEXT])))
        kind = UNCLEAR
        if source in VERIFIED and confidence in (0, 1):
            kind = PRESENT if confidence else ABSENT
        elif source.startswith("machine"):
            kind = MACHINE
        return [columns.cell(cells, "LabelName"), kind + (SURE if confidence > 0.99 else 0)]

    def _box(self, row: Row, cells: list[str], columns: ColumnChecks) -> str:
        mid = columns.cell(cells, "LabelName")
        add = self.sums.add
        add(("boxes_source", readable(columns.cell(cells, "Source")[:TEXT])))
        add(("flags", mid, *columns.flags(cells)))
        sides = columns.sides(row, cells)
        if sides:
            width, height = sides
            add(("shape", mid, "boxes"))
            add(("shape", mid, "area"), width * height)
            add(("area", str(area_bin(width * height))))
            add(("aspect", str(aspect_bin(width, height))))
        return mid


def area_bin(area: int) -> int:
    """Return ⌊log₂⌋ of a share of the picture, given in millionths of millionths; -END or more."""
    return max(-END, math.frexp(area / MICRO**2)[1] - 1) if area else -END


def aspect_bin(width: int, height: int) -> int:
    """Return ⌊2 log₂(width / height)⌋ within ±END: half an octave a bin."""
    if not width or not height:
        return -END if height else END
    return max(-END, min(END, math.frexp(width * width / (height * height))[1] - 1))
