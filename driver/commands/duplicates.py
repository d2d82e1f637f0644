"""The command duplicates: find pictures of a finished workspace that are there twice."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace

from driver.needs import JOB_NEEDS
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import share, whole
from driver.output_files import check_file
from driver.runners import check_runner, pipeline_of

GROUP = "Classify and rank"
DESCRIPTION = "Find duplicates in a workspace, and say which to keep."
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --min-cosine .95 --out duplicates.csv
  %(prog)s -r hadoop --workspace hdfs:///user/me/mapsight
"""
USUAL = ("max-distance", "min-cosine", "again", "out", "workspace", "runner")
NEEDS = JOB_NEEDS
FOR_OUTPUT = False
NEEDED = ("extract", "annotate", "merge")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of duplicates."""
    parser.add_argument(
        "--max-distance",
        type=whole,
        choices=range(9),
        default=8,
        help="bits of 63 in which the hashes of copies may differ, in one of the eight ways to"
        " mirror and turn them; one of their four bands is equal (default: %(default)s)",
    )
    parser.add_argument(
        "--min-cosine",
        type=share,
        default=0.8,
        metavar="C",
        help="pictures whose embeddings have this cosine are compared too, also as parts of each"
        " other, 0 to 1 (default: %(default)g)",
    )
    parser.add_argument("--again", action="store_true", help="recompute even if nothing changed")
    parser.add_argument(
        "--out", metavar="FILE", help="also copy the table to this file (default: no copy)"
    )
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Write results/duplicates.csv of a workspace, and say what it holds."""
    from driver.pipeline.typed_options import TypedOptions
    from driver.results.current_duplicates import stages_of_results
    from driver.stages.duplicates import STAGE, TABLE
    from driver.workspace.workspace import Workspace
    from mapsight.duplicates.groups import COLUMNS, summarised
    from mapsight.workspace.result_facts import DuplicateCounts

    check_file("--out", options.out, lambda head: head.startswith(",".join(COLUMNS).encode()))
    check_runner(options)
    workspace = Workspace(options.workspace)
    missing = "the pipeline has not come to its end; run it first"
    documents = {name: workspace.required(name, missing) for name in NEEDED}
    options.force, options.until = [STAGE.name] if options.again else [], None
    with workspace.locked():
        run = pipeline_of(TypedOptions(options), workspace)
        run.documents |= documents
        with run.attended(alone=True):
            run.run([STAGE])
        workspace.publish(stages_of_results(workspace), "results")
        address = workspace.uri("results", TABLE)
        if options.out:
            workspace.fetch(address, options.out)
    counts = DuplicateCounts.of(run.documents[STAGE.name])
    sys.stderr.write(f"{summarised(vars(counts))}\n")
    if options.out is None:
        sys.stderr.write("`mapsight report` shows them in the report\n")
    sys.stdout.write(f"{options.out or address}\n")
    return 0
