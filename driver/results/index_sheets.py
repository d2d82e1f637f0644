"""The contact sheets that the search index gives: of labels, of cells, and outliers of quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driver.results.cards import SheetRows
from driver.results.sheets import nearest_pictures
from mapsight.labels.flags import ODD
from mapsight.text import amount, percent

if TYPE_CHECKING:
    import pyarrow as pa

    from mapsight.report.overview import Overview
    from mapsight.search.search_index import SearchIndex
    from mapsight.workspace.workspace import Workspace

__all__ = ["IndexSheets"]

LOOK_BYTES = 128 << 20
"""Of rows that are looked through: of a larger index every n-th block."""
ON_MAP = 256
"""Cells on the map: the largest."""
OF_LABEL = 6
"""Pictures of a label that are best, most typical or least sure."""


class IndexSheets:
    """What can be shown of a workspace that has an index; nothing of one that has none.

    Additions are in no results, and so not here. Memory: 16 MiB of blocks, and what is shown.
    """

    def __init__(self, workspace: Workspace) -> None:
        from mapsight.index.collection import has_index
        from mapsight.search.search_index import SearchIndex

        self._workspace = workspace
        self._index: SearchIndex | None = None
        if has_index(workspace):
            self._index = SearchIndex(workspace, whole=False)

    def of_labels(self, labels: Sequence[str]) -> dict[str, list[SheetRows]]:
        """Return the most typical, the surest and the least sure pictures of each label."""
        from mapsight.report.label_pictures import label_pictures

        if self._index is None:
            return {}
        chosen = label_pictures(lambda: map(_rows_of, self._looked_through()), labels, OF_LABEL)
        seen = self._share_seen()
        return {
            label: [
                _scored("Most typical", f"nearest the mean of all {label}{seen}", one.typical),
                _scored("Surest", f"highest score{seen}", one.best),
                _scored("Least sure", f"lowest score{seen}", one.unsure),
            ]
            for label, one in chosen.items()
        }

    def outliers(self, overview: Overview) -> list[SheetRows]:
        """Return the pictures with the least of each measure."""
        from mapsight.report.overview import LEAST

        if self._index is None:
            return []
        ids = [image_id for rows in overview.outliers.values() for image_id, _ in rows]
        rows = self._index.rows_of(ids)
        return [
            SheetRows(
                LEAST[measure],
                NOTES[measure],
                [_measured(rows[i], measure, value) for i, value in least if i in rows],
            )
            for measure, least in overview.outliers.items()
        ]

    def odd(self) -> list[SheetRows]:
        """Return the first pictures by id that are odd for their label, where there are any."""
        import numpy as np
        import pyarrow as pa

        from mapsight.index.oddness import ODD_BIT
        from mapsight.report.label_pictures import Least
        from mapsight.search.filters import RowFilter

        if self._index is None:
            return []
        wanted, first = RowFilter(flag=ODD_BIT), Least(OF_LABEL)
        for _, batch in self._looked_through():
            rows = batch.filter(pa.array(wanted.mask(batch)))
            first.add(np.zeros(rows.num_rows), rows)
        rows = [_scored_row(row) for row in first.rows()]
        return [SheetRows(ODD, rows=rows)] if rows else []

    def of_cells(self) -> list[SheetRows]:
        """Return the pictures nearest the centres of the largest cells, largest cell first."""
        if self._index is None:
            return []
        nearest = nearest_pictures(self._workspace)
        classes = self._classes(nearest)
        cells = {row["cell"]: row for row in self._index.parts[0].cells.to_pylist()}
        return [
            SheetRows(
                _cell_name(cells[cell], classes.get(cell, ())),
                f"cell {cell}: {amount(cells[cell]['rows'])} pictures,"
                f" {percent(_commonest(cells[cell])[1] / cells[cell]['rows'])} with this label",
                [{**row, "rank": rank} for rank, row in enumerate(rows, 1)],
            )
            for cell, rows in nearest.items()
        ]

    def places(self) -> dict[int, tuple[float, float]]:
        """Return where the largest cells lie on a map."""
        from mapsight.report.cell_places import cell_places

        if self._index is None:
            return {}
        cells = sorted(self._index.parts[0].cells.to_pylist(), key=_largest)[:ON_MAP]
        numbers = [cell["cell"] for cell in cells]
        places = cell_places(self._index.centres.centres[numbers]).tolist()
        return {cell: (x, y) for cell, (x, y) in zip(numbers, places, strict=True)}

    def _classes(self, cells: Mapping[int, Any]) -> dict[int, list[str]]:
        """Return the two most frequent classes of the rows of some cells, as far as was looked."""
        counts: dict[int, Counter[str]] = {}
        for cell, batch in self._looked_through():
            if cell in cells:
                names = (name for name in batch.column("top_label").to_pylist() if name)
                counts.setdefault(cell, Counter()).update(names)
        return {
            cell: [name for name, _ in sorted(some.items(), key=lambda one: (-one[1], one[0]))[:2]]
            for cell, some in counts.items()
        }

    def _looked_through(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        from mapsight.report.label_pictures import spread_blocks

        assert self._index is not None
        blocks = spread_blocks(self._index.every_block(), LOOK_BYTES)
        return ((block.cell, batch) for block, batch in self._index.batches(blocks))

    def _share_seen(self) -> str:
        from mapsight.report.label_pictures import spread_blocks

        assert self._index is not None
        rows = sum(b.rows for b in spread_blocks(self._index.every_block(), LOOK_BYTES))
        if rows == self._index.rows:
            return ""
        return f", among {amount(rows)} of the {amount(self._index.rows)} pictures"


NOTES = {
    "sharpness": "lowest sharpness: blurred or plain pictures",
    "entropy": "lowest entropy: dark, pale or empty pictures",
}


def _rows_of(cell_rows: tuple[int, pa.RecordBatch]) -> pa.RecordBatch:
    return cell_rows[1]


def _scored(title: str, note: str, rows: list[dict[str, Any]]) -> SheetRows:
    return SheetRows(title, note, list(map(_scored_row, rows)))


def _scored_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "score": row["label_score"], "rank": None}


def _measured(row: Mapping[str, Any], measure: str, value: float) -> dict[str, Any]:
    label = f"{measure} {value:,.4g}, {row['label']}"
    return {**row, "label": label, "top_label": None, "score": None, "rank": None}


def _largest(cell: Mapping[str, Any]) -> tuple[int, int]:
    return -cell["rows"], cell["cell"]


def _commonest(cell: Mapping[str, Any]) -> tuple[str, int]:
    labels: Counter[str] = Counter()
    for kind in cell["kinds"]:
        labels[kind["label"]] += kind["rows"]
    return min(labels.items(), key=lambda one: (-one[1], one[0]))


def _cell_name(cell: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Return a cell's most frequent label, and its classes where they say more."""
    label, _ = _commonest(cell)
    finer = [name for name in classes if name.lower() != label.lower()]
    return f"{label}: {', '.join(finer)}" if finer else label
