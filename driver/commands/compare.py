"""The command compare: what alpha, resolution, precision and a head cost and give."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from driver.errors import Failure
from driver.text_table import table_lines
from mapsight.text import amount

GROUP = "Classify and rank"
DESCRIPTION = "Compare finished workspaces: accuracy against speed."
EXAMPLES = """\
examples:
  %(prog)s ws-1.0-224 ws-0.5-160 ws-0.25-128
  %(prog)s ws-float32 ws-int8 --format json
"""
USUAL = ("format",)
NEEDS = ()
FOR_OUTPUT = True
HEAD = (
    *("workspace", "alpha", "resolution", "precision", "labelled by", "n", "accuracy", "interval"),
    *("model's classes", "interval", "pictures/s", ""),
)
TEXTS = (0, 3, 4, 11)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of compare."""
    parser.add_argument(
        "workspaces",
        nargs="+",
        metavar="WORKSPACE",
        help="folders or URIs of finished workspaces",
    )
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help="form of the table (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def run(options: Namespace) -> int:
    """Print workspaces beside each other; the exit status."""
    rows = [_read(location) for location in options.workspaces]
    for row, best in zip(rows, unbeaten(rows), strict=True):
        row["unbeaten"] = best
    if options.format == "json":
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        sys.stdout.write(
            "\n".join([*table_lines([HEAD, *map(_cells, rows)], TEXTS), "", *_notes(rows)]) + "\n"
        )
    return 0


def _read(location: str) -> dict[str, Any]:
    """What a workspace's summary.json says of its accuracy and speed."""
    from driver.workspace.workspace import Workspace

    workspace = Workspace(location)
    (address,) = workspace.sound_parts("merge", "/summary.json")
    run = json.loads(workspace.fs.cat_file(workspace.fs._strip_protocol(address)))
    if "evaluation" not in run:
        raise Failure(f"{location}: its results are of an older version; run the pipeline again")
    row = {"workspace": location}
    row |= {name: run["model"].get(name) for name in ("alpha", "resolution", "precision")}
    row |= {name: run[name] for name in ("labelled_by", "pictures_per_second", "runner", "host")}
    names = ("n", "accuracy", "low", "high", "model_accuracy", "model_low", "model_high")
    test = run["evaluation"].get("test", {"n": 0})
    row |= {name: test.get(name) for name in names}
    return row | {"inputs": run["inputs"], "labels": run["options"]["target_labels"]}


def unbeaten(rows: Sequence[dict[str, Any]]) -> list[bool]:
    """Of each row whether none is at least as accurate and as fast, and better in one of them."""
    points = [(row["accuracy"], row["pictures_per_second"] or 0.0) for row in rows]
    known = [(a, speed) for a, speed in points if a is not None]
    return [
        a is not None and not any(x >= a and y >= speed and (x, y) != (a, speed) for x, y in known)
        for a, speed in points
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    model = (row[name] for name in ("alpha", "resolution", "precision"))
    return (
        row["workspace"],
        *("" if value is None else str(value) for value in model),
        row["labelled_by"],
        amount(row["n"]),
        *_share(row, ""),
        *_share(row, "model_"),
        amount(row["pictures_per_second"], 1),
        "*" if row["unbeaten"] else "",
    )


def _share(row: dict[str, Any], prefix: str) -> tuple[str, str]:
    if row[f"{prefix}accuracy"] is None:
        return "–", ""
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return f"{row[f'{prefix}accuracy']:.3f}", f"{low:.3f}–{high:.3f}"


def _notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    notes = [
        "accuracy: share of n verified test pictures with the right label, Wilson 95 % interval",
        "* Pareto-optimal in accuracy and speed",
    ]
    if any(row["labelled_by"] == "head" for row in rows):
        notes.insert(1, "model's classes: on the same pictures, without the head")
    pictures = {json.dumps([sorted(row["inputs"]), row["labels"], row["n"]]) for row in rows}
    if len(pictures) > 1:
        notes.append("beware: pictures, labels or n differ, so accuracies are not comparable")
    if len({(row["runner"], row["host"]) for row in rows}) > 1:
        notes.append("beware: runs of different machines or runners, so speeds are not comparable")
    return notes
