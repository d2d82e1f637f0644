"""Shards that ingest and fetch make: where they are, and what the jobs say of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from driver.pipeline.pipeline import Pipeline
from mapsight.files import fingerprint
from mapsight.inputs.fetch_shards import document_of
from mapsight.records import Split
from mapsight.results.predictions import records_of
from mapsight.workspace.links import is_linked, remove_empty
from mapsight.workspace.stage_facts import PlanNotes
from mapsight.workspace.stage_names import FETCHED, SHARDS

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = [
    "drop_shards",
    "listed_splits",
    "packed_records",
    "shard_notes",
    "shards_of",
]

SHARD = re.compile(r"[0-9a-f]{24}/[0-9a-f]{16}(-kept)?\.(parquet|json)")
"""How shards in FETCHED are named: by a hash, then at random."""


def listed_splits(run: Pipeline, kind: str) -> list[Split]:
    """The splits of a listing, with the address it has in the workspace."""
    notes = PlanNotes.of(run.documents["plan"])
    listing = run.workspace.within("plan", notes.listings[kind])
    return [Split(**{**split, "uri": listing}) for split in notes.splits(kind)]


def packed_records(run: Pipeline, *names: str) -> list[dict[str, Any]]:
    """What a job that wrote shards says of them, in the order of their pictures."""
    records = [record for _, record in records_of(run.workspace.addresses(*names))]
    records = [record for record in records if "split" in record]
    return sorted(records, key=lambda record: record["split"]["first"])


def shard_notes(run: Pipeline, packed: list[dict[str, Any]], folder: str) -> dict[str, Any]:
    """The shards by names below a folder of the workspace, and a digest of all."""
    digest = fingerprint([[r["split"]["first"], r["split"]["rows"], r["sha256"]] for r in packed])
    base = len(run.workspace.uri(folder)) + 1
    shards = [{**r["split"], "uri": r["split"]["uri"][base:]} for r in packed]
    return {"shards": shards, "digest": digest if packed else "nothing"}


def drop_shards(workspace: Workspace, named: Collection[str]) -> None:
    """Remove fetched shards, and the documents beside them, but for those of these names.

    What is not named as a shard is somebody else's.
    """
    if workspace.local and is_linked(workspace.root, FETCHED):
        return
    kept = {*named, *map(document_of, named)}
    base = workspace.path(FETCHED)
    with contextlib.suppress(FileNotFoundError):
        for path in workspace.fs.find(base):
            name = path[len(base) + 1 :]
            if SHARD.fullmatch(name) and name not in kept:
                workspace.fs.rm_file(path)
    if workspace.local:
        remove_empty(base)


def shards_of(run: Pipeline) -> list[Split]:
    """The shards that ingest and fetch made, with their addresses."""
    return [
        Split(**{**split, "uri": run.workspace.within(folder, split["uri"])})
        for stage, folder in SHARDS.items()
        for split in run.documents[stage]["notes"]["shards"]
    ]
