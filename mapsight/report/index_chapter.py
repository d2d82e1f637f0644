"""Read the tables of the search index and put them into a chapter of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mapsight.report.charts.drawing import Drawing
from mapsight.report.charts.index_plots import inertia_chart, map_chart, recall_chart, sizes_chart
from mapsight.report.summary import read_rows
from mapsight.text import amount, percent

__all__ = ["Chapter", "read_chapter"]

MAX_CELLS = 24
"""Cells in the table: the largest."""


@dataclass(frozen=True)
class Chapter:
    """Hold what the template shows; `recall` is empty where it was not measured.

    `styled` says whether pictures have a style, which only a head gives.
    """

    lead: str
    learned: str
    cells: Sequence[Mapping[str, Any]]
    recall: Sequence[Mapping[str, Any]]
    styled: bool
    plots: dict[str, Drawing] = field(default_factory=dict)


def read_chapter(
    results: Path,
    facts: Mapping[str, Any] | None,
    places: Mapping[int, tuple[float, float]] | None = None,
) -> Chapter | None:
    """Read the chapter of a results folder; None where no index was built.

    Args:
        places: of cells on a map.
    """
    if not facts or not (results / "cells.csv").exists():
        return None
    rows = list(read_rows(results / "kmeans.csv"))
    steps = [{name: float(row[name]) for name in ("pictures", "inertia")} for row in rows]
    cells = [_cell(row) for row in read_rows(results / "cells.csv")]
    cells.sort(key=lambda row: (-row["pictures"], row["cell"]))
    recall = _recall(results / "recall.csv")
    plots: dict[str, Drawing] = {"cells": partial(sizes_chart, [row["pictures"] for row in cells])}
    if places and len(places) > 2:
        on_map = [row for row in cells if row["cell"] in places]
        discs = [(*places[row["cell"]], row["pictures"], row["label"]) for row in on_map]
        plots["map"] = partial(map_chart, discs)
    if steps:
        plots["inertia"] = partial(inertia_chart, [step["inertia"] for step in steps])
    if recall:
        plots["recall"] = partial(recall_chart, recall)
    styled = any(row["style"] for row in cells)
    return Chapter(_lead(facts, cells), _learned(steps), cells[:MAX_CELLS], recall, styled, plots)


def _cell(row: Mapping[str, str]) -> dict[str, Any]:
    numbers = {name: int(row[name]) for name in ("cell", "pictures")}
    shares = {
        name: float(row[name]) if row[name] else None
        for name in ("spread", "purity", "style_share")
    }
    return {**row, **numbers, **shares}


def _recall(path: Path) -> list[dict[str, float]]:
    """Read the rows of the features that search uses: new ones, which come first, if any."""
    rows = list(read_rows(path)) if path.exists() else []
    return [
        {name: float(value) for name, value in row.items() if name != "features" and value}
        for row in rows
        if row["features"] == rows[0]["features"]
    ]


def _lead(facts: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> str:
    empty = f", {amount(facts['empty'])} of them empty" if facts["empty"] else ""
    text = (
        f"The index holds {amount(facts['pictures'])} pictures in {amount(facts['cells'])}"
        f" cells{empty}. Pictures are compared by their new features, vectors of"
        f" {amount(facts['dimensions'])} numbers. A search reads only the cells whose centres are"
        " nearest to the query."
    )
    if facts["purity"] is None:
        return text
    return (
        f"{text} {percent(facts['purity'])} of the pictures have the most common predicted label"
        " of their cell."
    )


def _learned(steps: Sequence[Mapping[str, float]]) -> str:
    if not steps:
        return ""
    first, last = steps[0]["inertia"], steps[-1]["inertia"]
    return (
        f"{len(steps)} iterations of k-means over {amount(int(steps[-1]['pictures']))} pictures."
        f" The inertia fell from {first:,.1f} to {last:,.1f}. It is the sum of squared distances"
        " to the nearest centre; embeddings have unit length."
    )
