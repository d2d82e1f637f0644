"""The command add: new pictures join the index, and nothing that is there is touched."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.needs import JOB_NEEDS
from driver.options.groups import (
    add_input_options,
    add_job_options,
    add_program_options,
    add_workspace_option,
)
from driver.runners import check_runner

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace
    from mapsight.search.search_index import SearchIndex

GROUP = "Search"
DESCRIPTION = "Add pictures to the search index; what is there stays as it is."
EXAMPLES = """\
examples:
  %(prog)s new-pictures/
  %(prog)s lion.jpg 'more/*.jpg' shards/part.parquet
  %(prog)s --openimages new-openimages/
  %(prog)s -r hadoop --images hdfs:///new --workspace hdfs:///user/me/mapsight

Labels, model, head and cells are those of the index. After a crash, run the same command again.
"""
USUAL = ("images", "openimages", "workspace", "runner")
APART = ("images", "openimages")
NEEDS = JOB_NEEDS
FOR_OUTPUT = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of add."""
    parser.add_argument("pictures", nargs="*", help="pictures to add, as --images takes them")
    add_input_options(parser)
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Index new pictures beside the others, and say how well they fit."""
    from driver.search.notices import tell_stale
    from driver.workspace.workspace import Workspace
    from mapsight.index.collection import require_index
    from mapsight.search.search_index import SearchIndex

    options.images = [*options.pictures, *options.images]
    if not (options.images or options.openimages):
        see = f"see {options.program} --help"
        raise UsageError(f"name the pictures to add, or --openimages DIR ({see})")
    check_runner(options)
    workspace = Workspace(options.workspace)
    require_index(workspace, current=True)
    with workspace.locked():
        require_index(workspace, current=True)
        index = SearchIndex(workspace, workspace.scratch)
        tell_stale(index.collection)
        _add(options, workspace, index)
    return 0


def _add(options: Namespace, workspace: Workspace, index: SearchIndex) -> None:
    from driver.additions.addition import FIRST_STAGES, LAST_STAGES, addition
    from driver.additions.summary import (
        fit_line,
        new_pictures,
        outcome_lines,
        picture_lines,
    )
    from driver.commands.run_summary import stage_lines
    from driver.stages.explore import check_headers
    from driver.workspace.changes import clean_changes, drop_addition, write_changes
    from mapsight.index.part import IndexPart

    run = addition(options, workspace, index)
    check_headers(run)
    with run.attended(alone=True):
        run.run(FIRST_STAGES)
        new = new_pictures(run)
        if new:
            run.run(LAST_STAGES)
    outcome = list(outcome_lines(run, kept=new > 0))
    sys.stderr.write("\n".join([*stage_lines(run), "", *outcome]) + "\n")
    if not new:
        drop_addition(run.workspace)
        sys.stderr.write("nothing to add: all these pictures are in the index already\n")
        return
    pictures = list(picture_lines(run, new))
    part = IndexPart(run.workspace, index.changes.numbered + 1)
    base = index.parts[0]
    write_changes(workspace, index.changes.with_addition(part.rows, part.digest, base.digest))
    clean_changes(workspace)
    sys.stderr.write("\n".join([*pictures, fit_line(index, part)]) + "\n")
    sys.stdout.write(f"{run.workspace.uri()}\n")
