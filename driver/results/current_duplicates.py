"""The duplicates that results and report tell of: those of the pictures that are there now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mapsight.workspace.result_facts import DuplicateCounts, DuplicateNotes

if TYPE_CHECKING:
    from mapsight.workspace.workspace import Workspace

__all__ = [
    "current_duplicates",
    "duplicate_facts",
    "duplicates_are_damaged",
    "stages_of_results",
]


def current_duplicates(workspace: Workspace) -> dict[str, Any] | None:
    """What was found among the pictures that a workspace has now; None if nobody looked."""
    from mapsight.workspace.workspace import is_current

    document = workspace.committed("duplicates")
    if document is None or not is_current(workspace, document):
        return None
    return document if workspace.intact(document) else None


def duplicates_are_damaged(workspace: Workspace) -> bool:
    """Whether those that would be shown have changed since they were written."""
    document = current_duplicates(workspace)
    return document is not None and bool(workspace.changed(document))


def duplicate_facts(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the summary says of duplicates; None where nobody looked for any."""
    if document is None:
        return None
    counts = DuplicateCounts.of(document)
    in_groups = counts.groups + counts.copies
    sizes = DuplicateNotes.of(document).sizes
    return {**asdict(counts), "in_groups": in_groups, "sizes": sizes}


def stages_of_results(workspace: Workspace) -> list[str]:
    """The committed stages whose parts are in results/: of merge, and of duplicates if current."""
    return ["merge", "duplicates"] if current_duplicates(workspace) else ["merge"]
