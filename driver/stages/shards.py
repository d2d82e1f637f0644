"""The stages ingest and fetch: loose files, archives and URLs become shards."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from driver.pipeline.fingerprint import fingerprint
from driver.pipeline.pipeline import Outcome, Pipeline, require
from driver.pipeline.uploads import is_here, stamps, upload
from driver.stages.plan import named_inputs
from driver.workspace.inside import is_linked, remove_empty
from mapsight.inputs.fetch_shards import document_of
from mapsight.records import Split
from mapsight.results.predictions import records_of

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = [
    "SHARDS",
    "drop_shards",
    "fetch",
    "fetch_identity",
    "forget_unnamed",
    "ingest",
    "ingest_identity",
    "shards_of",
    "unfinished",
]

SHARD = re.compile(r"[0-9a-f]{24}/[0-9a-f]{16}(-kept)?\.(parquet|json)")
"""How shards in FETCHED are named: by a hash, then at random."""

FETCHED = "fetched"
"""The folder of the workspace that keeps fetched pictures from run to run."""

SHARDS = {"ingest": "ingest", "fetch": FETCHED}
"""The folder that a stage's shards are in, by stage."""


def _listed(run: Pipeline, kind: str) -> list[Split]:
    """The splits of a listing, with the address it has in the workspace."""
    notes = run.documents["plan"]["notes"]
    listing = run.workspace.within("plan", notes["listings"][kind])
    return [Split(**{**split, "uri": listing}) for split in notes[kind]]


def _parquet_files(run: Pipeline) -> list[str]:
    return [split["uri"] for split in run.documents["plan"]["notes"]["parquet"]]


def ingest_identity(run: Pipeline) -> dict[str, Any]:
    """The splits of loose files and of archives, which are told by the plan's digest."""
    notes = run.documents["plan"]["notes"]
    uploads = stamps(run, _parquet_files(run))
    return {"splits": [*notes["files"], *notes["tar"]], **({"uploads": uploads} if uploads else {})}


def ingest(run: Pipeline, folder: str) -> Outcome:
    """Packs loose files and archives into shards; the job's output names them, others go.

    What only this machine can read is packed here, and its Parquet files are copied.
    """
    uploads = upload(run, _parquet_files(run))
    files = _listed(run, "files")
    archives = [Split(**split) for split in run.documents["plan"]["notes"]["tar"]]
    splits = [*files, *archives]
    if not splits:
        return Outcome(notes={"shards": [], "digest": "nothing", "uploads": uploads})
    wanted = sum(split.rows for split in files)
    shards = run.workspace.uri("ingest", folder, "shards")
    here = run.on_cluster and any(map(is_here, named_inputs(run)))
    counters = run.job(
        "pack",
        run.manifest([split.to_json() for split in splits], here=here),
        ["--shards", shards],
        ("ingest", folder, "packed"),
        total=None if archives else wanted,
        here=here,
    )
    packed, sides = _packed(run, "ingest", folder, "packed"), _sides(run, folder)
    _drop_unnamed_shards(run, folder, {record["split"]["uri"] for record in packed})
    found = sum(record["split"]["rows"] for record in packed)
    told = counters.get("images", {}).get("packed", 0)
    require(
        found == told and (found >= wanted if archives else found == wanted),
        f"ingest: {found} of {wanted} pictures were packed; run again",
    )
    return Outcome(counters, {**_notes_of(run, packed, "ingest"), "uploads": uploads, **sides})


def _sides(run: Pipeline, folder: str) -> dict[str, str]:
    """A note that names one of the side files without a picture, where there are some."""
    records = (r for _, r in records_of(run.workspace.addresses("ingest", folder, "packed")))
    names = [record["side_file"] for record in records if "side_file" in record]
    return {"side_file": min(names)} if names else {}


def _packed(run: Pipeline, *names: str) -> list[dict[str, Any]]:
    """What a job that wrote shards says of them, in the order of their pictures."""
    records = [record for _, record in records_of(run.workspace.addresses(*names))]
    records = [record for record in records if "split" in record]
    return sorted(records, key=lambda record: record["split"]["first"])


