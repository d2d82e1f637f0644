"""The command select: pictures of a workspace that fit filters, as ids or with all facts."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.needs import Need
from driver.options.groups import add_program_options, add_workspace_option
from driver.options.types import positive
from driver.output_files import check_file, write_pieces
from mapsight.browse.command_line import option_of
from mapsight.browse.filter_values import DUPLICATES, MEASURES
from mapsight.labels.unsure import UNSURE

if TYPE_CHECKING:
    from mapsight.browse.browser import Browser
    from mapsight.browse.selection import Selection

GROUP = "Search"
DESCRIPTION = "List the pictures of a workspace that fit filters."
EXAMPLES = """\
examples:
  %(prog)s --label Lion --label Tiger --duplicates hide --sort=-sharpness --limit 100
  %(prog)s --unsure --format csv --out unsure.csv
  %(prog)s --disputed --format parquet --out disputed.parquet
"""
USUAL = (
    *("label", "style", "min-sharpness", "license", "duplicates", "unsure", "disputed"),
    *("sort", "limit", "format", "out", "workspace"),
)
TEXTS = {
    "label": ("NAME", "only pictures with this predicted label"),
    "style": ("NAME", "only pictures of this predicted style"),
    "license": (
        "TEXT",
        "only pictures with this licence: a short name, or a part of its address",
    ),
    "subset": ("NAME", "only pictures of this subset"),
    "format": ("NAME", "only pictures in this file format, such as JPEG"),
    "truth": ("NAME", "only pictures that people verified to show this label"),
    "cell": ("N", "only pictures of this cell of the index"),
}
NAMES = tuple(
    option_of(name)
    for name in (*TEXTS, *(f"{side}_{one}" for one in MEASURES for side in ("min", "max")))
)
APART = (*NAMES, "region", "unsure", "disputed", "duplicates", "sort", "limit", "format", "out")
NEEDS: tuple[Need, ...] = ()
FOR_OUTPUT = True


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of select."""
    _add_filters(parser.add_argument_group("which pictures"))
    parser.add_argument(
        "--sort",
        default="image_id",
        metavar="NAME",
        help="a measure or image_id, lowest first; --sort=-NAME is highest first"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only the first N pictures (default: all)"
    )
    parser.add_argument(
        "--format",
        choices=["ids", "csv", "parquet"],
        default="ids",
        help="ids: one a line; csv and parquet: what is known of each picture; parquet needs --out"
        " (default: %(default)s)",
    )
    parser.add_argument("--out", metavar="FILE", help="file to write to (default: standard output)")
    parser.add_argument(
        "--copy",
        metavar="FOLDER",
        help="folder for the copy of what is browsed (default: WORKSPACE/copy, or"
        " ~/.cache/mapsight/copies for a workspace elsewhere)",
    )
    add_workspace_option(parser)
    add_program_options(parser)


def _add_filters(group: argparse._ArgumentGroup) -> None:
    for name, (metavar, text) in TEXTS.items():
        group.add_argument(
            f"--{option_of(name)}",
            action="append",
            default=[],
            metavar=metavar,
            help=f"{text}; again for more (default: any)",
        )
    for name in MEASURES:
        for side, least in (("min", "or more"), ("max", "or less")):
            group.add_argument(
                f"--{side}-{name}",
                metavar="VALUE",
                help=f"only pictures with {name} of VALUE {least} (default: any)",
            )
    group.add_argument(
        "--region",
        metavar="X,Y,…",
        help="only pictures of cells in this polygon on the map (default: anywhere)",
    )
    group.add_argument(
        "--unsure",
        action="store_true",
        help=f"only pictures whose label has a score below {UNSURE:g}",
    )
    group.add_argument(
        "--disputed",
        action="store_true",
        help="only pictures for which people verified other labels than the predicted one",
    )
    group.add_argument(
        "--duplicates",
        choices=DUPLICATES,
        default="all",
        help="hide: of duplicates only the one to keep; only: duplicates alone"
        " (default: %(default)s)",
    )


def run(options: Namespace) -> int:
    """Write the pictures that fit; say how many on standard error."""
    from mapsight.browse.exports import export
    from mapsight.opened import OpenedWorkspace

    if options.format == "parquet" and not options.out:
        raise UsageError("--format parquet needs --out FILE")
    browser = OpenedWorkspace(options.workspace, options.copy).browser
    check_file("--out", options.out, lambda head: _is_ours(head, browser))
    selection = _selected(options, browser)
    pieces = export(selection, options.format)
    if options.out:
        write_pieces(Path(options.out), pieces)
    else:
        for piece in pieces:
            sys.stdout.write(piece.decode())
    sys.stderr.write(f"{selection.total:,} of {browser.rows:,} pictures\n")
    return 0


def _selected(options: Namespace, browser: Browser) -> Selection:
    """Return what the options ask for.

    Raises:
        UsageError: an option has a value that is not allowed.
    """
    from mapsight.browse.filter_values import FilterError
    from mapsight.browse.filters import NAMES as FILTERS
    from mapsight.browse.filters import Filters

    named = {name: getattr(options, option_of(name).replace("-", "_")) for name in FILTERS}
    query = {name: "1" if one is True else one for name, one in named.items() if one}
    try:
        selection = browser.select(Filters.parse(query), options.sort)
    except FilterError as error:
        raise UsageError(f"--{option_of(error.field)}{str(error)[len(error.field) :]}") from None
    return selection.first(options.limit) if options.limit else selection


def _is_ours(head: bytes, browser: Browser) -> bool:
    """Return whether a file begins as one that this command has written."""
    from mapsight.browse.items import TABLE_COLUMNS

    if head.startswith((b"PAR1", ",".join(TABLE_COLUMNS).encode())):
        return True
    lines = head.decode(errors="replace").split("\n")[:-1]
    return bool(lines) and all(browser.row_of(line) is not None for line in lines)
