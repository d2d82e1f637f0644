"""The bytes of a workspace's pictures, found again by what records say of shard and row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mapsight.errors import Failure
from mapsight.inputs.shards import OURS, read_images_at
from mapsight.redaction import without_secrets
from mapsight.workspace.stage_facts import ExtractOptions, ShardNotes
from mapsight.workspace.stage_names import SHARDS
from mapsight.workspace.workspace import ANEW, Workspace

__all__ = ["GONE", "PartPictures", "Pictures"]

GONE = "its file is gone, or has changed"
"""Why a picture cannot be had whose bytes are not found again."""

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
        return next((data for _, data in self.each([record])), None)

    def each(self, records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the record, its encoded picture) for those that can be read.

        Files are read one after the other, each once. Memory: one picture at a time.

        Raises:
            Failure: the file is one that the workspace packed.
        """
        by_shard: dict[str, dict[int, list[int]]] = {}
        for number, record in enumerate(records):
            if shard := record.get("shard"):
                by_shard.setdefault(shard, {}).setdefault(record["row"], []).append(number)
        for shard, rows in by_shard.items():
            column = None if shard in self._shards else self._column  # ours have their own
            address = self._shards.get(shard, shard)
            for row, data in read_images_at(address, rows, column):
                if data is not None:
                    yield from ((number, data) for number in rows.pop(row))
            if rows:
                self._miss(shard, address)

    def _miss(self, shard: str, address: str) -> None:
        """Say that pictures of a file cannot be read."""
        if shard in self._shards:
            raise Failure(f"{address}: gone, or damaged{ANEW}")
        if address not in self._unreadable:
            self._unreadable.add(address)
            shown = without_secrets(address)
            self._tell(f"{shown}: gone, or damaged; its pictures have no thumbnail\n")


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
        return self._part(record.get("part") or 0).data(record)

    def each(self, records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the record, its encoded picture), as `Pictures.each` does."""
        by_part: dict[int, list[int]] = {}
        for number, record in enumerate(records):
            by_part.setdefault(record.get("part") or 0, []).append(number)
        for part, numbers in by_part.items():
            inside = self._part(part).each([records[number] for number in numbers])
            yield from ((numbers[place], data) for place, data in inside)

    def _part(self, number: int) -> Pictures:
        if number not in self._opened:
            workspace = self._parts[number]
            self._opened[number] = Pictures(workspace, workspace.required("extract"), self._tell)
        return self._opened[number]
