"""The command line and the configuration file."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driver.errors import UsageError
from driver.workspace import STAGE_NAMES
from mapsight import __version__
from mapsight.labels import DEFAULT_TARGETS
from mapsight.ranking import parse_ranks
from mapsight.records import MEASURES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["COMMANDS", "parse"]

CONFIG = "mapsight.toml"
COMMANDS = ("run", "search", "status", "report", "model")
STAGES = ("plan", "ingest", "extract", "annotate", "classify", "count", "rank", "merge", "render")
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
"""
SEARCH_EXAMPLES = """\
examples:
  %(prog)s lion.jpg
  %(prog)s 00966a975d566c45 --top-k 20 --format json
  %(prog)s https://example.org/lion.jpg --by label --min-ppi 20
  %(prog)s --queries queries.txt --exclude-self --format html --out answers.html
"""
STATUS_EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --workspace hdfs:///user/me/mapsight\n"
REPORT_EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --out ./report\n"
MODEL_EXAMPLES = """\
examples:
  %(prog)s --alpha 1.0 --resolution 224
  %(prog)s --alpha 0.25 --resolution 128 --weights weights/ --precision int8 \\
      --calibration pictures/
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> Any:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _labels(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _positive_real(text: str) -> float:
    value = _real(text)
    if not value > 0 or value == float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _share(text: str) -> float:
    value = _real(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value


def _ranks(text: str) -> str:
    try:
        parse_ranks(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _common(parser: argparse.ArgumentParser, *, jobs: bool) -> None:
    parser.add_argument(
        "--workspace",
        default="./workspace",
        metavar="DIR",
        help="folder or URI that keeps all stages (default: %(default)s)",
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
            "--processes", type=_positive, metavar="N", help="tasks at once for -r local"
        )
    parser.add_argument(
        "--config", metavar="FILE", help=f"TOML file with options (default: {CONFIG}, if there)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and task logs")


def _model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument(
        "--alpha",
        type=float,
        choices=[0.25, 0.5, 0.75, 1.0],
        default=1.0,
        help="width of MobileNet",
    )
    group.add_argument(
        "--resolution",
        type=int,
        choices=[128, 160, 192, 224],
        default=224,
        help="input side, pixels",
    )
    group.add_argument("--precision", choices=["float32", "int8"], default="float32")
    group.add_argument(
        "--weights", metavar="FILE", help="weights file or folder (default: $MAPSIGHT_WEIGHTS)"
    )
    group.add_argument(
        "--calibration", metavar="DIR", help="pictures to calibrate int8 with (a hundred or more)"
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="PATH",
        help="folder, glob or Parquet file of pictures; may be repeated",
    )
    inputs.add_argument(
        "--openimages",
        metavar="DIR",
        help="folder of Open Images files under their published names",
    )
    inputs.add_argument(
        "--image-column", metavar="NAME", help="column of pictures in Parquet files"
    )
    inputs.add_argument("--splits", type=_positive, metavar="N", help="number of map tasks")
    inputs.add_argument(
        "--max-rejected",
        type=_share,
        default=0.5,
        metavar="SHARE",
        help="fail if more than this share of the pictures is unusable (default: %(default)s)",
    )
    labels = parser.add_argument_group("labels and ranking")
    labels.add_argument(
        "--target-labels",
        nargs="+",
        type=_labels,
        default=[list(DEFAULT_TARGETS)],
        metavar="LABEL",
        help=f"Open Images names or MIDs (default: {', '.join(DEFAULT_TARGETS)})",
    )
    labels.add_argument("--rank-by", choices=MEASURES, default="ppi", help="default: %(default)s")
    labels.add_argument(
        "--order", choices=["desc", "asc"], default="desc", help="default: %(default)s"
    )
    labels.add_argument(
        "--ranks", type=_ranks, metavar="A:B", help="keep only these ranks of each label, from 1"
    )
    labels.add_argument(
        "--near-model",
        action="store_true",
        help="rank by how close the PPI is to that of the model's input",
    )
    labels.add_argument(
        "--screen-diagonal",
        type=_positive_real,
        metavar="INCHES",
        help="PPI on a screen of this size instead of the picture's own diagonal",
    )
    _model_options(parser)
    parser.add_argument(
        "--engine", choices=["litert", "keras"], default="litert", help="what runs the model"
    )
    parser.add_argument(
        "--results", metavar="DIR", help="also copy results and report to this folder"
    )
    parser.add_argument("--force", action="append", default=[], choices=STAGES, help="run it again")
    parser.add_argument("--until", choices=STAGES, help="stop after this stage")


def _search_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", help="picture file, URL or image_id")
    parser.add_argument("--queries", metavar="FILE", help="file with one query a line")
    parser.add_argument(
        "--by",
        choices=["features", "label"],
        default="features",
        help="most alike, or same label and highest PPI (default: %(default)s)",
    )
    parser.add_argument("--label", help="only pictures with this label")
    parser.add_argument("--min-ppi", type=_real, default=0.0, metavar="PPI")
    parser.add_argument(
        "--top-k", type=_positive, default=10, metavar="K", help="default: %(default)s"
    )
    parser.add_argument("--exclude-self", action="store_true", help="leave out the query itself")
    parser.add_argument("--format", choices=["table", "json", "html"], default="table")
    parser.add_argument("--out", metavar="FILE", help="write the answers there")


def _parser(command: str, prog: str) -> argparse.ArgumentParser:
    described = {
        "run": ("Classify, rank and report on a collection of pictures.", RUN_EXAMPLES),
        "search": ("Find the pictures of a workspace most like a query.", SEARCH_EXAMPLES),
        "status": ("Show which stages of a workspace are done.", STATUS_EXAMPLES),
        "report": ("Write the report of a workspace again.", REPORT_EXAMPLES),
        "model": ("Build the model file from MobileNet weights, or check it.", MODEL_EXAMPLES),
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
        _search_options(parser)
    elif command == "report":
        parser.add_argument("--out", metavar="DIR", help="where to (default: WORKSPACE/report)")
    elif command == "model":
        _model_options(parser)
    _common(parser, jobs=command in ("run", "search"))
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
    flags = _config_flags(parser, given, rest, command)
    _check_config(parser, flags, _config_name(given))
    options = parser.parse_args(flags + rest)
    options.command = command
    if getattr(options, "precision", "") == "int8" and not options.calibration:
        raise UsageError("--precision int8 needs --calibration DIR, a hundred pictures or more")
    if command == "run":
        options.target_labels = [label for part in options.target_labels for label in part]
        if not options.target_labels:
            raise UsageError("--target-labels: name at least one label")
    return options


def _config_flags(
    parser: argparse.ArgumentParser, given: argparse.Namespace, argv: Sequence[str], command: str
) -> list[str]:
    """The configuration file's options as flags that come before the typed ones."""
    document = _read_config(given.config)
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    plain = {key: value for key, value in document.items() if key not in tables}
    unknown = sorted(set(tables) - set(COMMANDS))
    if unknown:
        raise UsageError(f"{_config_name(given)}: unknown table [{unknown[0]}]")
    actions = _configurable(parser)
    elsewhere = {name for c in COMMANDS for name in _configurable(_parser(c, ""))}
    flags: list[str] = []
    for key, value in {**plain, **tables.get(command, {})}.items():
        name = key.replace("_", "-")
        if name not in actions:
            if key in plain and name in elsewhere:
                continue
            near = difflib.get_close_matches(name, elsewhere, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"{_config_name(given)}: unknown option {key!r}{hint}")
        if not _overridden(name, argv):
            flags += _as_flags(actions[name], value, f"{_config_name(given)}: {key}")
    return flags


