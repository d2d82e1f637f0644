"""What has been added to a workspace's index and removed from it since it was built.

`changes.json` alone makes additions and removals exist: it is written last, whole or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mapsight.errors import Failure
from mapsight.workspace.documents import changes_document
from mapsight.workspace.workspace import Workspace

__all__ = [
    "ADDED",
    "CHANGES",
    "CHANGES_FORMAT",
    "NEXT",
    "REMOVED",
    "Addition",
    "Changes",
    "Removals",
    "read_changes",
]

ADDED, REMOVED, CHANGES = "added", "removed", "changes.json"
NEXT = f"{CHANGES}.next"
"""Counts where there is no CHANGES: some ways to HDFS delete a file before they replace it."""
CHANGES_FORMAT = 1
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
        """Return the folder, as names below the workspace's root."""
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
        """Return where the next addition is made, or has been begun."""
        return Addition(self.numbered + 1, 0, "", "").place

    def current(self, base: str) -> list[Addition]:
        """Return the additions that were made to the index of this digest."""
        return [one for one in self.additions if one.base == base]

    def stale(self, base: str) -> list[Addition]:
        """Return the others: their cells are of an index that is there no more."""
        return [one for one in self.additions if one.base != base]

    def with_addition(self, rows: int, digest: str, base: str) -> Changes:
        """Return these with one addition more; those of another index are forgotten."""
        new = Addition(self.numbered + 1, rows, digest, base)
        return replace(self, numbered=new.number, additions=(*self.current(base), new))


def read_changes(workspace: Workspace) -> Changes:
    """Return what changes.json says; nothing where there is none.

    Raises:
        Failure: it cannot be read, or is something else: nothing is shown that may be hidden.
    """
    address = workspace.uri(CHANGES)
    try:
        data = _written(workspace)
        if data is None:
            return Changes()
        document = changes_document(data, CHANGES_FORMAT, REMOVED)
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
    """Return the bytes that count; None where nothing was written."""
    for _ in range(TRIES):
        names = set(workspace.names())
        if not names & {CHANGES, NEXT}:
            return None
        with contextlib.suppress(FileNotFoundError):  # it is being replaced
            return workspace.fs.cat_file(workspace.path(CHANGES if CHANGES in names else NEXT))
    raise OSError("it is replaced all the time")
