"""The nearest centre of whole-number vectors, exact at the speed of float32.

A float32 product has an error of at most γ·|x|·|c|, γ = d·u / (1 − d·u), u = 2⁻²⁴, for any
order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.1). Rows
whose two best centres are not further apart than that are computed again in float64,
which is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from mapsight.index.projection import Projection

__all__ = ["Centres", "Nearest", "error_share", "products"]

Nearest = Callable[[int], np.ndarray]
"""The n nearest of some cells, nearest first, ties by number: (n,) int64."""

ROWS = 1024
ALONE_ROWS = 128
"""So many rows of a product with one vector stay in the cache, and BLAS starts no threads for them,
which wait for each other where a machine is busy (20 ms in the place of 0.7)."""


def error_share(d: int) -> float:
    """γ of a float32 product of d terms; also covers the rounding of the sums made of it."""
    u = 2.0**-24
    return (d + 4) * u / (1 - (d + 4) * u)


def products(xq: np.ndarray, xb: np.ndarray) -> np.ndarray:
    """Products in float32, each off by at most `error_share(d)` of the product of lengths.

    Args:
        xq: (nq, d) of any numbers.
        xb: (nb, d) of any numbers; of int16 no more than some rows are converted at a time.

    Returns:
        (nq, nb) float32.
    """
    real = xq.astype(np.float32, copy=False)
    if len(real) != 1:
        return real @ xb.astype(np.float32, copy=False).T
    found = np.empty((1, len(xb)), np.float32)
    for first in range(0, len(xb), ALONE_ROWS):
        some = xb[first : first + ALONE_ROWS].astype(np.float32, copy=False)
        np.dot(some, real[0], out=found[0, first : first + ALONE_ROWS])
    return found


class Centres:
    """Centres of cells.

    Args:
        centres: (k, d) int16.
        projection: of the vectors that are compared with them; None where all their numbers count.
    """

    def __init__(self, centres: np.ndarray, projection: Projection | None = None) -> None:
        self.centres, self.projection = centres, projection
        self._real = centres.astype(np.float32)
        self._halves = np.einsum("kd,kd->k", centres, centres, dtype=np.float64) / 2
        self._rough_halves = self._halves.astype(np.float32)
        self._length = float(np.sqrt(2 * self._halves.max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.centres)

    def _compared(self, x: np.ndarray) -> np.ndarray:
        return self.projection(x) if self.projection else x

    def nearest(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest centre of each row; of equally near ones the first.

        Args:
            x: (n, d) int16.

        Returns:
            (n,) int64 cells and (n,) int64 squared distances, exact.
        """
        x = self._compared(x)
        cells = np.concatenate([self._cells(x[i : i + ROWS]) for i in range(0, len(x), ROWS)])
        gaps = x.astype(np.int64) - self.centres[cells]
        return cells, np.einsum("nd,nd->n", gaps, gaps)

    def _cells(self, x: np.ndarray) -> np.ndarray:
        leads, doubt = self._rough_leads(x)
        cells, rows = leads.argmax(axis=1), np.arange(len(x))
        best = leads[rows, cells]
        leads[rows, cells] = -np.inf
        rivals = np.flatnonzero(leads.max(axis=1) >= best - 2 * doubt)
        leads[rows, cells] = best
        for row in rivals.tolist():
            (cells[row],) = self._first(x[row], leads[row], float(doubt[row]), 1)
        return cells

    def _rough_leads(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) float32 leads, and by how much those of each row may be wrong: (n,)."""
        real = x.astype(np.float32)
        # of one vector half as many bytes are read
        leads = products(real, self.centres if len(x) == 1 else self._real)
        leads -= self._rough_halves
        lengths = np.sqrt(np.einsum("nd,nd->n", real, real, dtype=np.float64))
        # of the product, and of subtracting a rounded half of c·c
        return leads, error_share(x.shape[1]) * self._length * (lengths + self._length)

    def rankings(self, x: np.ndarray) -> Iterator[Nearest]:
        """For each row what gives its nearest cells, exact: the first of `ranked`, sooner.

        Args:
            x: (n, d) int16.
        """
        x = self._compared(x)
        for row, leads, doubt in zip(x, *self._rough_leads(x), strict=True):
            yield partial(self._first, row, leads, float(doubt))

    def _first(self, row: np.ndarray, leads: np.ndarray, doubt: float, n: int) -> np.ndarray:
        if n < len(leads):
            least = float(np.partition(leads, -n)[-n])
            cells = np.flatnonzero(leads >= least - 2 * doubt)
        else:
            cells = np.arange(len(leads))
        exact = self.centres[cells].astype(np.float64) @ row.astype(np.float64)
        return cells[np.argsort(self._halves[cells] - exact, kind="stable")][:n]

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """All cells from the nearest on, ties by number: (n, k) int64."""
        # x·c − c·c / 2, exact: the greater, the nearer the centre
        exact = self._compared(x).astype(np.float64) @ self.centres.T.astype(np.float64)
        return np.argsort(self._halves - exact, axis=1, kind="stable")
