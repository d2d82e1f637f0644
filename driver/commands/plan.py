"""The command plan: what a run would take, before anybody pays for it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.options.model_groups import add_size_options
from driver.options.required import require_options
from driver.options.types import WHOLE, not_negative, positive
from driver.text_table import table_lines

if TYPE_CHECKING:
    from mapsight.capacity.estimate import Estimate
    from mapsight.capacity.job_costs import StageEstimate
    from mapsight.features.speed import Speed

FIGURES = Path(__file__).parents[1] / "data" / "figures.json"
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
HEAD = ("stage", "maps", "reduces", "core-hours", "time", "shuffled", "stored")


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
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help="form of the estimate (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _count(text: str) -> int:
    """Read how many pictures there are; other commands take paths as --images."""
    if not WHOLE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number; plan reads no pictures, but takes how many there are"
        )
    return positive(text)


def read_figures() -> tuple[dict[str, float], float]:
    """(measured values by name, their uncertainty as a share)."""
    document = json.loads(FIGURES.read_text(encoding="utf-8"))
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
    show = _document if options.format == "json" else _table
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


def _document(
    found: Estimate,
    price: float | None,
    share: float,
    watched: Sequence[str],
    here: Speed | None,
) -> str:
    document: dict[str, Any] = asdict(found)
    document |= {"uncertainty": share, "limits": list(watched)}
    document["speed_here"] = here and asdict(here)
    if price is not None:
        document |= {"price": price, "cost": found.cost(price)}
    return json.dumps(document, indent=1) + "\n"


def _table(
    found: Estimate,
    price: float | None,
    share: float,
    watched: Sequence[str],
    here: Speed | None,
) -> str:
    from mapsight.capacity.job_costs import StageEstimate

    rows = [HEAD, *map(_row, found.stages)]
    if found.start_seconds:
        start = StageEstimate("start", seconds=found.start_seconds)
        rows.insert(1, _row(start))
    rows.append(_row(found.total))
    notes = [*_notes(found, price, share), *(f"watch: {text}" for text in watched)]
    if here:
        notes.append(f"{here.sentence()}; estimates for int8 assume the same of the nodes")
    return (
        "\n".join(
            [_title(found), "", *table_lines(rows), "", *map(_search, found.searches), *notes]
        )
        + "\n"
    )


def _search(found: StageEstimate) -> str:
    """What a search by the index takes."""
    tasks = "1 task reads" if found.maps == 1 else f"{found.maps:,} tasks read"
    size = _bytes(found.stored)
    return f"{found.name} by the index, in one job: {_time(found.seconds)}, {tasks} {size}"


def _title(found: Estimate) -> str:
    demand = found.demand
    rows = f" and {demand.rows:,} rows of metadata" if demand.rows else ""
    return (
        f"{demand.images:,} pictures of {demand.picture_bytes:,} bytes{rows} with MobileNet"
        f" {demand.alpha}/{demand.resolution} {demand.precision}, -r {demand.runner} on"
        f" {demand.cores:,} cores"
    )


def _row(stage: StageEstimate) -> tuple[str, ...]:
    return (
        stage.name,
        f"{stage.maps:,}" if stage.maps else "",
        f"{stage.reduces:,}" if stage.reduces else "",
        f"{stage.core_seconds / 3600:,.2f}" if stage.core_seconds else "",
        _time(stage.seconds),
        _bytes(stage.shuffled),
        _bytes(stage.stored),
    )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:.0f} B" if number else ""


def _notes(found: Estimate, price: float | None, share: float) -> list[str]:
    total, (low, high) = found.total, (1 - share, 1 + share)
    spans = [f"time {_time(total.seconds * low)} to {_time(total.seconds * high)}"]
    spans.append(
        f"core-hours {total.core_seconds * low / 3600:,.1f}"
        f" to {total.core_seconds * high / 3600:,.1f}"
    )
    if price is not None:
        cost = found.cost(price)
        spans.append(f"cost {cost * low:,.2f} to {cost * high:,.2f}")
    lines = [f"within about ±{share:.0%}: {', '.join(spans)}"]
    if price is not None:
        lines.insert(0, f"cost {found.cost(price):,.2f}: every core from start to end at {price:g}")
    lines += [
        "plan and merge are the driver's, on one core, while the cluster waits",
        "stored is counted once: HDFS keeps it as often as it replicates, mostly three times",
        f"not in it: fetching URLs, {_left_out(found)}, the report, reading from slow stores",
        f"from figures measured on one machine: driver/data/{FIGURES.name} says how, when and with"
        " what n",
    ]
    return lines


def _left_out(found: Estimate) -> str:
    return "copying metadata to the cluster" if found.demand.rows else "metadata (--openimages)"
