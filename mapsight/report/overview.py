"""Look through the predictions for what the report shows of a collection as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.labels.unsure import UNSURE
from mapsight.text import amount

__all__ = ["COLUMNS", "LEAST", "Overview", "look_through"]

LEAST = {"sharpness": "Least sharp", "entropy": "Least detail"}
"""Measures by which a collection's outliers are shown, with their titles."""
COLUMNS = ("image_id", "score", "format", "source", *LEAST)
OUTLIERS = 6
MAX_FOLDERS = 10_000
SHOWN = 12
LAST_PART = r"[/#][^/#]*$"

Row = Mapping[str, Any]


@dataclass
class Overview:
    """Counts by format and by folder, most pictures first, and the outliers of each measure.

    `folders` is empty where all pictures are in one, or they are in more than MAX_FOLDERS.
    `unsure` counts pictures with a score below UNSURE; None where nobody looked.
    """

    formats: list[Row] = field(default_factory=list)
    folders: list[Row] = field(default_factory=list)
    unsure: int | None = None
    outliers: dict[str, list[tuple[str, float]]] = field(default_factory=dict)


def look_through(batches: Iterable[pa.RecordBatch]) -> Overview:
    """Return the overview of prediction rows with COLUMNS.

    Memory: MAX_FOLDERS names, and a batch.
    """
    formats: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    least: dict[str, list[tuple[float, str]]] = {measure: [] for measure in LEAST}
    unsure = 0
    for batch in batches:
        unsure += pc.sum(pc.less(batch.column("score"), UNSURE)).as_py() or 0
        formats.update(_counted(batch.column("format")))
        if len(folders) <= MAX_FOLDERS:
            folders.update(_counted(_folders(batch.column("source"))))
        for measure, rows in least.items():
            least[measure] = sorted([*rows, *_lowest(batch, measure)])[:OUTLIERS]
    several = 1 < len(folders) <= MAX_FOLDERS
    outliers = {name: [(i, value) for value, i in rows] for name, rows in least.items() if rows}
    return Overview(_rows(formats), _rows(folders) if several else [], unsure, outliers)


def _counted(column: pa.Array) -> dict[str, int]:
    counts = pc.value_counts(column.cast(pa.string()))
    return {row["values"] or "": row["counts"] for row in counts.to_pylist()}


def _folders(sources: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(sources.cast(pa.string()), LAST_PART, "")


def _lowest(batch: pa.RecordBatch, measure: str) -> Iterator[tuple[float, str]]:
    values = batch.column(measure).cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > OUTLIERS:
        bound = np.partition(values[known], OUTLIERS - 1)[OUTLIERS - 1]
        known = known[values[known] <= bound]
    ids = batch.column("image_id").take(pa.array(known)).to_pylist()
    return zip(values[known].tolist(), ids, strict=True)


def _rows(counts: Mapping[str, int]) -> list[Row]:
    """Return the SHOWN names with most pictures, and what the others have together."""
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [(name or "not given", n) for name, n in ranked[:SHOWN]]
    if rest := ranked[SHOWN:]:
        shown.append((f"{amount(len(rest))} others", sum(n for _, n in rest)))
    return [{"label": name, "pictures": n, "share": n / total} for name, n in shown]
