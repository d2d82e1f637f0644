"""The pictures of a workspace with all that was added to its index and removed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.errors import Failure
from mapsight.files import sha256_of
from mapsight.workspace.stage_facts import PictureCounts

if TYPE_CHECKING:
    from mapsight.index.removed_ids import IdList
    from mapsight.workspace.changes import Addition, Changes, Removals
    from mapsight.workspace.workspace import Workspace

__all__ = [
    "OTHER_MODEL",
    "Collection",
    "base_digest",
    "collection_of",
    "has_index",
    "is_comparable",
    "is_earlier",
    "require_index",
]

TRIES = 3
OTHER_MODEL = (
    "the model or the head has changed since the index was made: ask by image_id or label, or run"
    " the pipeline to its end"
)


def has_index(workspace: Workspace, *, current: bool = False) -> bool:
    """Return whether a workspace has an index.

    It may be that of an earlier run, while a run goes on that has made other stages anew.

    Args:
        current: only one of the pictures that the workspace has now.
    """
    from mapsight.workspace.workspace import is_current

    document = workspace.committed("index")
    if not (document and document["parts"]):
        return False
    return not current or is_current(workspace, document)


def require_index(workspace: Workspace, *, current: bool = False) -> None:
    """Raise Failure, which says what is missing, unless `has_index`."""
    if has_index(workspace, current=current):
        return
    workspace.require_workspace()
    if workspace.fault("index"):
        workspace.required("index")
    raise Failure(f"{workspace.location}: no index of its pictures: {_why_none(workspace)}")


def _why_none(workspace: Workspace) -> str:
    """Return the reason that there is no index, and what to do."""
    from mapsight.workspace.workspace import is_current

    document, extract = workspace.sound("index"), workspace.sound("extract")
    if document and document["parts"]:
        return "the one that is there is of an earlier run; run the pipeline to its end"
    if document is None or extract is None:
        return "run the pipeline first, to its end"
    if not is_current(workspace, document):
        return "its pictures have changed since; run the pipeline to its end"
    if not PictureCounts.of(extract).extracted:
        return "none of its pictures can be used; results/rejected.csv says why"
    return "it was run with --no-index; run the pipeline again without that"


def is_earlier(workspace: Workspace) -> bool:
    """Return whether the index is that of an earlier run than other stages."""
    from mapsight.workspace.workspace import is_current

    document = workspace.sound("index")
    return document is not None and not is_current(workspace, document)


def is_comparable(workspace: Workspace) -> bool:
    """Return whether an index of an earlier run may be asked for pictures from outside.

    Their features are made by the model and the head that the workspace has now.
    """
    from mapsight.workspace.workspace import is_current

    document = workspace.sound("index")
    if document is None or is_current(workspace, document):
        return True
    extract, fit = workspace.sound("extract"), workspace.sound("fit")
    if extract is None or fit is None:
        return False
    made = document["options"].get("made_with")
    return made == {"model": extract["options"].get("model"), "head": fit["digest"]}


@dataclass(frozen=True)
class Collection:
    """Workspaces by the number of the part: 0 the base, others additions to it.

    `removed` lists hidden pictures; `stale` are additions that are left out, for they were
    made to another index.
    """

    parts: Mapping[int, Workspace]
    changes: Changes
    removed: IdList
    additions: Sequence[Addition] = ()
    stale: Sequence[Addition] = ()

    def addresses(self, stage: str) -> list[str]:
        """Return the addresses of the parts of a stage in all workspaces.

        Of `extract` in an addition, those of the pictures that were new to the index.

        Raises:
            Failure: one is missing or has changed.
        """
        return [uri for number in self.parts for uri in self._addresses(number, stage)]

    def joined(self) -> list[str]:
        """Return the addresses of feature records with what the metadata says of pictures."""
        return [
            uri
            for number, workspace in self.parts.items()
            for uri in (
                (number == 0 and workspace.sound_parts("annotate"))
                or self._addresses(number, "extract")
            )
        ]

    def _addresses(self, number: int, stage: str) -> list[str]:
        workspace = self.parts[number]
        known = workspace.sound_parts("known") if number and stage == "extract" else []
        return known or workspace.sound_parts(stage)


def collection_of(workspace: Workspace, scratch: Path | None = None) -> Collection:
    """Return what changes.json says there is.

    Another command may write a new list of removals meanwhile, and take the old one away.

    Args:
        scratch: a local folder for a copy of what is remote; None takes the workspace's.

    Raises:
        Failure: the list is missing, or is not what was written.
    """
    from mapsight.workspace.changes import read_changes

    gone = ""
    for _ in range(TRIES):
        changes = read_changes(workspace)
        try:
            removed = _removed(workspace, changes.removals, scratch)
        except FileNotFoundError as error:
            gone = str(error)
            continue
        base = base_digest(workspace, workspace.committed("index") if changes.additions else None)
        found = changes.current(base)
        parts = {one.number: workspace.inside(*one.place) for one in found}
        return Collection({0: workspace, **parts}, changes, removed, found, changes.stale(base))
    raise Failure(f"{workspace.location}: the list of removed pictures is gone ({gone})")


def _removed(workspace: Workspace, removals: Removals | None, scratch: Path | None) -> IdList:
    from mapsight.index.removed_ids import IdList

    if removals is None:
        return IdList()
    workspace.within(removals.file)
    path = Path(workspace.path(removals.file))
    if not workspace.local:
        path = (scratch or workspace.scratch) / path.name
        workspace.fetch(workspace.uri(removals.file), path)
    if sha256_of(path) != removals.sha256:
        raise Failure(f"{workspace.uri(removals.file)} has changed since it was written")
    return IdList(path)


def base_digest(workspace: Workspace, document: dict[str, Any] | None) -> str:
    """Return the digest of the index that additions must have been made to; "" without one."""
    return document["digest"] if document and has_index(workspace) else ""
