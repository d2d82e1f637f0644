"""What results/ says of cells: how k-means went, and what each cell holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.workspace.index_facts import ClusterNotes, IndexNotes, KMeansStep

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["cell_facts", "write_cell_tables"]

KMEANS = ("iteration", "pictures", "inertia", "shift", "empty", "dimensions", "way")
COLUMNS = ("cell", "pictures", "spread", "label", "purity", "style", "style_share")


def write_cell_tables(run: Pipeline, target: Path) -> dict[str, Any] | None:
    """Write kmeans.csv and cells.csv, and tell the summary; None without an index."""
    from mapsight.index.part import IndexPart
    from mapsight.results.predictions import write_csv

    if not run.documents["index"]["parts"]:
        return None
    learned = ClusterNotes.of(run.documents["cluster"])
    how = {"dimensions": learned.dimensions, "way": learned.way}
    steps = ({**_step(numbered), **how} for numbered in enumerate(learned.history, 1))
    write_csv(target / "kmeans.csv", KMEANS, steps)
    rows = [_row(cell) for cell in IndexPart(run.workspace).cells.to_pylist()]
    write_csv(target / "cells.csv", COLUMNS, rows)
    return cell_facts(IndexNotes.of(run.documents["index"]), rows)


def cell_facts(notes: IndexNotes, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the summary says of the cells."""
    pictures = sum(row["pictures"] for row in rows)
    alike = sum(row["alike"] for row in rows)
    return {
        "cells": notes.cells,
        "empty": notes.cells - len(rows),
        "pictures": pictures,
        "purity": round(alike / pictures, 6) if pictures else None,
        "dimensions": notes.d,
        "dtype": notes.dtype,
    }


def _step(numbered: tuple[int, KMeansStep]) -> dict[str, Any]:
    """Inertia and shift for a picture and a cell of unit vectors would need no unit: squares."""
    number, step = numbered
    return {
        "iteration": number,
        "pictures": step.rows,
        "inertia": _squares(step.inertia),
        "shift": _squares(step.shift),
        "empty": step.empty,
    }


def _squares(value: float) -> float:
    """Return what is in squares of `head.UNIT` in squares of one."""
    from mapsight.labels.head import UNIT

    return round(value / (UNIT * UNIT), 6)


def _row(cell: Mapping[str, Any]) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    styles: Counter[str] = Counter()
    for kind in cell["kinds"]:
        labels[kind["label"]] += kind["rows"]
        styles[kind["style"]] += kind["rows"]
    (label, alike), (style, styled) = (_most(counts) for counts in (labels, styles))
    return {
        "cell": cell["cell"],
        "pictures": cell["rows"],
        "spread": _squares(int(cell["inertia"]) / cell["rows"]),
        "label": label,
        "alike": alike,
        "purity": round(alike / cell["rows"], 6),
        "style": style,
        "style_share": round(styled / cell["rows"], 6) if style else None,
    }


def _most(counts: Counter[str]) -> tuple[str, int]:
    """The commonest, of equally common ones the first by name."""
    return min(counts.items(), key=lambda item: (-item[1], item[0]))
