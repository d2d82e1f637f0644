"""What has been added to a workspace's index and removed from it since it was built.

`changes.json` alone makes additions and removals exist: it is written last, whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from driver.errors import Failure
from driver.workspace.cleaning import erase
from driver.workspace.inside import is_linked
from driver.workspace.mark import is_workspace
from mapsight.workspace.document_checks import dumped
from mapsight.workspace.documents import ADDITION_STAGES, STAGE_NAMES, changes_document

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = [
    "ADDED",
    "CHANGES",
    "REMOVED",
    "Addition",
    "Changes",
    "Removals",
    "clean_changes",
    "drop_addition",
    "read_changes",
    "write_changes",
]

ADDED, REMOVED, CHANGES = "added", "removed", "changes.json"
NEXT = f"{CHANGES}.next"
"""Counts where there is no CHANGES: some ways to HDFS delete a file before they replace it."""
FORMAT = 1
TRIES = 5


@dataclass(frozen=True)
class Addition:
    """Pictures that were added: a workspace of their own in the folder `added/<number>`.

    `digest` is that of its stage `index`, `base` that of the index that it was added to.
    """

    number: int
    rows: int
    digest: str
    base: str

    @property
    def place(self) -> tuple[str, str]:
        """The folder, as names below the workspace's root."""
        return ADDED, f"{self.number:06d}"


@dataclass(frozen=True)
class Removals:
    """The list of pictures that are hidden (mapsight/index/removed_ids.py).

    `hidden` says how many rows it hides in each part, by the digest of that part's index.
    """

    file: str
    rows: int
    sha256: str
    hidden: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """Additions by number, and removals. No number is given twice: `numbered` is the last."""

    numbered: int = 0
    additions: tuple[Addition, ...] = ()
    removals: Removals | None = None

    @property
    def next_place(self) -> tuple[str, str]:
        """Where the next addition is made, or has been begun."""
        return Addition(self.numbered + 1, 0, "", "").place

    def current(self, base: str) -> list[Addition]:
        """The additions that were made to the index of this digest."""
        return [one for one in self.additions if one.base == base]

    def stale(self, base: str) -> list[Addition]:
        """The others: their cells are of an index that is there no more."""
        return [one for one in self.additions if one.base != base]

    def with_addition(self, rows: int, digest: str, base: str) -> Changes:
        """One addition more; those of another index are forgotten."""
        new = Addition(self.numbered + 1, rows, digest, base)
        return replace(self, numbered=new.number, additions=(*self.current(base), new))


def read_changes(workspace: Workspace) -> Changes:
    """What changes.json says; nothing where there is none.

    Raises:
        Failure: it cannot be read, or is something else: nothing is shown that may be hidden.
    """
    address = workspace.uri(CHANGES)
    try:
        data = _written(workspace)
        if data is None:
            return Changes()
        document = changes_document(data, FORMAT, REMOVED)
        removals = document["removals"]
        return Changes(
            document["numbered"],
            tuple(Addition(**one) for one in document["additions"]),
            Removals(**removals) if removals else None,
        )
    except OSError as error:
        raise Failure(f"{address}: cannot be read: {error}") from error
    except ValueError as error:
        raise Failure(
            f"{address}: not what add and remove write ({error}); without it nothing is added"
            " or removed"
        ) from None


def _written(workspace: Workspace) -> bytes | None:
    """The bytes that count; None where nothing was written."""
    for _ in range(TRIES):
        names = set(_names(workspace))
        if not names & {CHANGES, NEXT}:
            return None
        with contextlib.suppress(FileNotFoundError):  # it is being replaced
            return workspace.fs.cat_file(workspace.path(CHANGES if CHANGES in names else NEXT))
    raise OSError("it is replaced all the time")


def write_changes(workspace: Workspace, changes: Changes) -> None:
    """Commit: from now on this is what has been added and removed. Only with the lock held."""
    document: dict[str, Any] = {"format": FORMAT, **asdict(changes)}
    data = dumped(document)
    workspace.check_held(CHANGES)
    if workspace.local:
        workspace.write(data, CHANGES)
        return
    workspace.write(data, NEXT)
    workspace.write(data, CHANGES)
    workspace.fs.rm_file(workspace.path(NEXT))


def clean_changes(workspace: Workspace) -> None:
    """Remove what changes.json does not name. Only with the lock held.

    The addition of the next number is unfinished, and stays: the next `add` goes on with it.
    """
    changes = read_changes(workspace)
    names = set(_names(workspace))
    if NEXT in names:
        if CHANGES not in names:
            workspace.write(workspace.fs.cat_file(workspace.path(NEXT)), CHANGES)
        workspace.fs.rm_file(workspace.path(NEXT))
    _clean_additions(workspace, changes)
    for name in _names(workspace, REMOVED):
        if changes.removals is None or changes.removals.file != f"{REMOVED}/{name}":
            _drop_list(workspace, name)


def _clean_additions(workspace: Workspace, changes: Changes) -> None:
    """Remove additions that count no more; what else lies there is the user's."""
    kept = {one.place[1] for one in changes.additions}
    begun = changes.next_place
    for name in _names(workspace, ADDED):
        if name in kept or not re.fullmatch("[0-9]{6}", name):
            continue
        if workspace.local and is_linked(workspace.root, ADDED, name):
            continue
        place = workspace.inside(ADDED, name)
        if is_workspace(place):
            if name == begun[1]:
                place.clean()
            else:
                drop_addition(place)


def drop_addition(place: Workspace) -> None:
    """Remove an addition's folder, but for what somebody else has put there."""
    erase(place, sorted(STAGE_NAMES | ADDITION_STAGES))


def _drop_list(workspace: Workspace, name: str) -> None:
    """Remove a list of removed pictures: a file whose name begins its own SHA-256."""
    match = re.fullmatch(r"([0-9a-f]{16})\.arrow", name)
    if not match or (workspace.local and is_linked(workspace.root, REMOVED, name)):
        return
    path = workspace.path(REMOVED, name)
    with contextlib.suppress(OSError):
        digest = hashlib.sha256(workspace.fs.cat_file(path)).hexdigest()
        if digest.startswith(match[1]):
            workspace.fs.rm_file(path)


def _names(workspace: Workspace, *folder: str) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for entry in workspace.fs.ls(workspace.path(*folder), detail=False):
            yield entry.rstrip("/").rsplit("/", 1)[-1]
