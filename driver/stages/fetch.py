"""The stage fetch: the pictures of URL lists become shards, which outlive the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.outputs import drop_shards, listed_splits, packed_records, shard_notes
from mapsight.workspace.stage_facts import FetchNotes, PlanNotes
from mapsight.workspace.stage_names import FETCHED

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "forget_unnamed", "unfinished"]

JOB = Job("mr_jobs.fetch_images", reduces=False)


@dataclass(frozen=True)
class Options:
    """How to fetch, and from where."""

    allow_private: bool
    fetch_seconds: float
    per_host: int
    connections: int
    check_md5: bool = False
    host_pause: float = 0.0
    ignore_robots: bool = False
    user_agent_contact: str | None = None


def identity(run: Pipeline) -> dict[str, Any]:
    """The splits of URLs, the addresses that are allowed, and whether robots.txt is heeded."""
    notes = PlanNotes.of(run.documents["plan"])
    digest = notes.digest if notes.urls else ""
    options = run.options_of(Options)
    asked = {name: getattr(options, name) for name in ("allow_private", "ignore_robots")}
    allowed = {name: value and bool(notes.urls) for name, value in asked.items()}
    return {"splits": notes.urls, "digest": digest, **allowed}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Fetches the pictures of URL lists into shards that outlive the run.

    What an earlier run has fetched is not asked for again.
    """
    splits = listed_splits(run, "urls")
    if not splits:
        return Outcome(notes={"shards": [], "digest": "nothing", "failed": 0})
    wanted = sum(split.rows for split in splits)
    counters = run.job(
        JOB,
        run.manifest([split.to_json() for split in splits]),
        ["--store", _store(run), *_fetch_arguments(run)],
        ("fetch", folder),
        total=wanted,
    )
    fetched = packed_records(run, "fetch", folder)
    found = sum(record["split"]["rows"] for record in fetched)
    require(found == wanted, f"fetch: {found} of {wanted} URLs were answered for; run again")
    failed = sum(record["failed"] for record in fetched)
    same = sum(record.get("same", 0) for record in fetched)
    notes = {**shard_notes(run, fetched, FETCHED), "failed": failed, "same": same}
    return Outcome(counters, notes)


def _store(run: Pipeline) -> str:
    run.workspace.own(FETCHED)
    return run.workspace.uri(FETCHED)


def _fetch_arguments(run: Pipeline) -> list[str]:
    from mapsight.web.http_get import USER_AGENT

    options = run.options_of(Options)
    arguments = ["--seconds", str(options.fetch_seconds), "--per-host", str(options.per_host)]
    arguments += ["--connections", str(options.connections)]
    arguments += ["--host-pause", str(options.host_pause)]
    if options.user_agent_contact:
        arguments += ["--user-agent", f"{USER_AGENT} (+{options.user_agent_contact})"]
    if options.ignore_robots:
        arguments.append("--ignore-robots")
    if options.allow_private:
        arguments.append("--allow-private")
    if options.check_md5:
        arguments.append("--check-md5")
    if "fetch" in run.running.force:
        arguments.append("--again")
    return arguments


def unfinished(document: dict[str, Any]) -> bool:
    """Whether URLs failed that may succeed next time."""
    return FetchNotes.of(document).failed > 0


def forget_unnamed(run: Pipeline) -> None:
    """Remove fetched shards that the committed stage does not name, unless it names none.

    A run without URLs leaves what others have fetched.
    """
    splits = FetchNotes.of(run.documents["fetch"]).shards
    fetched = next(report for report in run.reports if report.name == STAGE.name)
    if fetched.skipped or not splits:
        return
    drop_shards(run.workspace, {split["uri"] for split in splits})


STAGE = Stage(
    __name__,
    perform,
    needs=("plan",),
    jobs=(JOB,),
    identity=identity,
    check=forget_unnamed,
    unfinished=unfinished,
)
