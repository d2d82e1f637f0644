"""The rows of published CSV files that belong to some images, read as streams.

Images are named by the numbers that their ids stand for (`sampling.id_of`).
Memory: a few blocks of a file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from mapsight.inputs.text_rows import Lines, csv_records, opened_text
from mapsight.openimages.sampling import numbers_in, numbers_of

__all__ = ["copy_image_rows", "copy_rows", "image_rows", "listed_ids", "tables"]

BLOCK = 4 << 20
FIRST_CELL = re.compile(rb"^([0-9a-fA-F]{16}),", re.M)


def listed_ids(images: Path) -> Iterator[np.ndarray]:
    """Yield the ids of an image list, (n,) uint64 at a time.

    They begin lines. A title with a line end inside costs nothing.
    """
    with images.open("rb") as file:
        rest = b""
        while block := file.read(BLOCK):
            text, _, rest = (rest + block).rpartition(b"\n")
            yield numbers_in(b"".join(FIRST_CELL.findall(text)))
        yield numbers_in(b"".join(FIRST_CELL.findall(rest)))


def tables(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file of labels or boxes, as binary columns, but for malformed ones.

    Args:
        columns: those that are needed; none means all.

    Raises:
        ValueError: a column is missing; the message names those that are there.
    """
    with path.open("rb") as file:
        header = file.readline(1 << 16).decode("utf-8-sig", "replace").strip().split(",")
    if missing := [name for name in columns or ("ImageID",) if name not in header]:
        raise ValueError(f"{path}: no column {missing[0]}; it has {', '.join(header)[:200]}")
    with pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(block_size=BLOCK),
        # there are no quotes in these files, and a stray one must not swallow others
        pyarrow.csv.ParseOptions(quote_char=False, invalid_row_handler=lambda row: "skip"),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.binary()), include_columns=list(columns)
        ),
    ) as reader:
        yield from reader


def copy_rows(path: Path, out: Path, wanted: np.ndarray) -> int:
    """Copy the rows of a file of labels or boxes that belong to some images; how many.

    Raises:
        ValueError: there is no column ImageID.
    """
    count = 0
    with path.open("rb") as file, out.open("wb") as copy:
        copy.write(file.readline().rstrip(b"\r\n") + b"\n")
        for table in tables(path, ()):
            numbers, places = numbers_of(table["ImageID"])
            mine = table.take(pa.array(places[np.isin(numbers, wanted)]))
            cells = zip(*(column.to_pylist() for column in mine.columns), strict=True)
            copy.writelines(b",".join(row) + b"\n" for row in cells)
            count += mine.num_rows
    return count


def image_rows(images: Path, wanted: np.ndarray) -> Iterator[list[str]]:
    """Yield the header of an image list, then its rows that belong to some images, in its order.

    Raises:
        ValueError: there is no column ImageID.
    """
    ids = set(wanted.tolist())
    with opened_text(str(images).encode()) as handle:
        lines = Lines(handle)
        lines.begin()
        header = next(csv.reader([next(lines, "")]), [])
        if "ImageID" not in header:
            raise ValueError(f"{images}: no column ImageID; it has {', '.join(header)[:200]}")
        yield header
        at = header.index("ImageID")
        for cells in csv_records(lines, ",", len(header)):
            if cells and len(cells) == len(header) and _number(cells[at]) in ids:
                yield cells


def _number(image_id: str) -> int:
    try:
        return int(image_id, 16) if len(image_id) == 16 else -1
    except ValueError:
        return -1


def copy_image_rows(images: Path, out: Path, wanted: np.ndarray) -> int:
    """Copy the rows of an image list that belong to some images; how many."""
    count = -1
    with out.open("w", encoding="utf-8", errors="surrogateescape", newline="") as copy:
        writer = csv.writer(copy, lineterminator="\n")
        for cells in image_rows(images, wanted):
            writer.writerow(cells)
            count += 1
    return count
