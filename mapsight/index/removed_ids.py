"""Ids in a mapped file: which pictures are hidden, and in which parts of an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.rows import order_of, orders

__all__ = ["MOST_IDS", "IdList", "id_table", "write_ids_file"]

MOST_IDS = 4_000_000
"""Ids of a list: some 130 MB of 16-digit ones, which tasks of a machine map once."""
SCHEMA = pa.schema(
    [
        pa.field("order", pa.uint64(), nullable=False),
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("before", pa.int32(), nullable=False),
    ]
)


def id_table(pairs: Iterable[tuple[str, int]]) -> pa.Table:
    """A list of (image_id, before), by hash of the ids; of one id the greatest `before`.

    Memory: the list, some 300 bytes an id.
    """
    found: dict[str, int] = {}
    for image_id, before in pairs:
        found[image_id] = max(before, found.get(image_id, 0))
    rows = sorted((order_of(image_id), image_id) for image_id in found)
    columns = [
        pa.array((order for order, _ in rows), pa.uint64()),
        pa.array((image_id for _, image_id in rows), pa.string()),
        pa.array((found[image_id] for _, image_id in rows), pa.int32()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_ids_file(table: pa.Table, target: Any) -> None:
    """Write a list to a path or an open file, as one batch, so that it can be mapped."""
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], SCHEMA)]
    with pa.ipc.new_file(target, SCHEMA) as file:
        file.write_batch(batch)


class IdList:
    """(image_id, before): the picture is hidden in parts whose number is below `before`.

    Memory: none but what is looked at; the file is mapped.

    Args:
        path: of a file that `write_ids_file` wrote; None for an empty list.

    Raises:
        ValueError: it is no such file; names it.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = None if path is None else str(path)
        self._orders = np.zeros(0, np.uint64)
        if self.path is None:
            return
        try:
            self._batch = pa.ipc.open_file(pa.memory_map(self.path)).get_batch(0)
            self._orders = self._batch.column("order").to_numpy()
            self._before = self._batch.column("before").to_numpy()
        except (pa.ArrowInvalid, KeyError) as error:
            raise ValueError(f"{self.path}: not a list of ids ({error})") from None

    def __len__(self) -> int:
        return len(self._orders)

    def pairs(self) -> Iterable[tuple[str, int]]:
        """All (image_id, before), by hash of the ids."""
        if len(self):
            yield from zip(
                self._batch.column("image_id").to_pylist(), self._before.tolist(), strict=True
            )

    def before(self, image_ids: Sequence[str], known: np.ndarray | None = None) -> np.ndarray:
        """Below which number parts hide each picture, 0 for those not listed: (n,) int64.

        Args:
            known: the `order` of each, (n,) uint64, where it is at hand.
        """
        found = np.zeros(len(image_ids), np.int64)
        if not len(self):
            return found
        if known is None:
            known = np.fromiter(map(order_of, image_ids), np.uint64, len(image_ids))
        places = np.searchsorted(self._orders, known)
        inside = np.minimum(places, len(self) - 1)
        for i in np.flatnonzero(self._orders[inside] == known).tolist():
            found[i] = self._at(int(places[i]), int(known[i]), image_ids[i])
        return found

    def _at(self, place: int, order: int, image_id: str) -> int:
        """The entry of an id among those of its order, which may be several."""
        ids = self._batch.column("image_id")
        while place < len(self) and int(self._orders[place]) == order:
            if ids[place].as_py() == image_id:
                return int(self._before[place])
            place += 1
        return 0

    def hides(self, image_id: str, part: int) -> bool:
        """Whether a picture is hidden in a part."""
        return bool(len(self)) and int(self.before([image_id])[0]) > part

    def mask(self, image_ids: pa.Array, part: int, known: np.ndarray | None = None) -> np.ndarray:
        """Which of some pictures of a part are hidden: (n,) bool; `known` as for `before`."""
        if not len(self):
            return np.zeros(len(image_ids), bool)
        return self.before(image_ids.to_pylist(), known) > part

    def shown(self, batch: pa.RecordBatch, part: int) -> pa.RecordBatch:
        """The rows of a part of an index that are not hidden."""
        if not len(self):
            return batch
        hidden = self.mask(batch.column("image_id"), part, orders(batch))
        return batch.filter(pa.array(~hidden)) if hidden.any() else batch
