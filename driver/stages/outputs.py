"""What stages leave for those after them: shards, feature records, counts, rows and centres."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.files import fingerprint
from mapsight.records import Split
from mapsight.workspace.links import is_linked, remove_empty
from mapsight.workspace.stage_facts import PlanNotes, ShardNotes
from mapsight.workspace.stage_names import FETCHED, SHARDS

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.workspace.workspace import Workspace

__all__ = [
    "CellFiles",
    "cells_made",
    "drop_shards",
    "joined_parts",
    "label_sums",
    "lengths",
    "listed_splits",
    "manifest_of_rows",
    "packed_records",
    "read_counts",
    "row_files",
    "shard_notes",
    "shards_of",
]

SHARD = re.compile(r"[0-9a-f]{24}/[0-9a-f]{16}(-kept)?\.(parquet|json)")
"""How shards in FETCHED are named: by a hash, then at random."""


@dataclass(frozen=True)
class CellFiles:
    """Local files of the centres, and of the projection of vectors if they have one."""

    centres: Path
    projection: Path | None = None

    @property
    def all(self) -> list[Path]:
        """Return those that there are, centres first."""
        return [self.centres, *([self.projection] if self.projection else [])]

    @property
    def arguments(self) -> list[str]:
        """Return the options of a job that name them."""
        projection = ["--projection", str(self.projection)] if self.projection else []
        return ["--centres", str(self.centres), *projection]


def listed_splits(run: Pipeline, kind: str) -> list[Split]:
    """The splits of a listing, with the address it has in the workspace."""
    notes = PlanNotes.of(run.documents["plan"])
    listing = run.workspace.within("plan", notes.listings[kind])
    return [Split(**{**split, "uri": listing}) for split in notes.splits(kind)]


def packed_records(run: Pipeline, *names: str) -> list[dict[str, Any]]:
    """What a job that wrote shards says of them, in the order of their pictures."""
    from mapsight.results.predictions import records_of

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
    from mapsight.inputs.fetch_shards import document_of

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
        for split in ShardNotes.of(run.documents[stage]).shards
    ]


def joined_parts(run: Pipeline) -> list[str]:
    """Feature records: those that were selected, with their annotations, where there are any.

    In an addition, those that are new to the index.
    """
    new = run.workspace.parts("known") if "known" in run.documents else []
    return new or run.workspace.parts("annotate") or run.workspace.parts("extract")


def read_counts(
    run: Pipeline,
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], list[Any]]]:
    """(counts by key, rows by key: sample and examples) that the count stage left.

    Memory: bounded by labels², not pictures.
    """
    from mapsight.results.predictions import records_of

    counts: dict[tuple[str, ...], int] = {}
    rows: dict[tuple[str, ...], list[Any]] = {}
    for key, value in records_of(run.workspace.parts("count")):
        if isinstance(value, list):
            rows[tuple(key)] = value
        else:
            counts[tuple(key)] = value
    return counts, rows


def row_files(run: Pipeline) -> list[str]:
    """Addresses of the files of rows."""
    return [part for part in run.workspace.parts("vectors") if part.endswith(".arrow")]


def label_sums(run: Pipeline) -> dict[str, list[Any]]:
    """Return what `LabelSums` of all rows say, by label. Memory: a vector a label."""
    from mapsight.results.predictions import records_of

    told = [part for part in run.workspace.parts("vectors") if not part.endswith(".arrow")]
    return {key[1]: value for key, value in records_of(told) if key[0] == "label"}


def manifest_of_rows(run: Pipeline) -> list[str]:
    """A manifest with a line for every file of rows."""
    return run.manifest([json.dumps({"uri": uri}) for uri in row_files(run)])


def lengths(run: Pipeline) -> tuple[int, int]:
    """Return how many numbers a vector has, and how many of them are the embedding's."""
    from mapsight.index.rows import read_batches

    schema = next(read_batches(row_files(run)[0])).schema
    return schema.field("vector").type.list_size, int(schema.metadata[b"plain_d"])


def cells_made(run: Pipeline) -> CellFiles:
    """Return local copies of what the stage cluster has now."""
    from mapsight.index.layout import CENTRES, PROJECTION

    copies: dict[str, Path] = {}
    for address in run.workspace.parts("cluster"):
        name = address.rsplit("/", 1)[-1]
        copies[name] = run.scratch / name
        run.workspace.fetch(address, copies[name])
    return CellFiles(copies[CENTRES], copies.get(PROJECTION))
