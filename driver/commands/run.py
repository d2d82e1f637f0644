"""The command run: bring a workspace up to date."""

from __future__ import annotations

import argparse
import json
import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.needs import JOB_NEEDS, REPORT, Need, asks
from driver.options.config_file import CONFIG
from driver.options.groups import (
    add_input_options,
    add_job_options,
    add_program_options,
    add_workspace_option,
)
from driver.options.model_groups import add_model_options, check_model_options
from driver.options.run_groups import add_index_options, add_label_options, add_selection_options
from driver.output_files import make_folder
from driver.runners import check_runner, pipeline_of
from mapsight import __version__
from mapsight.labels.labeler import AUTO, DEFAULT_TARGETS
from mapsight.redaction import without_secrets
from mapsight.workspace.stage_names import STAGES

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace

GROUP = "Classify and rank"
DESCRIPTION = "Classify, rank and report on a collection of pictures."
EXAMPLES = """\
examples:
  %(prog)s --images pictures/
  %(prog)s --openimages openimages/ --results ./results
  %(prog)s --images 'photos/*.jpg' --images shards/part.parquet --target-labels Dog Cat
  %(prog)s --images pictures/ --rank-by sharpness --ranks 1:100
  %(prog)s -r hadoop --images hdfs:///pictures --workspace hdfs:///user/me/mapsight
"""


def _draws(options: Namespace) -> bool:
    """Return whether a run comes to its report."""
    return options.until in (None, STAGES[-1]) and not options.dry_run


USUAL = (
    *("images", "openimages", "target-labels", "rank-by", "ranks", "duplicates"),
    *("workspace", "results", "runner", "dry-run"),
)
NEEDS = (
    Need("the report", REPORT, _draws),
    Need("--engine keras", ("tensorflow",), asks("engine", "keras")),
    *JOB_NEEDS,
)
FOR_OUTPUT = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.add_argument("--version", action="version", version=f"mapsight {__version__}")
    add_input_options(parser)
    add_label_options(parser)
    add_selection_options(parser)
    add_index_options(parser)
    add_model_options(parser)
    _run_options(parser)
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        choices=["litert", "keras"],
        default="litert",
        help="what runs the model; keras is for comparison (default: %(default)s)",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        help="also copy results and report to this folder (default: no copy; with -r "
        "hadoop ./results)",
    )
    parser.add_argument(
        "--duplicates",
        action="store_true",
        help="also find duplicates, as the command duplicates does",
    )
    parser.add_argument(
        "--force",
        action="append",
        default=[],
        choices=STAGES,
        metavar="STAGE",
        help="run this stage again even if nothing changed; may be repeated (default: none)."
        f" Stages: {', '.join(STAGES)}",
    )
    parser.add_argument(
        "--until",
        choices=STAGES,
        metavar="STAGE",
        help=f"stop after this stage (default: {STAGES[-1]}, the last)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only list the input, and print what would be uploaded and submitted",
    )


def settle(options: Namespace, typed: Namespace) -> None:
    """Complete the options of a run, and refuse those that contradict each other.

    Args:
        typed: the options of the command line alone, without those of a configuration file.
    """
    check_model_options(options)
    if options.no_fit and options.head:
        raise UsageError("--head FILE and --no-fit exclude each other")
    options.license = options.license or ""
    if options.runner == "hadoop":
        options.results = options.results or "./results"
    options.duplicates |= "duplicates" in (options.until, *options.force)
    options.labels_typed = bool(options.target_labels)
    options.only_labels = _labels("--only-labels", options.only_labels)
    options.target_labels = _labels("--target-labels", options.target_labels)
    options.target_labels = _targets(options)
    named = typed.images or typed.openimages
    options.input_from = "" if named else (options.config or CONFIG)


