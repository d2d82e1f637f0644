"""The folder that the command fetch fills: an Open Images folder with a memory of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np

from driver.errors import Failure
from driver.stages.outputs import drop_shards
from driver.workspace.cleaning import erase_stage
from driver.workspace.workspace import Workspace
from mapsight.openimages.picture_store import Lost, lost_in, move_pictures, stored_ids
from mapsight.records import Split
from mapsight.storage.uri import resolve
from mapsight.workspace.stage_facts import FetchNotes

__all__ = ["FETCHING", "SAMPLE_TABLE", "URLS_TABLE", "SampleFolder"]

FETCHING = ".fetching"
"""The folder inside that keeps what is not finished."""

RECORD, MISSING = "fetch.json", "missing.csv"
TABLES = SAMPLE_TABLE, URLS_TABLE = "sample.csv", "urls.csv"
"""What a sample is, and where its pictures are from."""
PASSING = ("url_failed", "url_refused", "url_disallowed")
"""What may go right another time; what failed otherwise is gone."""

MANY = 20  # pictures, of which half cannot be missing by chance


class SampleFolder:
    """A folder or URI with pictures in `images/`, and what was asked for in `fetch.json`.

    `missing.csv` lists the pictures that the bucket does not have; they are not
    asked for again as long as it does.
    """

    def __init__(self, location: str, workspace: Workspace) -> None:
        self.location, self._workspace = location, workspace
        self.fs, self._path = resolve(location)
        self.images = self.uri("images")

    def _inside(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    def uri(self, name: str) -> str:
        """The absolute address of something in the folder."""
        path = self._inside(name)
        return path if self._workspace.local else self.fs.unstrip_protocol(path)

    def stored(self) -> np.ndarray:
        """The ids of the pictures that are here.

        Raises:
            Failure: a shard cannot be read.
        """
        try:
            return stored_ids(self.images)
        except ValueError as error:
            raise Failure(str(error)) from error

    def begin(self, request: Mapping[str, Any]) -> None:
        """Keep in mind what is asked for.

        Raises:
            Failure: the folder holds what this request would leave over.
        """
        before = self._record()
        strange = not before and self.fs.exists(self._inside("images"))
        reason = "its images/ is somebody else's" if strange else _left_over(before, request)
        if not before and not reason:
            reason = self._foreign(request["metadata"])
        if reason:
            raise Failure(f"--to {self.location}: {reason}; name another folder")
        if not before or before["request"] != request:
            self.end({"request": request, "complete": False})

    def _foreign(self, metadata: Iterable[str]) -> str:
        """Return which file would be overwritten by one of the sample's; "" if none is there."""
        names = (*TABLES, MISSING, *metadata)
        for name in names:
            if self.fs.exists(self._inside(name)):
                return f"its {name} was not written by Mapsight, and is not overwritten"
        return ""

    def end(self, record: Mapping[str, Any]) -> None:
        """Write `fetch.json`."""
        self.write(RECORD, json.dumps(record, indent=1).encode())

    def _record(self) -> dict[str, Any]:
        try:
            record = json.loads(self.fs.cat_file(self._inside(RECORD)))
            if not (isinstance(record, dict) and isinstance(record.get("request"), dict)):
                raise ValueError("not what fetch writes")
            return record
        except FileNotFoundError:
            return {}
        except ValueError as error:
            where = self.uri(RECORD)
            raise Failure(f"{where}: is damaged ({error}); name another folder") from error

    def lost(self) -> list[Lost]:
        """The pictures that are known to be missing, by id."""
        try:
            text = self.fs.cat_file(self._inside(MISSING)).decode("utf-8")
        except FileNotFoundError:
            return []
        rows = csv.reader(io.StringIO(text, newline=""))
        next(rows, None)
        return [Lost(*row) for row in rows if len(row) == len(fields(Lost))]

    def add_lost(self, more: Iterable[Lost]) -> None:
        """Note pictures that are missing."""
        known = {lost.image_id: lost for lost in [*self.lost(), *more]}
        header = ("ImageID", "Subset", "URL", "Error", "Detail")
        self.write_table(MISSING, header, [astuple(known[key]) for key in sorted(known)])

    def settle(self) -> list[Lost]:
        """Take over what the last round fetched; those that may come another time.

        Doing it again after it was broken off changes nothing.

        Raises:
            Failure: so many are missing that the address must be wrong.
        """
        document = self._workspace.committed("fetch")
        if document is None:
            return []
        splits = [self._shard(split) for split in FetchNotes.of(document).shards]
        lost = {split: lost_in(split.uri) for split in splits if self.fs.exists(split.uri)}
        every = [row for rows in lost.values() for row in rows]
        gone = [row for row in every if row.error not in PASSING]
        try:
            self._refuse(gone, every, sum(split.rows for split in splits))
        except Failure:
            self._forget()  # else the next run would find the same
            raise
        if gone:
            self.add_lost(gone)
        for split, rows in lost.items():
            move_pictures(split, len(rows), self.images)
        self._forget()
        return [row for row in every if row.error in PASSING]

    def _shard(self, split: Mapping[str, Any]) -> Split:
        return Split(**{**split, "uri": self._workspace.within("fetched", split["uri"])})

    def _refuse(self, gone: Sequence[Lost], every: Sequence[Lost], asked: int) -> None:
        """Refuse an outcome that tells of a wrong address rather than of missing pictures."""
        nothing = len(every) == asked and not len(self.stored())
        if (asked >= MANY and 2 * len(gone) > asked) or (nothing and asked > 1):
            first = every[0]
            raise Failure(
                f"{len(every)} of {asked} could not be fetched; {first.url}: {first.detail}"
            )

    def _forget(self) -> None:
        drop_shards(self._workspace, ())
        for name in ("fetch", "plan"):
            erase_stage(self._workspace, name)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, whole or not at all."""
        path = self._workspace.scratch / name
        path.write_bytes(data)
        self.put(path, name)

    def write_table(self, name: str, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
        """Write a CSV file, whole or not at all."""
        path = self._workspace.scratch / name
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        self.put(path, name)

    def put(self, path: Path, name: str) -> None:
        """Move a scratch file here, in the place of an older one."""
        if self._workspace.local:
            path.replace(self.uri(name))
        else:
            self.fs.put_file(str(path), self._inside(name))
            path.unlink()


def _left_over(before: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """What of an earlier request a new one does not ask for; "" if it asks for all."""
    old = before.get("request")
    if not old:
        return ""
    for name in ("labels", "subsets"):
        if missing := sorted(set(old[name]) - set(request[name])):
            return f"it holds {missing[0]} too"
    if old["per_label"] > request["per_label"]:
        return f"it holds {old['per_label']} pictures of a label"
    if old["with_negatives"] > request["with_negatives"]:
        return "it was made --with-negatives"
    if old["no_depictions"] != request["no_depictions"]:
        return f"it was made {'with' if old['no_depictions'] else 'without'} --no-depictions"
    for name, sha256 in old["metadata"].items():
        if request["metadata"].get(name) != sha256:
            return f"{name} has changed since it was made"
    return ""
