"""The command line and the configuration file."""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driver.commands.compare import COMPARE_EXAMPLES, compare_options
from driver.commands.duplicates import DUPLICATES_EXAMPLES, duplicates_options
from driver.commands.export import EXPORT_EXAMPLES, export_options
from driver.commands.pack import PACK_EXAMPLES, pack_options
from driver.commands.plan import PLAN_EXAMPLES, plan_options
from driver.errors import UsageError
from driver.options.change_options import ADD_EXAMPLES, REMOVE_EXAMPLES, remove_options
from driver.options.config_file import CONFIG, config_flags
from driver.options.fetch_options import FETCH_EXAMPLES, fetch_options
from driver.options.search_options import (
    EVALUATE_EXAMPLES,
    SEARCH_EXAMPLES,
    evaluate_options,
    search_options,
)
from driver.options.types import (
    labels_in,
    not_negative,
    number,
    positive,
    positive_real,
    ranks,
    share,
    whole,
)
from mapsight import __version__
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.near_names import near_names
from mapsight.records import MEASURES
from mapsight.workspace.documents import STAGE_NAMES

__all__ = ["COMMANDS", "parse"]

COMMANDS = (
    *("run", "search", "add", "remove", "evaluate-index", "duplicates", "fetch", "export"),
    *("status", "report", "model", "pack", "plan", "compare"),
)
WITH_JOBS = ("run", "search", "add", "evaluate-index", "duplicates", "fetch", "export")
UNCONFIGURED = ("plan", "compare")
"""Commands whose options mean other things than those of the configuration file."""
STAGES = (
    *("plan", "ingest", "fetch", "extract", "explore", "annotate"),
    *("fit", "classify", "vectors", "cluster", "index", "recall", "count", "rank"),
    *("duplicates", "merge", "render"),
)
assert frozenset(STAGES) == STAGE_NAMES

RUN_EXAMPLES = """\
examples:
  %(prog)s --images pictures/
  %(prog)s -r local --openimages openimages/ --results ./results
  %(prog)s --images 'photos/*.jpg' --images shards/part.parquet --target-labels Dog Cat
  %(prog)s --images pictures/ --rank-by sharpness --ranks 1:100
  %(prog)s -r hadoop --images hdfs:///pictures --workspace hdfs:///user/me/mapsight

other commands (each has --help):
  search   the pictures most like a query       status   what is done in a workspace
  report   write the report again               model    build or check the model file
  pack     what cluster nodes need, packed       plan     what a run would take
  compare  finished workspaces beside each other      duplicates  pictures that are there twice
  add      new pictures in the index             remove   hide pictures of the index
  evaluate-index  what the search index finds, and reads for it
  fetch    a sample of Open Images from the internet
  export   the features of the index as faiss, Parquet or numpy files
"""
STATUS_EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --workspace hdfs:///user/me/mapsight\n"
REPORT_EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --out ./report\n"
MODEL_EXAMPLES = """\
examples:
  %(prog)s --alpha 1.0 --resolution 224
  %(prog)s --alpha 0.25 --resolution 128 --weights weights/ --precision int8 \\
      --calibration pictures/ --check pictures/
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown: {' '.join(unknown)}{self._hint(unknown[0])}")
        return found

    def _hint(self, word: str) -> str:
        known = [*self._option_string_actions, *COMMANDS]
        near = near_names(word.split("=")[0], known, 1)
        if near:
            return f"; did you mean {near[0]}?"
        return "" if word.startswith("-") else "; pictures are named with --images"

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Refuse what is empty, as an unset variable of a shell is, for every option."""
        if not arg_string.strip() or "\0" in arg_string:
            what = "has a null character" if arg_string.strip() else "is empty"
            raise argparse.ArgumentError(action, f"{arg_string!r} {what}")
        return super()._get_value(action, arg_string)

    def error(self, message: str) -> Any:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _common(parser: argparse.ArgumentParser, *, jobs: bool, workspace: bool = True) -> None:
    if workspace:
        parser.add_argument(
            "--workspace",
            metavar="DIR",
            help="folder or URI that keeps all stages (default: ./workspace; with -r hadoop"
            " hdfs:///user/YOU/mapsight)",
        )
    if jobs:
        parser.add_argument(
            "-r",
            "--runner",
            choices=["inline", "local", "hadoop", "emr"],
            default="inline",
            help="where jobs run: in one process, on this machine's cores, on YARN, on EMR"
            " (default: %(default)s)",
        )
        parser.add_argument(
            "--processes", type=positive, metavar="N", help="tasks at once for -r local"
        )
        parser.add_argument(
            "--mrjob-conf",
            metavar="FILE",
            help="cluster settings that win over those of Mapsight's mrjob.conf",
        )
        parser.add_argument(
            "--node-python",
            metavar="COMMAND",
            help="for -r hadoop and -r emr: a Python that every node has, with what Mapsight needs,"
            " instead of sending that along",
        )
        _emr_options(parser)
    parser.add_argument(
        "--config", metavar="FILE", help=f"TOML file with options (default: {CONFIG}, if there)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and task logs")


