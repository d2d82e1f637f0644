"""The command plan: what a run would take, before anybody pays for it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from driver.commands.estimate_table import FIGURES, as_json, as_table
from driver.options.model_groups import add_size_options
from driver.options.required import require_options
from driver.options.types import WHOLE, not_negative, positive

if TYPE_CHECKING:
    from mapsight.features.speed import Speed

FIGURES_FILE = Path(__file__).parents[1] / "data" / FIGURES
PICTURE_BYTES = 300_000  # of a JPEG whose longer side is 1024 pixels
GROUP = "Prepare"
DESCRIPTION = "Estimate what a run would take. Runs nothing."
EXAMPLES = """\
examples:
  %(prog)s -r emr --count 9000000 --cores 64 --price 0.05
  %(prog)s -r hadoop --count 200000 --cores 16 --precision int8 --picture-bytes 60000
  %(prog)s -r hadoop --count 1900000 --cores 64 --openimages
  %(prog)s --count 20000 --cores 8 --format json
"""
USUAL = (
    *("count", "runner", "cores", "price", "picture-bytes", "input", "openimages"),
    *("metadata-rows", "alpha", "resolution", "precision", "format"),
)
NEEDS = ()
FOR_OUTPUT = True


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of plan."""
    add_size_options(parser.add_argument_group("model"))
    parser.add_argument(
        "-r",
        "--runner",
        choices=["local", "hadoop", "emr"],
        default="local",
        help="where the run would be (default: %(default)s)",
    )
    _collection_options(parser)
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help="form of the estimate (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _collection_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        *("--images", "--count"),
        dest="count",
        type=_count,
        metavar="N",
        help="number of pictures, not where they are (needed)",
    )
    parser.add_argument(
        "--cores",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="C",
        help="tasks that run at once (default: this machine's cores, %(default)s)",
    )
    parser.add_argument(
        "--price",
        type=not_negative,
        metavar="P",
        help="price of a core for an hour, in any currency (default: no costs)",
    )
    parser.add_argument(
        "--picture-bytes",
        type=positive,
        default=PICTURE_BYTES,
        metavar="B",
        help="mean size of an encoded picture, in bytes (default: %(default)s)",
    )
    parser.add_argument(
        "--input",
        choices=["files", "parquet"],
        default="files",
        help="how pictures are stored; files are packed first (default: %(default)s)",
    )
    parser.add_argument(
        "--openimages",
        action="store_true",
        help="with metadata, which is explored and joined, and a head fitted to it",
    )
    parser.add_argument(
        "--metadata-rows",
        type=positive,
        metavar="N",
        help="rows of labels, boxes and image lists together (default with "
        f"--openimages: {_rows_per_picture():g} per picture, as Open Images V7 "
        "has)",
    )


def _count(text: str) -> int:
    """Read how many pictures there are; other commands take paths as --images."""
    if not WHOLE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number; plan reads no pictures, but takes how many there are"
        )
    return positive(text)


def read_figures() -> tuple[dict[str, float], float]:
    """(measured values by name, their uncertainty as a share)."""
    document = json.loads(FIGURES_FILE.read_text(encoding="utf-8"))
    values = {name: figure["value"] for name, figure in document["figures"].items()}
    return values, document["uncertainty"]["share"]


def run(options: Namespace) -> int:
    """Print what a run would take; nothing is run."""
    from mapsight.capacity.estimate import estimate
    from mapsight.capacity.job_costs import Demand
    from mapsight.capacity.limits import limits
    from mapsight.features.speed import speed

    require_options(options, "count", what=", how many pictures")
    demand = Demand(
        runner=options.runner,
        images=options.count,
        cores=options.cores,
        picture_bytes=options.picture_bytes,
        alpha=options.alpha,
        resolution=options.resolution,
        precision=options.precision,
        loose=options.input == "files",
        rows=_rows(options),
    )
    figures, share = read_figures()
    here = speed(options.alpha, options.resolution)
    found = estimate(demand, _with_speed(figures, here))
    watched = list(limits(found, figures))
    show = as_json if options.format == "json" else as_table
    sys.stdout.write(show(found, options.price, share, watched, here))
    return 0


def _with_speed(figures: dict[str, float], here: Speed | None) -> dict[str, float]:
    """Figures by which int8 is no faster than on this machine."""
    if here is None:
        return figures
    int8 = {name for name in figures if name.startswith("model.") and ".int8." in name}
    return figures | {name: figures[name.replace("int8", "float32")] / here.gain for name in int8}


def _rows_per_picture() -> float:
    return read_figures()[0]["metadata.rows"]


def _rows(options: Namespace) -> int:
    """Of metadata; 0 is without."""
    if options.openimages and not options.metadata_rows:
        return round(options.count * _rows_per_picture())
    return options.metadata_rows or 0
