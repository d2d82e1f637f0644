"""The stage ingest: loose files and archives become shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.pipeline.uploads import is_here, stamps, upload
from driver.stages.dataset import named_inputs
from driver.stages.outputs import listed_splits, packed_records, shard_notes
from mapsight.records import Split
from mapsight.workspace.stage_facts import PlanNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

JOB = Job("mr_jobs.pack_images", reduces=False)


def _parquet_files(run: Pipeline) -> list[str]:
    return [split["uri"] for split in PlanNotes.of(run.documents["plan"]).parquet]


def identity(run: Pipeline) -> dict[str, Any]:
    """The splits of loose files and of archives, which are told by the plan's digest."""
    notes = PlanNotes.of(run.documents["plan"])
    uploads = stamps(run, _parquet_files(run))
    return {"splits": [*notes.files, *notes.tar], **({"uploads": uploads} if uploads else {})}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Packs loose files and archives into shards; the job's output names them, others go.

    What only this machine can read is packed here, and its Parquet files are copied.
    """
    uploads = upload(run, _parquet_files(run))
    files = listed_splits(run, "files")
    archives = [Split(**split) for split in PlanNotes.of(run.documents["plan"]).tar]
    splits = [*files, *archives]
    if not splits:
        return Outcome(notes={"shards": [], "digest": "nothing", "uploads": uploads})
    wanted = sum(split.rows for split in files)
    shards = run.workspace.uri("ingest", folder, "shards")
    here = run.on_cluster and any(map(is_here, named_inputs(run)))
    counters = run.job(
        JOB,
        run.manifest([split.to_json() for split in splits], here=here),
        ["--shards", shards],
        ("ingest", folder, "packed"),
        total=None if archives else wanted,
        here=here,
    )
    packed, sides = packed_records(run, "ingest", folder, "packed"), _sides(run, folder)
    _drop_unnamed_shards(run, folder, {record["split"]["uri"] for record in packed})
    found = sum(record["split"]["rows"] for record in packed)
    told = counters.get("images", {}).get("packed", 0)
    require(
        found == told and (found >= wanted if archives else found == wanted),
        f"ingest: {found} of {wanted} pictures were packed; run again",
    )
    return Outcome(counters, {**shard_notes(run, packed, "ingest"), "uploads": uploads, **sides})


def _sides(run: Pipeline, folder: str) -> dict[str, str]:
    """A note that names one of the side files without a picture, where there are some."""
    from mapsight.results.predictions import records_of

    records = (r for _, r in records_of(run.workspace.addresses("ingest", folder, "packed")))
    names = [record["side_file"] for record in records if "side_file" in record]
    return {"side_file": min(names)} if names else {}


def _drop_unnamed_shards(run: Pipeline, folder: str, named: set[str]) -> None:
    """Remove the shards of attempts that failed."""
    _drop_unnamed(run, ("ingest", folder, "shards"), named)


def _drop_unnamed(run: Pipeline, names: tuple[str, ...], named: set[str]) -> None:
    file_system = run.workspace.fs
    for path in file_system.find(file_system._strip_protocol(run.workspace.uri(*names))):
        address = path if run.workspace.local else file_system.unstrip_protocol(path)
        if address not in named:
            file_system.rm_file(path)


STAGE = Stage(
    __name__,
    perform,
    needs=("plan",),
    jobs=(JOB,),
    identity=identity,
)