def _emr_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "EMR", "What is not named here comes from mrjob.conf and --mrjob-conf."
    )
    group.add_argument(
        "--cluster-id",
        metavar="ID",
        help="use this running cluster, and leave it running (default: one of its own for the"
        " run, ended with it)",
    )
    group.add_argument("--instance-type", metavar="TYPE", help="of the machines that run tasks")
    group.add_argument(
        "--num-core-instances", type=positive, metavar="N", help="how many run tasks"
    )
    group.add_argument(
        "--spot",
        type=positive_real,
        metavar="USD",
        help="all but one of them on the spot market, at this price an hour or less",
    )


def _size_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--alpha",
        type=number,
        choices=[0.25, 0.5, 0.75, 1.0],
        default=1.0,
        help="width of MobileNet",
    )
    group.add_argument(
        "--resolution",
        type=whole,
        choices=[128, 160, 192, 224],
        default=224,
        help="input side, pixels",
    )
    group.add_argument("--precision", choices=["float32", "int8"], default="float32")


def _model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    _size_options(group)
    group.add_argument(
        "--weights", metavar="FILE", help="weights file or folder (default: $MAPSIGHT_WEIGHTS)"
    )
    group.add_argument(
        "--model",
        metavar="FILE",
        help="a LiteRT file with its classes inside, instead of one built from weights",
    )
    group.add_argument(
        "--calibration",
        metavar="DIR",
        help="30 pictures or more, to bring int8 nearer to float32",
    )


def _input_options(parser: argparse.ArgumentParser) -> None:
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--images",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="folders, globs, pictures, Parquet files, tar archives, or text or CSV files"
        " of URLs; may be repeated",
    )
    inputs.add_argument(
        "--openimages",
        metavar="DIR",
        help="folder of Open Images files under their published names",
    )
    inputs.add_argument(
        "--image-column", metavar="NAME", help="column of pictures in Parquet files"
    )
    inputs.add_argument("--url-column", metavar="NAME", help="column of URLs in CSV files")
    _fetch_options(parser)
    inputs.add_argument("--splits", type=positive, metavar="N", help="number of map tasks")
    inputs.add_argument(
        "--max-rejected",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="fail if more than this share of the pictures is unusable (default: %(default)s)",
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    _input_options(parser)
    _label_options(parser)
    _selection_options(parser)
    _index_options(parser)
    _model_options(parser)
    parser.add_argument(
        "--engine", choices=["litert", "keras"], default="litert", help="what runs the model"
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        help="also copy results and report to this folder (default with -r hadoop: ./results)",
    )
    parser.add_argument(
        "--duplicates",
        action="store_true",
        help="also find pictures that are there twice, as the command duplicates does",
    )
    parser.add_argument("--force", action="append", default=[], choices=STAGES, help="run it again")
    parser.add_argument("--until", choices=STAGES, help="stop after this stage")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only list the input, and print what would be uploaded and submitted",
    )


def _fetch_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "fetching URLs", "Numbers are for each map task: a host sees them times the running tasks."
    )
    group.add_argument(
        "--connections",
        type=positive,
        default=16,
        metavar="N",
        help="open at once (default: %(default)s)",
    )
    group.add_argument(
        "--per-host",
        type=positive,
        default=4,
        metavar="N",
        help="of those, to one host, also where redirects lead (default: %(default)s)",
    )
    group.add_argument(
        "--fetch-seconds",
        type=positive_real,
        default=120.0,
        metavar="S",
        help="for one URL, all retries included (default: %(default)g)",
    )
    group.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch from addresses that are not public",
    )


