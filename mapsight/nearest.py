"""The nearest centre of whole-number vectors, exact at the speed of float32.

A float32 product has an error of at most γ·|x|·|c|, γ = d·u / (1 − d·u), u = 2⁻²⁴, for any
order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.1). Rows
whose two best centres are not further apart than that are computed again in float64,
which is exact.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Centres", "error_share"]

ROWS = 2048


def error_share(d: int) -> float:
    """γ of a float32 product of d terms; also covers the rounding of the sums made of it."""
    u = 2.0**-24
    return (d + 4) * u / (1 - (d + 4) * u)


class Centres:
    """Centres of cells.

    Args:
        centres: (k, d) int16.
    """

    def __init__(self, centres: np.ndarray) -> None:
        self.centres = centres
        self._real = centres.astype(np.float32)
        self._halves = np.einsum("kd,kd->k", centres, centres, dtype=np.float64) / 2
        self._length = float(np.sqrt(2 * self._halves.max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.centres)

    def leads(self, x: np.ndarray) -> np.ndarray:
        """x·c − c·c / 2, exact: the greater, the nearer the centre.

        Args:
            x: (n, d) int16.

        Returns:
            (n, k) float64.
        """
        return x.astype(np.float64) @ self.centres.T.astype(np.float64) - self._halves

    def nearest(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest centre of each row; of equally near ones the first.

        Args:
            x: (n, d) int16.

        Returns:
            (n,) int64 cells and (n,) int64 squared distances, exact.
        """
        cells = np.concatenate([self._cells(x[i : i + ROWS]) for i in range(0, len(x), ROWS)])
        gaps = x.astype(np.int64) - self.centres[cells]
        return cells, np.einsum("nd,nd->n", gaps, gaps)

    def _cells(self, x: np.ndarray) -> np.ndarray:
        real = x.astype(np.float32)
        leads = real @ self._real.T - self._halves.astype(np.float32)
        best = leads.max(axis=1)
        lengths = np.sqrt(np.einsum("nd,nd->n", real, real, dtype=np.float64))
        # of the product, and of subtracting a rounded half of c·c
        doubt = error_share(x.shape[1]) * self._length * (lengths + self._length)
        rivals = (leads >= (best - 2 * doubt)[:, None]).sum(axis=1) > 1
        cells = leads.argmax(axis=1)
        if rivals.any():
            cells[rivals] = self.leads(x[rivals]).argmax(axis=1)
        return cells

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """All cells from the nearest on, ties by number: (n, k) int64."""
        return np.argsort(-self.leads(x), axis=1, kind="stable")
