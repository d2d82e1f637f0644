"""The command evaluate-index: recall, share read and precision of the index, as tables."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driver.errors import Failure
from driver.index_files import SearchIndex, has_index
from driver.pipeline import Pipeline
from driver.recall_stage import exact_answers, sample_rows
from driver.runners import check_runner
from driver.workspace import SEARCH, Workspace
from mapsight.recall import (
    COLUMNS,
    DEPTH,
    PRECISION_COLUMNS,
    Precision,
    Recall,
    probes_for,
)

__all__ = ["evaluate_index"]


def evaluate_index(options: Namespace) -> int:
    """Search exactly for a sample, and print what fewer cells would have found."""
    check_runner(options)
    workspace = Workspace(options.workspace, SEARCH)
    if not has_index(workspace):
        raise Failure(f"{options.workspace}: no index of its pictures; run the pipeline first")
    index = SearchIndex(workspace)
    probes = sorted({min(n, len(index.centres)) for n in options.probe})
    with tempfile.TemporaryDirectory(prefix="mapsight-evaluate-") as scratch:
        run = Pipeline(options, workspace, Path(scratch))
        with run.attended(alone=False):
            sample = sample_rows(index, options.queries)
            for name, d in index.features().items():
                measured = Recall(index.cells.rows, probes or probes_for(len(index.centres)))
                precision = Precision()
                for row, ranked, answers in exact_answers(run, index, sample, d):
                    fields = [one for *_, one in answers]
                    measured.add(ranked, [one["cell"] for one in fields])
                    precision.add({kind: row[kind] or "" for kind in ("label", "style")}, fields)
                _show(f"{name} features: recall against exact search", COLUMNS, measured.rows())
                title = f"{name} features: precision@{DEPTH} of exact search, by predicted kind"
                _show(title, PRECISION_COLUMNS, precision.rows())
    return 0


def _show(title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    cells = [list(names), *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    lines = ("  ".join(map(str.rjust, row, widths)).rstrip() for row in cells)
    sys.stdout.write("\n".join([title, *lines]) + "\n\n")


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
