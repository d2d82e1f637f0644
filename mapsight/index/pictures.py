"""The bytes of a workspace's pictures, found again by what records say of shard and row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mapsight.errors import Failure
from mapsight.inputs.shards import OURS, read_image
from mapsight.redaction import without_secrets
from mapsight.workspace.stage_facts import ExtractOptions, ShardNotes
from mapsight.workspace.stage_names import SHARDS
from mapsight.workspace.workspace import ANEW, Workspace

__all__ = ["PartPictures", "Pictures"]

Tell = Callable[[str], object]


class Pictures:
    """Finds the bytes of pictures again.

    Args:
        workspace: that has read them.
        extract: the stage.json of the stage that did.
        tell: is called with a line for what cannot be read.
    """

    def __init__(self, workspace: Workspace, extract: dict[str, Any], tell: Tell = str) -> None:
        self._tell = tell
        self._column = ExtractOptions.of(extract).image_column
        self._shards: dict[str, str] = {}
        self._unreadable: set[str] = set()
        same = True
        for stage, folder in SHARDS.items():
            document = workspace.sound(stage)
            # a later run with other pictures may have packed those and gone no further
            if document is None or document["digest"] != extract["inputs"][stage]:
                same = False
                continue
            for split in ShardNotes.of(document).shards:
                address = workspace.within(folder, split["uri"])
                self._shards[OURS.format(split["first"])] = address
        if not same:
            tell("the packed pictures have changed since; run again to show them\n")

    def data(self, record: Mapping[str, Any]) -> bytes | None:
        """Return the encoded picture; None, and a line for its file, if it cannot be read.

        Raises:
            Failure: the file is one that the workspace packed.
        """
        shard = record.get("shard")
        if not shard:
            return None
        column = None if shard in self._shards else self._column  # ours have their own
        address = self._shards.get(shard, shard)
        data = read_image(address, record["row"], column)
        if data is None and shard in self._shards:
            raise Failure(f"{address}: gone, or damaged{ANEW}")
        if data is None and address not in self._unreadable:
            self._unreadable.add(address)
            shown = without_secrets(address)
            self._tell(f"{shown}: gone, or damaged; its pictures have no thumbnail\n")
        return data


class PartPictures:
    """Finds the bytes of pictures of an index and of additions to it.

    Args:
        parts: workspaces by the number of the part.
        tell: is called with a line for what cannot be read.
    """

    def __init__(self, parts: Mapping[int, Workspace], tell: Tell = str) -> None:
        self._parts, self._tell = parts, tell
        self._opened: dict[int, Pictures] = {}

    def data(self, record: Mapping[str, Any]) -> bytes | None:
        """Return the encoded picture, or None if it is no longer there.

        Raises:
            Failure: the workspace does not say any more where its pictures are.
        """
        number = record.get("part") or 0
        if number not in self._opened:
            workspace = self._parts[number]
            self._opened[number] = Pictures(workspace, workspace.required("extract"), self._tell)
        return self._opened[number].data(record)
