"""One picture of each group of duplicates, among those that fit."""

from __future__ import annotations

import numpy as np

from mapsight.browse.columns import Columns, Rows
from mapsight.browse.layout import DUPLICATE_KINDS, NO_PLACE

__all__ = ["count_once", "one_of_each"]

KEEPER = DUPLICATE_KINDS.index("keeper")


def one_of_each(columns: Columns, rows: np.ndarray) -> np.ndarray:
    """Return which rows are left if one of each group is: (n,) bool.

    That is the group's keeper, or where it is not among the rows the one with the highest PPI, of
    equal ones the largest file, of equal ones the first id.
    """
    kinds, keepers = columns.column("duplicate")[rows], columns.column("keeper")[rows]
    left = kinds <= KEEPER
    others = np.flatnonzero(~left & ~np.isin(keepers, rows[kinds == KEEPER]))
    ppi, size = (-columns.values(name, rows[others]) for name in ("ppi", "bytes"))
    order = np.lexsort((rows[others], size, ppi, keepers[others]))
    _, first = np.unique(keepers[others][order], return_index=True)
    left[others[order[first]]] = True
    return left


def count_once(columns: Columns, codes: np.ndarray, rows: Rows, most: int) -> np.ndarray:
    """Return how many rows have each code, a group counting once for a code: (most + 1,) int64.

    Args:
        codes: of the rows, 0 to `most`.
    """
    keepers = columns.column("keeper")[rows]
    alone = keepers == NO_PLACE
    pairs = keepers[~alone].astype(np.int64) * (most + 1) + codes[~alone]
    once = np.bincount(np.unique(pairs) % (most + 1), minlength=most + 1)
    return once + np.bincount(codes[alone], minlength=most + 1)
