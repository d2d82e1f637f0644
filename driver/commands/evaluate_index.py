"""The command evaluate-index: recall, share read and precision of the index, as tables."""

from __future__ import annotations

import argparse
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.needs import JOB_NEEDS
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import positive
from driver.runners import check_runner, pipeline_of
from driver.text_table import table_lines

if TYPE_CHECKING:
    from mapsight.search.recall import Precision, Recall

GROUP = "Search"
DESCRIPTION = "Measure the recall of the search index, and how much of it is read."
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --queries 1000 --probe 5 --probe 50
"""
USUAL = ("queries", "probe", "workspace", "runner")
APART = ("probe", "queries")
NEEDS = JOB_NEEDS
FOR_OUTPUT = True


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of evaluate-index."""
    parser.add_argument(
        "--queries",
        type=positive,
        default=1000,
        metavar="N",
        help="number of pictures of the index to search for, chosen by a hash of their "
        "ids (default: %(default)s)",
    )
    parser.add_argument(
        "--probe",
        type=positive,
        action="append",
        default=[],
        metavar="N",
        help="number of cells to measure; may be repeated (default: 1, 2, 3, 4, 6, 8, …)",
    )
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Search exactly for a sample, and print what fewer cells would have found."""
    from driver.pipeline.typed_options import TypedOptions
    from driver.search.index_quality import measure_index
    from driver.search.notices import tell_stale
    from driver.stages.recall import sample_rows
    from driver.workspace.workspace import SEARCH, Workspace
    from mapsight.index.collection import require_index
    from mapsight.search.recall import probes_for
    from mapsight.search.search_index import SearchIndex

    check_runner(options)
    workspace = Workspace(options.workspace, SEARCH)
    require_index(workspace)
    with tempfile.TemporaryDirectory(prefix="mapsight-evaluate-") as scratch:
        index = SearchIndex(workspace, Path(scratch))
        tell_stale(index.collection)
        k = len(index.centres)
        probes = sorted({min(n, k) for n in options.probe}) or probes_for(k)
        run = pipeline_of(TypedOptions(options), workspace, Path(scratch))
        with run.attended(alone=False):
            sample = sample_rows(index, options.queries)
            for name, d in index.features().items():
                _show_quality(name, *measure_index(run, index, sample, d, probes))
    return 0


def _show_quality(features: str, recall: Recall, precision: Precision) -> None:
    from mapsight.search.recall import COLUMNS, DEPTH, PRECISION_COLUMNS

    _show(f"{features} features: recall against exact search", COLUMNS, recall.rows())
    title = f"{features} features: precision@{DEPTH} of exact search, by kind"
    _show(title, PRECISION_COLUMNS, precision.rows())


def _show(title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    cells = [list(names), *([_cell(row[name]) for name in names] for row in rows)]
    sys.stdout.write("\n".join([title, *table_lines(cells, left=())]) + "\n\n")


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
