"""The command remove: pictures are hidden from searches; nothing else changes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from driver.errors import UsageError
from driver.options.groups import add_program_options, add_workspace_option
from mapsight.inputs.image_ids import HEX_ID
from mapsight.text_files import read_text

GROUP = "Search"
DESCRIPTION = "Remove pictures from searches; nothing is deleted."
EXAMPLES = """\
examples:
  %(prog)s 00966a975d566c45
  %(prog)s --ids unwanted.txt --ignore-missing
  %(prog)s --list > removed.txt

A picture that was removed comes back with `add`, as does another one of the same id.
"""
USUAL = ("ids", "ignore-missing", "list", "workspace")
NEEDS = ()
FOR_OUTPUT = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of remove."""
    parser.add_argument("image_id", nargs="*", help="picture of the index to remove")
    parser.add_argument(
        "--ids", metavar="FILE", help="file with one image_id per line (default: none)"
    )
    parser.add_argument(
        "--ignore-missing",
        action="store_true",
        help="remove the others even if the index lacks some",
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="print the image_ids that were removed, and do nothing else",
    )
    add_workspace_option(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Hide pictures, all or none of them."""
    from driver.search.removal import remove_pictures
    from driver.workspace.workspace import Workspace
    from mapsight.index.collection import require_index

    if options.list:
        return _list(options)
    image_ids = _typed(options)
    workspace = Workspace(options.workspace)
    require_index(workspace)
    with workspace.locked():
        counts = remove_pictures(workspace, image_ids, ignore_missing=options.ignore_missing)
    sys.stderr.write(f"{counts}\n")
    return 0


def _list(options: Namespace) -> int:
    """Print the ids that were removed."""
    from driver.search.removal import removed_ids
    from driver.workspace.workspace import SEARCH, Workspace

    with tempfile.TemporaryDirectory(prefix="mapsight-remove-") as scratch:
        names = removed_ids(Workspace(options.workspace, SEARCH), Path(scratch))
        sys.stdout.writelines(f"{name}\n" for name in names)
    return 0


def _typed(options: Namespace) -> list[str]:
    """Return the ids of the command line and of --ids FILE, each once."""
    typed = list(options.image_id)
    if options.ids:
        try:
            text = read_text(options.ids)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(f"--ids {options.ids}: {why}") from None
        lines = (line.strip() for line in text.splitlines())
        typed += [line for line in lines if line and not line.startswith("#")]
    if not typed:
        raise UsageError(f"name an image_id, or --ids FILE (see {options.program} --help)")
    return list(dict.fromkeys(one.lower() if HEX_ID.fullmatch(one) else one for one in typed))
