"""Tables of text for a terminal."""

from __future__ import annotations

from collections.abc import Container, Sequence

__all__ = ["table_lines"]


def table_lines(rows: Sequence[Sequence[object]], left: Container[int] = (0,)) -> list[str]:
    """Return a line for every row, its columns as wide as their widest cell and two spaces apart.

    Args:
        rows: of equal length.
        left: columns that begin together, as words do; the others end together, as numbers do.

    >>> table_lines([("label", "pictures"), ("Lion", 7), ("Tiger", 12)])
    ['label  pictures', 'Lion          7', 'Tiger        12']
    """
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    pads = [str.ljust if i in left else str.rjust for i in range(len(widths))]
    return [
        "  ".join(
            pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)
        ).rstrip()
        for row in texts
    ]