def _label_options(parser: argparse.ArgumentParser) -> None:
    labels = parser.add_argument_group("labels and ranking")
    labels.add_argument(
        "--target-labels",
        nargs="+",
        type=labels_in,
        default=[],
        metavar="LABEL",
        help=f"Open Images names or MIDs (default: {', '.join(DEFAULT_TARGETS)})",
    )
    labels.add_argument(
        "--no-fit",
        action="store_true",
        help="label by the model's own classes, also where verified labels could be learned from",
    )
    labels.add_argument(
        "--head", metavar="FILE", help="label by this head (a results/head.npz), and fit none"
    )
    labels.add_argument("--rank-by", choices=MEASURES, default="ppi", help="default: %(default)s")
    labels.add_argument(
        "--order", choices=["desc", "asc"], default="desc", help="default: %(default)s"
    )
    labels.add_argument(
        "--ranks", type=ranks, metavar="A:B", help="keep only these ranks of each label, from 1"
    )
    labels.add_argument(
        "--near-model",
        action="store_true",
        help="rank by how close the PPI is to that of the model's input",
    )
    labels.add_argument(
        "--screen-diagonal",
        type=positive_real,
        metavar="INCHES",
        help="PPI on a screen of this size instead of the picture's own diagonal",
    )


def _selection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("selection", "Other pictures are counted and left out.")
    group.add_argument(
        "--only-labels",
        nargs="+",
        type=labels_in,
        default=[],
        metavar="LABEL",
        help="pictures that have one of these labels, from people or machines",
    )
    group.add_argument(
        "--min-confidence",
        type=share,
        default=0.99,
        metavar="C",
        help="of a label that counts for that, above this (default: %(default)g)",
    )
    group.add_argument(
        "--subset", nargs="+", type=str.lower, default=[], metavar="NAME", help="as in train test"
    )
    group.add_argument("--license", metavar="TEXT", help="a part of its address, as in by/2.0")


def _index_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("search index")
    group.add_argument(
        "--no-index", action="store_true", help="make no cells and no index; search reads all"
    )
    group.add_argument(
        "--cells",
        type=positive,
        metavar="K",
        help="of k-means (default: the power of two nearest to 6√n, at most 16384 and n/16)",
    )
    group.add_argument(
        "--max-iterations",
        type=positive,
        default=10,
        metavar="N",
        help="of k-means (default: %(default)s)",
    )
    group.add_argument(
        "--tolerance",
        type=share,
        default=0.001,
        metavar="SHARE",
        help="stop when the inertia falls by no more (default: %(default)s)",
    )
    group.add_argument(
        "--index-type",
        choices=["int16", "int8"],
        default="int16",
        help="of the numbers in stored vectors; int8 is half as large and less exact"
        " (default: %(default)s)",
    )


