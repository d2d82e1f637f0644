"""Pictures as objects for answers, and as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.columns import Columns
from mapsight.browse.layout import DUPLICATE_KINDS, NO_CELL, NO_PLACE, TEXTS, TRUTH_MARK
from mapsight.labels.flags import names_of
from mapsight.labels.unsure import UNSURE
from mapsight.license_names import is_web_address, license_name

__all__ = ["ITEM", "TABLE_COLUMNS", "items", "table"]

WORDS = ("label", "style", "top_label", "author", "subset")
MEASURED = ("score", "ppi", "width", "height", "sharpness")
ITEM = (
    *("image_id", "label", "score", "style", "top_label", "ppi", "width", "height", "sharpness"),
    *("license", "license_url", "author", "subset", "cell", "duplicate", "unsure", "disputed"),
    *("truth", "flags"),
)
TABLE_TYPES = {
    "image_id": pa.string(),
    "label": pa.string(),
    "score": pa.float64(),
    "style": pa.string(),
    "top_label": pa.string(),
    "top_probability": pa.float64(),
    "truth": pa.list_(pa.string()),
    "disputed": pa.bool_(),
    "ppi": pa.float64(),
    "width": pa.int64(),
    "height": pa.int64(),
    "pixels": pa.int64(),
    "sharpness": pa.float64(),
    "quality": pa.float64(),
    "flags": pa.list_(pa.string()),
    "entropy": pa.float64(),
    "gradient": pa.float64(),
    "bytes": pa.int64(),
    "format": pa.string(),
    "license": pa.string(),
    "author": pa.string(),
    "subset": pa.string(),
    "split": pa.string(),
    **dict.fromkeys(TEXTS, pa.string()),
    "cell": pa.int32(),
    "duplicate": pa.string(),
    "keeper": pa.string(),
}
TABLE_COLUMNS = tuple(TABLE_TYPES)


def items(columns: Columns, rows: np.ndarray) -> list[dict[str, Any]]:
    """Return what is shown of some pictures: ITEM, with None for what is not known."""
    made = _item_columns(columns, rows)
    lists = [made[name] for name in ITEM]
    return [dict(zip(ITEM, values, strict=True)) for values in zip(*lists, strict=True)]


def _item_columns(columns: Columns, rows: np.ndarray) -> dict[str, Sequence[Any]]:
    made: dict[str, Sequence[Any]] = {"image_id": columns.ids.take(pa.array(rows)).to_pylist()}
    made |= {name: _words(columns, name, rows) for name in WORDS}
    made |= {name: _known(columns.values(name, rows)) for name in MEASURED}
    for name in ("width", "height"):
        made[name] = [None if one is None else int(one) for one in made[name]]
    addresses = _words(columns, "license", rows)
    made["license"] = [one and license_name(one) for one in addresses]
    made["license_url"] = [one if one and is_web_address(one) else None for one in addresses]
    made["cell"] = _cells(columns, rows)
    made["duplicate"] = [DUPLICATE_KINDS[one] for one in columns.column("duplicate")[rows].tolist()]
    made["unsure"] = (columns.column("score")[rows] < UNSURE).tolist()
    made["disputed"] = (columns.column("disputed")[rows] == 1).tolist()
    made["truth"] = _truth(columns, rows)
    made["flags"] = _flags(columns, rows)
    return made


def _words(columns: Columns, name: str, rows: np.ndarray) -> list[str | None]:
    codes = columns.column(name)[rows]
    return columns.names(name).take(pa.array(codes)).to_pylist()


def _known(values: np.ndarray) -> list[float | None]:
    return [one if one == one else None for one in values.tolist()]


def _cells(columns: Columns, rows: np.ndarray) -> list[int | None]:
    return [None if one == NO_CELL else one for one in columns.column("cell")[rows].tolist()]


def _truth(columns: Columns, rows: np.ndarray) -> list[list[str] | None]:
    return [one.split(TRUTH_MARK) if one else None for one in _words(columns, "truth", rows)]


def _flags(columns: Columns, rows: np.ndarray) -> list[list[str]]:
    return list(map(names_of, columns.column("flags")[rows].tolist()))


def table(
    columns: Columns, rows: np.ndarray, names: Sequence[str] = TABLE_COLUMNS
) -> pa.RecordBatch:
    """Return some columns of some pictures, as predictions.parquet has them, null if not known.

    Raises:
        ValueError: there is no such column.
    """
    if unknown := [name for name in names if name not in TABLE_TYPES]:
        raise ValueError(f"column {unknown[0]!r}: one of {', '.join(TABLE_COLUMNS)}")
    texts = columns.text_batch(rows) if set(names) & set(TEXTS) else None
    arrays = [
        texts.column(name) if texts is not None and name in TEXTS else _array(columns, name, rows)
        for name in names
    ]
    return pa.RecordBatch.from_arrays(arrays, list(names))


def _array(columns: Columns, name: str, rows: np.ndarray) -> pa.Array:
    kind = TABLE_TYPES[name]
    if name == "image_id":
        return columns.ids.take(pa.array(rows)).cast(kind)
    if name == "keeper":
        return _keepers(columns, rows)
    if name == "cell":
        return pa.array(_cells(columns, rows), kind)
    if name == "flags":
        return pa.array(_flags(columns, rows), kind)
    if name == "truth":
        return pa.array(_truth(columns, rows), kind)
    if name == "disputed":
        return pa.array(columns.column(name)[rows] == 1)
    if name == "duplicate":
        codes = columns.column(name)[rows].astype(np.int64)
        return pa.array(DUPLICATE_KINDS, kind).take(pa.array(codes))
    if kind == pa.string():
        return columns.names(name).take(pa.array(columns.column(name)[rows]))
    return pa.array(columns.values(name, rows), from_pandas=True).cast(kind)


def _keepers(columns: Columns, rows: np.ndarray) -> pa.Array:
    keepers = columns.column("keeper")[rows]
    return columns.ids.take(pa.array(keepers, mask=keepers == NO_PLACE)).cast(pa.string())
