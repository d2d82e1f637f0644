"""What results say of each picture, found again by the `order` of a row of the index.

Predictions come by id, rows of the index by cell. So predictions are sorted on disk by `order`, in
files that are mapped: bucket by bucket, one of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.rows import order_of, orders

__all__ = ["COLUMNS", "FACTS", "ROW_BYTES", "Facts"]

NUMBERS = {
    **dict.fromkeys(("score", "style_score", "top_probability"), pa.float64()),
    **dict.fromkeys(("sharpness", "entropy", "gradient", "aspect"), pa.float64()),
    **dict.fromkeys(("pixels", "bytes"), pa.int64()),
}
TEXTS = {"mid": pa.string(), "format": pa.string(), "truth": pa.list_(pa.string())}
FACTS = (*NUMBERS.items(), *TEXTS.items())
"""Columns beside those of the index, null where not known."""
COLUMNS = ("image_id", *NUMBERS, *TEXTS)
ROW = np.dtype(
    [("order", "<u8"), *((name, "<f8") for name in NUMBERS), *((name, "<i4") for name in TEXTS)]
)
ROW_BYTES = 2 * ROW.itemsize
BUCKETS, SHIFT = 256, 56


class Facts:
    """The facts of pictures, by order.

    Memory: a bucket (1/256 of the rows, some 90 bytes each), and each text and list of verified
    labels that there is, once. Two pictures of one order, one pair in 2**64, would share theirs.

    Args:
        folder: for files that are no longer needed with this object; made.
        batches: prediction rows with COLUMNS, in any order; others are left out.
    """

    def __init__(self, folder: Path, batches: Iterable[pa.RecordBatch]) -> None:
        folder.mkdir()
        self._texts: dict[str, dict[Any, int]] = {name: {} for name in TEXTS}
        files = [(folder / f"{bucket:03}").open("wb") for bucket in range(BUCKETS)]
        for batch in batches:
            rows = self._rows(batch)
            buckets = (rows["order"] >> np.uint64(SHIFT)).astype(np.int64)
            for bucket in np.unique(buckets).tolist():
                files[bucket].write(rows[buckets == bucket].tobytes())
        for file in files:
            file.close()
        self._orders, self._known = _sorted_files(folder)
        self._values = {name: [None, *texts] for name, texts in self._texts.items()}

    def _rows(self, batch: pa.RecordBatch) -> np.ndarray:
        rows = np.zeros(batch.num_rows, ROW)
        ids = batch.column("image_id").to_pylist()
        rows["order"] = np.fromiter(map(order_of, ids), np.uint64, len(ids))
        for name in NUMBERS:
            column = batch.column(name).cast(pa.float64())
            rows[name] = column.to_numpy(zero_copy_only=False)
        for name, codes in self._texts.items():
            values = (_hashable(value) for value in batch.column(name).to_pylist())
            rows[name] = [
                0 if value is None else codes.setdefault(value, len(codes) + 1) for value in values
            ]
        return rows

    def columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Return the columns FACTS of the rows of a block of the index."""
        wanted = orders(batch)
        places = np.searchsorted(self._orders, wanted)
        inside = places < len(self._orders)
        inside[inside] = self._orders[places[inside]] == wanted[inside]
        rows = np.zeros(len(wanted), ROW)
        for name in NUMBERS:
            rows[name] = np.nan
        rows[inside] = self._known[places[inside]]
        numbers = [pa.array(rows[n], from_pandas=True).cast(kind) for n, kind in NUMBERS.items()]
        texts = [
            pa.array([self._values[name][code] for code in rows[name].tolist()], kind)
            for name, kind in TEXTS.items()
        ]
        return [*numbers, *texts]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _sorted_files(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Sort buckets by order into two files; return them, mapped."""
    paths = folder / "orders", folder / "rows"
    with paths[0].open("wb") as keys, paths[1].open("wb") as rows:
        for bucket in range(BUCKETS):
            path = folder / f"{bucket:03}"
            some = np.fromfile(path, ROW)
            some = some[np.argsort(some["order"], kind="stable")]
            keys.write(some["order"].tobytes())
            rows.write(some.tobytes())
            path.unlink()
    if not paths[0].stat().st_size:
        return np.zeros(0, np.uint64), np.zeros(0, ROW)
    return np.memmap(paths[0], "<u8", "r"), np.memmap(paths[1], ROW, "r")