def _configurable(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that a configuration file may give, by name."""
    actions = {a.option_strings[-1][2:]: a for a in parser._actions if a.option_strings}
    return {name: a for name, a in actions.items() if name not in ("help", "version", "config")}


def _check_config(parser: argparse.ArgumentParser, flags: list[str], name: str) -> None:
    """Complain of the file's values in the file's name."""
    try:
        parser.parse_args(flags)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _overridden(name: str, argv: Sequence[str]) -> bool:
    """Whether typed flags replace an option that would otherwise add to them."""
    group = {"images", "openimages"} if name in ("images", "openimages") else {name}
    return any(
        arg == f"--{other}" or arg.startswith(f"--{other}=") for other in group for arg in argv
    )


def _as_flags(action: argparse.Action, value: Any, where: str) -> list[str]:
    flag = action.option_strings[-1]
    if isinstance(value, bool):
        if action.nargs != 0:
            raise UsageError(f"{where}: expected a value, not {str(value).lower()}")
        return [flag] if value else []
    if action.nargs == 0:
        raise UsageError(f"{where}: expected true or false")
    if isinstance(value, dict):
        raise UsageError(f"{where}: expected a value, not a table")
    if not isinstance(value, list):
        return [f"{flag}={value}"]
    if action.nargs == "+":
        return [flag, *map(str, value)]
    if not isinstance(action.default, list):
        raise UsageError(f"{where}: expected one value, not a list")
    return [f"{flag}={item}" for item in value]


def _config_name(given: argparse.Namespace) -> str:
    return given.config or CONFIG


def _read_config(named: str | None) -> dict[str, Any]:
    path = Path(named or CONFIG)
    if not named and not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
