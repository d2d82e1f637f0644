"""What commands tell of an index beside its answers: of additions, removals and earlier runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from driver.workspace.workspace import Workspace
from mapsight.index.collection import Collection, base_digest, is_comparable, is_earlier
from mapsight.workspace.changes import Addition, Changes, read_changes
from mapsight.workspace.index_facts import IndexNotes

__all__ = ["changes_lines", "tell_earlier", "tell_stale"]


def tell_earlier(workspace: Workspace, *, silent: bool = False) -> bool:
    """Say that the index is that of an earlier run, if it is.

    Returns:
        Whether it may be asked for pictures from outside (`is_comparable`).
    """
    if is_earlier(workspace) and not silent:
        sys.stderr.write(
            f"{workspace.location}: a later run did not finish; the index is that of the"
            " earlier run\n"
        )
    return is_comparable(workspace)


def tell_stale(collection: Collection) -> None:
    """Say that additions are left out, and what to do."""
    if collection.stale:
        sys.stderr.write(
            f"left out: {_summed(collection.stale)}, because the index was rebuilt since;"
            " add them again\n"
        )


def changes_lines(workspace: Workspace) -> Iterator[str]:
    """Yield what status says of additions and removals."""
    changes = read_changes(workspace)
    if changes.additions or changes.removals:
        yield from _parts_lines(workspace, changes)
    if workspace.fs.exists(workspace.path(*changes.next_place)):
        place = workspace.uri(*changes.next_place)
        yield f"unfinished addition: {place} (the next `add` continues it)"


def _parts_lines(workspace: Workspace, changes: Changes) -> Iterator[str]:
    document = workspace.committed("index")
    base = base_digest(workspace, document)
    if changes.current(base):
        yield f"added to the index: {_summed(changes.current(base))}"
    if changes.stale(base):
        yield f"left out, because the index was rebuilt since: {_summed(changes.stale(base))}"
    known = changes.removals.hidden if changes.removals else {base: 0}
    if changes.removals and base not in known:  # built anew since: nobody has counted
        yield f"removed: up to {changes.removals.rows:,} pictures (not counted in the new index)"
    elif document:
        parts = {base: IndexNotes.of(document).rows}
        parts |= {one.digest: one.rows for one in changes.current(base)}
        hidden = sum(known.get(digest, 0) for digest in parts)
        yield f"removed from the index: {hidden:,}"
        yield f"searches see {sum(parts.values()) - hidden:,} pictures"


def _summed(additions: Sequence[Addition]) -> str:
    pictures = sum(one.rows for one in additions)
    what = "1 addition" if len(additions) == 1 else f"{len(additions):,} additions"
    return f"{pictures:,} pictures in {what}"