def _parser(command: str, prog: str) -> argparse.ArgumentParser:
    described = {
        "run": ("Classify, rank and report on a collection of pictures.", RUN_EXAMPLES),
        "search": ("Find the pictures of a workspace most like a query.", SEARCH_EXAMPLES),
        "add": (
            "Add pictures to the search index of a workspace; what is there is not touched.",
            ADD_EXAMPLES,
        ),
        "remove": ("Hide pictures of a workspace from searches.", REMOVE_EXAMPLES),
        "duplicates": (
            "Find pictures of a workspace that are there twice, and say which to keep.",
            DUPLICATES_EXAMPLES,
        ),
        "evaluate-index": (
            "Measure what the search index loses against exact search, and what it reads.",
            EVALUATE_EXAMPLES,
        ),
        "fetch": ("Fetch a class-balanced sample of Open Images.", FETCH_EXAMPLES),
        "export": (
            "Write the features of the index for other programs, on this machine.",
            EXPORT_EXAMPLES,
        ),
        "status": ("Show which stages of a workspace are done.", STATUS_EXAMPLES),
        "report": ("Write the report of a workspace again.", REPORT_EXAMPLES),
        "model": ("Build the model file from MobileNet weights, or check it.", MODEL_EXAMPLES),
        "pack": ("Pack what cluster nodes need beside Python into one archive.", PACK_EXAMPLES),
        "compare": (
            "Put finished workspaces beside each other: accuracy against speed.",
            COMPARE_EXAMPLES,
        ),
        "plan": ("Estimate what a run would take. Runs nothing.", PLAN_EXAMPLES),
    }
    text, examples = described[command]
    parser = _Parser(
        prog=prog if command == "run" else f"{prog} {command}",
        description=text,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if command == "run":
        parser.add_argument("--version", action="version", version=f"mapsight {__version__}")
        _run_options(parser)
    elif command == "search":
        search_options(parser, positive, not_negative, share)
    elif command == "add":
        parser.add_argument("pictures", nargs="*", help="as --images takes them")
        _input_options(parser)
    elif command == "remove":
        remove_options(parser)
    elif command == "duplicates":
        duplicates_options(parser, share)
    elif command == "evaluate-index":
        evaluate_options(parser, positive)
    elif command == "fetch":
        fetch_options(parser, positive, labels_in)
        _fetch_options(parser)
    elif command == "export":
        export_options(parser)
    elif command == "report":
        parser.add_argument("--out", metavar="DIR", help="where to (default: WORKSPACE/report)")
    elif command == "model":
        _model_options(parser)
        parser.add_argument("--check", metavar="DIR", help="pictures to compare with Keras on")
    elif command == "pack":
        pack_options(parser)
    elif command == "compare":
        compare_options(parser)
        return parser
    elif command == "plan":
        _size_options(parser.add_argument_group("model"))
        plan_options(parser, positive)
        parser.add_argument("--debug", action="store_true", help="show tracebacks")
        return parser
    _common(parser, jobs=command in WITH_JOBS, workspace=command != "fetch")
    return parser


def parse(argv: Sequence[str], prog: str) -> argparse.Namespace:
    """The options of a command, from flags over configuration over defaults.

    Raises:
        UsageError: an option or a value is unknown; the message says which.
    """
    command = argv[0] if argv and argv[0] in COMMANDS else "run"
    rest = list(argv[1:] if argv and argv[0] in COMMANDS else argv)
    parser = _parser(command, prog)
    given = parser.parse_args(rest)
    if command in UNCONFIGURED:
        given.command = command
        return given
    parsers = {name: _parser(name, prog) for name in COMMANDS if name not in UNCONFIGURED}
    flags = config_flags(parsers, command, given.config, rest)
    options = parser.parse_args(flags + rest)
    options.command = command
    if getattr(options, "workspace", "") is None:
        options.workspace = usual_workspace(getattr(options, "runner", "inline"))
    _check(options, given)
    return options


def usual_workspace(runner: str) -> str:
    """The workspace where none is named."""
    if runner != "hadoop":
        return "./workspace"
    user = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
    return f"hdfs:///user/{user}/mapsight"


def _check(options: argparse.Namespace, given: argparse.Namespace) -> None:
    """What argparse cannot say; `given` are the typed options alone."""
    named = getattr(options, "model", None)
    if named and (options.weights or getattr(options, "engine", "") == "keras"):
        raise UsageError("--model FILE goes without --weights and --engine keras")
    for name in ("calibration", "check"):
        if named and getattr(options, name, None):
            raise UsageError(f"--model FILE goes without --{name}: it is not built here")
    if getattr(options, "no_fit", False) and options.head:
        raise UsageError("--head FILE goes without --no-fit: one of them labels")
    settings = getattr(options, "mrjob_conf", None)
    if settings and not Path(settings).is_file():
        raise UsageError(f"--mrjob-conf {settings}: no such file")
    if options.command == "run":
        options.license = options.license or ""
        if options.runner == "hadoop":
            options.results = options.results or "./results"
        options.duplicates |= "duplicates" in (options.until, *options.force)
        typed = options.target_labels
        options.labels_typed = bool(typed)
        options.target_labels = [label for part in typed for label in part]
        selected = options.only_labels
        options.only_labels = [label for part in selected for label in part]
        if selected and not options.only_labels:
            raise UsageError("--only-labels: name at least one label")
        if typed and not options.target_labels:
            raise UsageError("--target-labels: name at least one label")
        options.target_labels = options.target_labels or list(DEFAULT_TARGETS)
        named = given.images or given.openimages
        options.input_from = "" if named else (options.config or CONFIG)
