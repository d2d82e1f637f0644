"""Removing pictures from the index: a list of those that searches leave out."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from driver.errors import Failure
from driver.search.notices import tell_stale
from driver.workspace.changes import write_changes
from driver.workspace.workspace import Workspace
from mapsight.index.collection import require_index
from mapsight.index.removed_ids import MOST_IDS, id_table, write_ids_file
from mapsight.search.search_index import SearchIndex
from mapsight.text import plain
from mapsight.workspace.changes import REMOVED, Removals

__all__ = ["remove_pictures", "removed_ids"]

SHOWN = 5


def removed_ids(workspace: Workspace, scratch: Path) -> list[str]:
    """Return the ids that no part of the index shows any more, in order."""
    index = _index_of(workspace, scratch)
    names = [name for name, _ in index.removed.pairs()]
    shown = index.places_of(names)
    return [name for name in sorted(names) if name not in shown]


def _index_of(workspace: Workspace, scratch: Path) -> SearchIndex:
    require_index(workspace)
    index = SearchIndex(workspace, scratch)
    tell_stale(index.collection)
    return index


def remove_pictures(workspace: Workspace, image_ids: Sequence[str], *, ignore_missing: bool) -> str:
    """Commit a list with these pictures too, all of them or none; return how many in a line.

    Memory: some 500 bytes an id.

    Raises:
        Failure: the index lacks some, and these are not to be ignored.
    """
    index = _index_of(workspace, workspace.scratch)
    places = index.places_of(image_ids)
    listed = index.removed.before(image_ids)
    hidden = [one for one, n in zip(image_ids, listed, strict=True) if n and one not in places]
    missing = sorted({*image_ids} - places.keys() - {*hidden})
    if missing and not ignore_missing:
        raise Failure(
            f"not in the index: {_counted(missing)}; nothing was removed,"
            " --ignore-missing removes the others"
        )
    counts = [f"removed: {len(places):,}"]
    counts += [f"removed before: {len(hidden):,}"] if hidden else []
    counts += [f"not in the index: {_counted(missing)}"] if missing else []
    if places:
        _commit(workspace, index, places)
    return "; ".join(counts)


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
    """Return how many rows are hidden in each part, by its digest; count those of a new part."""
    counted = index.changes.removals.hidden if index.changes.removals else {}
    listed = [image_id for image_id, _ in index.removed.pairs()]
    hidden = {}
    for part in index.parts:
        n = counted.get(part.digest)
        if n is None:
            tables = part.buckets(listed)
            masks = (index.removed.mask(t.column("image_id"), part.number) for t in tables)
            n = sum(int(mask.sum()) for mask in masks)
        hidden[part.digest] = n + more.get(part.number, 0)
    return hidden
