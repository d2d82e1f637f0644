"""The confusion matrix as a table of the page, whose cells lead to pictures."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from mapsight.text import amount

__all__ = ["MAX_CONFUSION", "Matrix", "MatrixCell", "confusion_matrix"]

MAX_CONFUSION = 40


@dataclass(frozen=True)
class MatrixCell:
    """Hold how many pictures of a row got a label: `text` is short, `share` is of the row."""

    label: str
    count: int
    text: str
    share: float
    right: bool
    shown: bool


@dataclass(frozen=True)
class Matrix:
    """Hold predicted labels, and of each verified one its pictures and cells; a note or ""."""

    labels: Sequence[str]
    rows: Sequence[tuple[str, int, Sequence[MatrixCell]]]
    note: str

    @property
    def linked(self) -> bool:
        """Return whether there are pictures of any cell."""
        return any(cell.shown for *_, cells in self.rows for cell in cells)


def confusion_matrix(
    labels: Sequence[str], counts: np.ndarray, examples: Container[tuple[str, str]] = ()
) -> Matrix:
    """Return the matrix of verified (rows) against predicted labels.

    Args:
        labels: (n,) names. Of more than MAX_CONFUSION those with the most verified pictures are
            shown, in their order, and the note says so.
        counts: (n, n) whole numbers of pictures.
        examples: (verified, predicted) of which there are pictures to show.

    Raises:
        ValueError: the shape is not (n, n).
    """
    table = np.asarray(counts)
    if table.shape != (len(labels), len(labels)):
        raise ValueError(f"expected counts of shape {(len(labels),) * 2}, got {table.shape}")
    totals = table.sum(axis=1)
    taken = np.sort(np.argsort(-totals, kind="stable")[:MAX_CONFUSION]).tolist()
    rows = []
    for row in taken:
        total = int(totals[row])
        cells = [
            _cell(labels[column], int(table[row, column]), total, row == column, (
                (labels[row], labels[column]) in examples
            ))
            for column in taken
        ]  # fmt: skip
        rows.append((labels[row], total, cells))
    note = ""
    if len(taken) < len(labels):
        note = f"{len(taken)} of {amount(len(labels))} labels: those with most verified pictures."
    return Matrix([labels[number] for number in taken], rows, note)


def _cell(label: str, count: int, total: int, right: bool, shown: bool) -> MatrixCell:
    return MatrixCell(label, count, _compact(count), count / max(total, 1), right, shown)


def _compact(count: int) -> str:
    """Return at most five characters up to 999 million; nothing for 0."""
    if count < 10_000:
        return amount(count) if count else ""
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.3g}M"
