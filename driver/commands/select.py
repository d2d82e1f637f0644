"""The command select: pictures of a workspace that fit filters, or the best subset of them."""

from __future__ import annotations

import argparse
import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.needs import JOB_NEEDS
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import positive
from driver.output_files import check_file, write_pieces
from driver.selection.options import FOLDERS, NAMES, add_choice_options, add_filter_options
from mapsight.browse.command_line import option_of

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.browse.browser import Browser
    from mapsight.browse.selection import Selection

GROUP = "Search"
DESCRIPTION = "List the pictures of a workspace that fit filters, or the best subset of them."
EXAMPLES = """\
examples:
  %(prog)s --label Lion --label Tiger --no-flags --sort=-quality --limit 100
  %(prog)s --unsure --format csv --out unsure.csv
  %(prog)s --disputed --format parquet --out disputed.parquet
  %(prog)s --count 1000 --balance label,style --diverse --no-duplicates --no-flags \\
      --format copies --out training
  %(prog)s --count 200 --near-model --diverse --out to-label.txt
"""
USUAL = (
    *("label", "duplicates", "unsure", "no-flags", "count", "balance", "diverse"),
    *("sort", "format", "out", "workspace", "runner"),
)
CHOOSING = ("balance", "diverse", "near_model")
APART = (
    *(*NAMES, "region", "unsure", "disputed", "duplicates", "no-duplicates", "sort", "limit"),
    *("flag", "without-flag", "no-flags"),
    *("count", "balance", "diverse", "near-model", "seed", "format", "out"),
)
NEEDS = JOB_NEEDS
FOR_OUTPUT = True
FILES = ("ids", "csv", "parquet")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of select."""
    add_filter_options(parser.add_argument_group("which pictures"))
    add_choice_options(parser.add_argument_group("a subset of those that fit"))
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
        choices=[*FILES, *FOLDERS],
        default="ids",
        help="ids: one a line; csv and parquet: what is known of each picture; links and copies:"
        " a folder of the pictures, with a folder inside for each label; openimages: a new Open"
        " Images folder; all but ids and csv need --out (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="file to write to, or new or empty folder (default: standard output)",
    )
    parser.add_argument(
        "--copy",
        metavar="FOLDER",
        help="folder for the copy of what is browsed (default: WORKSPACE/copy, or"
        " ~/.cache/mapsight/copies for a workspace elsewhere)",
    )
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def settle(options: Namespace, _: Namespace) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: says which.
    """
    if options.count and options.limit:
        raise UsageError("--count excludes --limit")
    for name in CHOOSING:
        if getattr(options, name) and not options.count:
            raise UsageError(f"--{name.replace('_', '-')} needs --count N")
    if options.format not in ("ids", "csv") and not options.out:
        raise UsageError(f"--format {options.format} needs --out {_kind(options.format)}")


def _kind(form: str) -> str:
    return "FOLDER" if form in FOLDERS else "FILE"


def run(options: Namespace) -> int:
    """Write the pictures that fit or are chosen; say how many on standard error."""
    from driver.selection.folders import write_folder
    from driver.selection.running import running
    from driver.workspace.new_folder import new_folder
    from mapsight.opened import OpenedWorkspace

    folder = new_folder("--out", options.out) if options.format in FOLDERS else None
    opened = OpenedWorkspace(options.workspace, options.copy)
    browser = opened.browser
    if not folder:
        check_file("--out", options.out, lambda head: _is_ours(head, browser))
    with contextlib.ExitStack() as stack:
        run = cache(lambda: stack.enter_context(running(options)))
        selection = _selected(options, browser, run)
        if folder:
            unread = write_folder(options.format, run(), opened, selection, folder)
        else:
            unread = _write(options, selection)
    sys.stderr.write(f"{selection.total:,} of {browser.rows:,} pictures\n")
    return 1 if unread else 0


def _write(options: Namespace, selection: Selection) -> int:
    """Write a file, or to standard output; return how many pictures are not in it: none."""
    from mapsight.browse.exports import export

    pieces = export(selection, options.format)
    if options.out:
        write_pieces(Path(options.out), pieces)
    else:
        for piece in pieces:
            sys.stdout.write(piece.decode())
    return 0


def _selected(options: Namespace, browser: Browser, run: Callable[[], Pipeline]) -> Selection:
    """Return what the options ask for.

    Raises:
        UsageError: an option has a value that is not allowed.
    """
    from driver.selection.choosing import chosen_of
    from mapsight.browse.filter_values import FilterError
    from mapsight.browse.filters import NAMES as FILTERS
    from mapsight.browse.filters import Filters
    from mapsight.browse.selection import check_sort

    named = {name: getattr(options, option_of(name).replace("-", "_")) for name in FILTERS}
    query = {name: "1" if one is True else one for name, one in named.items() if one}
    try:
        sort = check_sort(options.sort) and "image_id" if options.count else options.sort
        selection = browser.select(Filters.parse(query), sort)
    except FilterError as error:
        raise UsageError(f"--{option_of(error.field)}{str(error)[len(error.field) :]}") from None
    if options.count:
        return chosen_of(options, browser, selection, run)
    return selection.first(options.limit) if options.limit else selection


def _is_ours(head: bytes, browser: Browser) -> bool:
    """Return whether a file begins as one that this command has written."""
    from mapsight.browse.items import TABLE_COLUMNS

    if head.startswith((b"PAR1", ",".join(TABLE_COLUMNS).encode())):
        return True
    lines = head.decode(errors="replace").split("\n")[:-1]
    return bool(lines) and all(browser.row_of(line) is not None for line in lines)