def _targets(options: Namespace) -> list[str]:
    """Return the labels to give; for pictures without metadata those that they have most of.

    Raises:
        UsageError: auto is named beside others, or beside a head, which has its labels.
    """
    named = options.target_labels
    if AUTO in named and (len(named) > 1 or options.head):
        raise UsageError("--target-labels auto stands alone, and excludes --head FILE")
    if named:
        return named
    unlabelled = options.images and not (options.openimages or options.head)
    return [AUTO] if unlabelled else list(DEFAULT_TARGETS)


def _labels(option: str, lists: list[list[str]]) -> list[str]:
    """Return the labels of all lists; UsageError if there are lists and no label."""
    labels = [label for part in lists for label in part]
    if lists and not labels:
        raise UsageError(f"{option}: name at least one label")
    return labels


def run(options: Namespace) -> int:
    """Bring the workspace up to date, and say where the results are."""
    from driver.options.defaults import choose_input
    from driver.results.publish import check_results
    from driver.stages.plan import inputs_of
    from driver.workspace.workspace import Workspace

    check_runner(options)
    workspace = Workspace(options.workspace)
    choose_input(options, lambda: inputs_of(workspace))
    if options.dry_run:
        from driver.commands.dry_run import dry_run
        from driver.stage_table import STAGE_TABLE

        return dry_run(options, workspace, STAGE_TABLE)
    make_folder("--results", options.results)
    if _draws(options):
        check_results(workspace, options.results)
    with workspace.locked():
        return _run(options, workspace)


def _run(options: Namespace, workspace: Workspace) -> int:
    """Run what is not done yet, the workspace being locked; return the exit status."""
    from driver.commands.metadata_alone import explore_alone, is_alone
    from driver.pipeline.typed_options import TypedOptions
    from driver.results.current_duplicates import duplicates_are_damaged
    from driver.results.merge import Invocation
    from driver.stage_table import STAGE_TABLE
    from driver.stages import duplicates
    from driver.stages.explore import check_headers
    from driver.stages.model import BEFORE_MODEL, ModelOptions, check_model

    started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    invocation = Invocation(without_secrets(options.command_line), started)
    pipeline = pipeline_of(TypedOptions(options, invocation), workspace)
    _check_labels(pipeline)
    check_headers(pipeline)
    if is_alone(pipeline):
        return explore_alone(pipeline, next(s for s in STAGE_TABLE if s.name == "explore"))
    if options.until not in BEFORE_MODEL:
        check_model(pipeline.options_of(ModelOptions))
    with pipeline.attended(alone=True):
        twice = options.duplicates or duplicates_are_damaged(workspace)
        pipeline.run([stage for stage in STAGE_TABLE if stage is not duplicates.STAGE or twice])
    _show(pipeline)
    return 0


def _check_labels(pipeline: Pipeline) -> None:
    """Find mistakes in labels and metadata before hours of work, not after."""
    from driver.stages import annotate, classify
    from driver.stages.head_file import GivenHead, check_given_head
    from driver.stages.model import ModelOptions

    classify.identity(pipeline)
    annotate.identity(pipeline)
    model = pipeline.options_of(ModelOptions)
    if pipeline.options_of(GivenHead).head and not model.model:
        check_given_head(pipeline, vars(model))


def _show(pipeline: Pipeline) -> None:
    """Publish results and report if the run came to them; say what was done and where it is."""
    from driver.commands.run_summary import print_summary
    from driver.results.publish import publish_results
    from driver.search.notices import tell_stale
    from driver.stages.plan import Options
    from mapsight.index.collection import collection_of

    workspace = pipeline.workspace
    finished = pipeline.reports[-1].name == STAGES[-1]
    places, summary, page = {}, None, ""
    if finished:
        folder = pipeline.options_of(Options).results
        places["results"], page = publish_results(workspace, folder)
        path = workspace.uri("results", "summary.json")
        summary = json.loads(workspace.fs.cat_file(workspace.fs._strip_protocol(path)))
    print_summary(pipeline, summary, {**places, "workspace": workspace.uri()})
    tell_stale(collection_of(workspace))
    if finished:
        sys.stdout.write(f"{page}\n")
