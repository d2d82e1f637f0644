"""The command report: the report of a workspace, written again."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from driver.needs import REPORT, Need
from driver.options.groups import add_program_options, add_workspace_option
from driver.output_files import check_folder

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

GROUP = "Classify and rank"
DESCRIPTION = "Write the report of a workspace again."
EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --out ./report\n"
USUAL = ("out", "workspace")
NEEDS = (Need("the report", REPORT),)
FOR_OUTPUT = False
NEEDED = ("extract", "classify", "merge")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of report."""
    parser.add_argument(
        "--out", metavar="DIR", help="folder to write the report to (default: WORKSPACE/report)"
    )
    add_workspace_option(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Write the report again from the committed results."""
    from driver.results.render import download_results, report_to, with_duplicates
    from driver.workspace.workspace import Workspace

    check_folder("--out", options.out)
    workspace = Workspace(options.workspace)
    missing = "there are no results yet; run the pipeline first"
    documents = {name: workspace.required(name, missing) for name in NEEDED}
    with _place_for_report(workspace, options.out) as scratch:
        results = scratch / "results"
        download_results(workspace, results)
        documents = with_duplicates(workspace, documents, results)
        target = scratch / "report"
        report_to(workspace, documents, results, target)
        page = _place_report(workspace, target, options.out)
    sys.stdout.write(f"{page}\n")
    return 0


def _place_report(workspace: Workspace, made: Path, out: str | None) -> str:
    """Put a report where it was asked for, else into the workspace; return the page's address."""
    from driver.workspace.owned_files import Source, copy_into
    from mapsight.workspace.links import files_below

    if not out:
        workspace.replace(made, "report")
        return workspace.uri("report", "index.html")
    copy_into(Path(out), {name: Source(made / name) for name, _ in files_below(made)})
    return str(Path(out) / "index.html")


@contextlib.contextmanager
def _place_for_report(workspace: Workspace, out: str | None) -> Iterator[Path]:
    """Yield a scratch folder; the workspace is held where the report is to replace its own."""
    if out:
        with tempfile.TemporaryDirectory(prefix="mapsight-report-") as scratch:
            yield Path(scratch)
        return
    with workspace.locked():
        yield workspace.scratch
