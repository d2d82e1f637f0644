"""The command evaluate-index: recall, share read and precision of the index, as tables."""

from __future__ import annotations

import argparse
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from driver.needs import JOB_NEEDS
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import positive
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import check_runner
from driver.search.notices import tell_stale
from driver.stages.recall import exact_answers, sample_rows
from driver.text_table import table_lines
from driver.workspace.workspace import SEARCH, Workspace
from mapsight.index.collection import require_index
from mapsight.search.credits import known_predictions
from mapsight.search.recall import (
    COLUMNS,
    DEPTH,
    PRECISION_COLUMNS,
    Precision,
    Recall,
    probes_for,
)
from mapsight.search.search_index import SearchIndex

GROUP = "Search"
DESCRIPTION = "Measure the recall of the search index, and how much of it is read."
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s -r local --queries 1000 --probe 5 --probe 50
"""
USUAL = ("queries", "probe", "workspace", "runner")
NEEDS = JOB_NEEDS
FOR_OUTPUT = True

VERIFIED = "verified"


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
    check_runner(options)
    workspace = Workspace(options.workspace, SEARCH)
    require_index(workspace)
    with tempfile.TemporaryDirectory(prefix="mapsight-evaluate-") as scratch:
        index = SearchIndex(workspace, Path(scratch))
        tell_stale(index.collection)
        probes = sorted({min(n, len(index.centres)) for n in options.probe})
        run = Pipeline(TypedOptions(options), workspace, Path(scratch))
        with run.attended(alone=False):
            sample = sample_rows(index, options.queries)
            for name, d in index.features().items():
                top: dict[str, list[str]] = {}
                added: set[str] = set()
                measured = Recall(index.cells.rows, probes or probes_for(len(index.centres)))
                precision = Precision()
                for row, ranked, answers in exact_answers(run, index, sample, d):
                    fields = [one for *_, one in answers]
                    measured.add(ranked, [one["cell"] for one in fields])
                    precision.add({kind: row[kind] or "" for kind in ("label", "style")}, fields)
                    top[row["image_id"]] = [image_id for _, image_id, _ in answers[:DEPTH]]
                    added |= {row["image_id"]} if row["part"] else set()
                    added |= {image_id for _, image_id, one in answers[:DEPTH] if "part" in one}
                _add_verified(run, precision, top, added)
                _show(f"{name} features: recall against exact search", COLUMNS, measured.rows())
                title = f"{name} features: precision@{DEPTH} of exact search, by kind"
                _show(title, PRECISION_COLUMNS, precision.rows())
    return 0


def _add_verified(
    run: Pipeline, precision: Precision, top: Mapping[str, Sequence[str]], added: Set[str]
) -> None:
    """Precision by labels that people verified, of query and answer, where results have them.

    A picture with several counts for each; answers of which nothing was verified do not count,
    nor do pictures that were added.
    """
    ids = {*top, *(image_id for answers in top.values() for image_id in answers)} - added
    rows = known_predictions(run.workspace, ids, ("truth",))
    truth = {image_id: row["truth"] for image_id, row in rows.items() if row["truth"]}
    for image_id, answers in top.items():
        known = [truth[answer] for answer in answers if answer in truth]
        for label in truth.get(image_id, ()) if known else ():
            same = [{VERIFIED: label if label in labels else ""} for labels in known]
            precision.add({VERIFIED: label}, same)


def _show(title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    cells = [list(names), *([_cell(row[name]) for name in names] for row in rows)]
    sys.stdout.write("\n".join([title, *table_lines(cells, left=())]) + "\n\n")


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
