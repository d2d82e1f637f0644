"""The command remove: pictures are hidden from searches; nothing else changes."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import sys
import tempfile
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from driver.errors import Failure, UsageError
from driver.options.groups import add_program_options, add_workspace_option
from driver.search.notices import tell_stale
from driver.workspace.changes import write_changes
from driver.workspace.workspace import SEARCH, Workspace
from mapsight.index.collection import require_index
from mapsight.index.removed_ids import MOST_IDS, id_table, write_ids_file
from mapsight.inputs.image_ids import HEX_ID
from mapsight.search.search_index import SearchIndex
from mapsight.text import plain
from mapsight.text_files import read_text
from mapsight.workspace.changes import REMOVED, Removals

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

SHOWN = 5


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
    if options.list:
        return _list(Workspace(options.workspace, SEARCH))
    wanted = _typed(options)
    workspace = Workspace(options.workspace)
    require_index(workspace)
    with workspace.locked():
        said = _remove(workspace, wanted, ignore_missing=options.ignore_missing)
    sys.stderr.write(f"{said}\n")
    return 0


def _typed(options: Namespace) -> list[str]:
    """The ids of the command line and of --ids FILE, each once."""
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
        raise UsageError("name an image_id, or --ids FILE (see --help)")
    return list(dict.fromkeys(one.lower() if HEX_ID.fullmatch(one) else one for one in typed))


def _list(workspace: Workspace) -> int:
    """Print the ids that no part of the index shows any more."""
    with tempfile.TemporaryDirectory(prefix="mapsight-remove-") as scratch:
        index = _index_of(workspace, Path(scratch))
        names = [name for name, _ in index.removed.pairs()]
        shown = index.places_of(names)
        sys.stdout.writelines(f"{name}\n" for name in sorted(names) if name not in shown)
    return 0


def _index_of(workspace: Workspace, scratch: Path) -> SearchIndex:
    require_index(workspace)
    index = SearchIndex(workspace, scratch)
    tell_stale(index.collection)
    return index


def _remove(workspace: Workspace, wanted: Sequence[str], *, ignore_missing: bool) -> str:
    """Commit a list with these pictures too; what to say of it. Memory: some 500 bytes an id."""
    index = _index_of(workspace, workspace.scratch)
    places = index.places_of(wanted)
    listed = index.removed.before(wanted)
    hidden = [one for one, n in zip(wanted, listed, strict=True) if n and one not in places]
    missing = sorted({*wanted} - places.keys() - {*hidden})
    if missing and not ignore_missing:
        raise Failure(
            f"{_counted(missing)} not in the index, so nothing was removed;"
            " --ignore-missing removes the others"
        )
    said = [f"removed: {len(places):,}"]
    said += [f"removed before: {len(hidden):,}"] if hidden else []
    said += [f"not in the index: {_counted(missing)}"] if missing else []
    if places:
        _commit(workspace, index, places)
    return "; ".join(said)


def _counted(names: Sequence[str]) -> str:
    shown = ", ".join(map(plain, names[:SHOWN]))
    return f"{len(names):,} ({shown}{', …' if len(names) > SHOWN else ''})"


def _commit(
    workspace: Workspace, index: SearchIndex, places: Mapping[str, tuple[int, int]]
) -> None:
    changes = index.changes
    new = ((image_id, changes.numbered + 1) for image_id in places)
    table = id_table(itertools.chain(index.removed.pairs(), new))
    if len(table) > MOST_IDS:
        raise Failure(
            f"{len(table):,} removed pictures are more than searches can leave out ({MOST_IDS:,});"
            " run the pipeline again without them"
        )
    stream = pa.BufferOutputStream()
    write_ids_file(table, stream)
    data = stream.getvalue().to_pybytes()
    digest = hashlib.sha256(data).hexdigest()
    name = f"{digest[:16]}.arrow"
    workspace.fs.makedirs(workspace.own(REMOVED), exist_ok=True)
    workspace.write(data, REMOVED, name)
    hidden = _hidden(index, Counter(part for part, _ in places.values()))
    removals = Removals(f"{REMOVED}/{name}", len(table), digest, hidden)
    # the list before it goes with the next command: a search may be reading it
    write_changes(workspace, replace(changes, removals=removals))


def _hidden(index: SearchIndex, more: Mapping[int, int]) -> dict[str, int]:
    """How many rows are hidden in each part, by its digest; those of a new one are counted."""
    known = index.changes.removals.hidden if index.changes.removals else {}
    listed = [image_id for image_id, _ in index.removed.pairs()]
    found = {}
    for part in index.parts:
        n = known.get(part.digest)
        if n is None:
            tables = part.buckets(listed)
            masks = (index.removed.mask(t.column("image_id"), part.number) for t in tables)
            n = sum(int(mask.sum()) for mask in masks)
        found[part.digest] = n + more.get(part.number, 0)
    return found