def _notes_of(run: Pipeline, packed: list[dict[str, Any]], folder: str) -> dict[str, Any]:
    """The shards by names below a folder of the workspace, and a digest of all."""
    digest = fingerprint([[r["split"]["first"], r["split"]["rows"], r["sha256"]] for r in packed])
    base = len(run.workspace.uri(folder)) + 1
    shards = [{**r["split"], "uri": r["split"]["uri"][base:]} for r in packed]
    return {"shards": shards, "digest": digest if packed else "nothing"}


def fetch_identity(run: Pipeline) -> dict[str, Any]:
    """The splits of URLs, and the addresses that are allowed."""
    notes = run.documents["plan"]["notes"]
    digest = notes["digest"] if notes["urls"] else ""
    private = run.options.allow_private and bool(notes["urls"])
    return {"splits": notes["urls"], "digest": digest, "allow_private": private}


def fetch(run: Pipeline, folder: str) -> Outcome:
    """Fetches the pictures of URL lists into shards that outlive the run.

    What an earlier run has fetched is not asked for again.
    """
    splits = _listed(run, "urls")
    if not splits:
        return Outcome(notes={"shards": [], "digest": "nothing", "failed": 0})
    wanted = sum(split.rows for split in splits)
    counters = run.job(
        "fetch",
        run.manifest([split.to_json() for split in splits]),
        ["--store", _store(run), *_fetch_arguments(run)],
        ("fetch", folder),
        total=wanted,
    )
    fetched = _packed(run, "fetch", folder)
    found = sum(record["split"]["rows"] for record in fetched)
    require(found == wanted, f"fetch: {found} of {wanted} URLs were answered for; run again")
    failed = sum(record["failed"] for record in fetched)
    same = sum(record.get("same", 0) for record in fetched)
    notes = {**_notes_of(run, fetched, FETCHED), "failed": failed, "same": same}
    return Outcome(counters, notes)


def _store(run: Pipeline) -> str:
    run.workspace.own(FETCHED)
    return run.workspace.uri(FETCHED)


def _fetch_arguments(run: Pipeline) -> list[str]:
    options = run.options
    arguments = ["--seconds", str(options.fetch_seconds), "--per-host", str(options.per_host)]
    arguments += ["--connections", str(options.connections)]
    if options.allow_private:
        arguments.append("--allow-private")
    if getattr(options, "check_md5", False):
        arguments.append("--check-md5")
    if "fetch" in options.force:
        arguments.append("--again")
    return arguments


def unfinished(document: dict[str, Any]) -> bool:
    """Whether URLs failed that may succeed next time."""
    return document["notes"]["failed"] > 0


def forget_unnamed(run: Pipeline) -> None:
    """Remove fetched shards that the committed stage does not name, unless it names none.

    A run without URLs leaves what others have fetched.
    """
    splits = run.documents["fetch"]["notes"]["shards"]
    if run.reports[-1].skipped or not splits:
        return
    drop_shards(run.workspace, {split["uri"] for split in splits})


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


def _drop_unnamed_shards(run: Pipeline, folder: str, named: set[str]) -> None:
    """Remove the shards of attempts that failed."""
    _drop_unnamed(run, ("ingest", folder, "shards"), named)


def _drop_unnamed(run: Pipeline, names: tuple[str, ...], named: set[str]) -> None:
    file_system = run.workspace.fs
    for path in file_system.find(file_system._strip_protocol(run.workspace.uri(*names))):
        address = path if run.workspace.local else file_system.unstrip_protocol(path)
        if address not in named:
            file_system.rm_file(path)


def shards_of(run: Pipeline) -> list[Split]:
    """The shards that ingest and fetch made, with their addresses."""
    return [
        Split(**{**split, "uri": run.workspace.within(folder, split["uri"])})
        for stage, folder in SHARDS.items()
        for split in run.documents[stage]["notes"]["shards"]
    ]
