"""Which rows of an index may be chosen, by cell and hash, in a file that tasks map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.openimages.sampling import hashed

__all__ = ["NO_GROUP", "Candidates", "candidate_table", "drawn", "write_candidates"]

NO_GROUP = -1
SCHEMA = pa.schema(
    [
        pa.field("cell", pa.uint16(), nullable=False),
        pa.field("order", pa.uint64(), nullable=False),
        pa.field("group", pa.int32(), nullable=False),
    ]
)


def drawn(orders: np.ndarray, seed: int) -> np.ndarray:
    """Return the place of pictures in a random order, one for each seed, by their `order`.

    It depends on the picture and the seed alone, so that more pictures change little of a choice.

    Args:
        orders: (n,) uint64, as rows of an index have them. seed: 0 or more.
    """
    return hashed(orders ^ hashed(np.array([seed], np.uint64)))


def candidate_table(cells: np.ndarray, orders: np.ndarray, groups: np.ndarray) -> pa.Table:
    """Return candidates sorted by cell and hash: 14 bytes each."""
    by_place = np.lexsort((orders, cells))
    columns = (cells, orders, groups)
    arrays = [
        pa.array(values[by_place], field.type)
        for values, field in zip(columns, SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def write_candidates(table: pa.Table, target: Any) -> None:
    """Write a table as one batch, so that it can be mapped, to a path or an open file."""
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], SCHEMA)]
    with pa.ipc.new_file(target, SCHEMA) as file:
        file.write_batch(batch)


class Candidates:
    """Finds the group of rows of a cell. Memory: none but what is looked at.

    Args:
        path: of a file that `write_candidates` wrote, or the table itself.

    Raises:
        ValueError: it is no such file; names it.
    """

    def __init__(self, path: str | Path | pa.Table) -> None:
        try:
            batch = path if isinstance(path, pa.Table) else _mapped(path)
            self._cells, self._orders, self._groups = (
                batch.column(name).to_numpy() for name in SCHEMA.names
            )
        except (pa.ArrowInvalid, KeyError) as error:
            raise ValueError(f"{path}: not a list of candidates ({error})") from None

    def groups(self, cell: int, orders: np.ndarray) -> np.ndarray:
        """Return the group of each row of a cell, by its `order`: (n,) int32, or NO_GROUP.

        Two pictures of one order, one pair in 2**64, would share theirs.
        """
        low, high = np.searchsorted(self._cells, [cell, cell + 1])
        known = self._orders[low:high]
        if not len(known):
            return np.full(len(orders), NO_GROUP, np.int32)
        places = np.minimum(np.searchsorted(known, orders), len(known) - 1)
        return np.where(known[places] == orders, self._groups[low:high][places], NO_GROUP)


def _mapped(path: str | Path) -> pa.RecordBatch:
    return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
