"""The stages that read pictures: plan, ingest, fetch, extract."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from driver.errors import Failure, UsageError
from driver.fingerprint import fingerprint
from driver.model import Model, model_of
from driver.pipeline import Outcome, Pipeline, require
from driver.uploads import is_here, stamps, upload
from mapsight import openimages
from mapsight.fetch_shards import document_of
from mapsight.inputs import Found, InputError, find_inputs
from mapsight.plan import LISTINGS, Plan, make_plan
from mapsight.records import Split
from mapsight.results import records_of

__all__ = [
    "SHARDS",
    "check_share",
    "dataset_of",
    "extract",
    "extract_identity",
    "fetch",
    "fetch_identity",
    "forget_unnamed",
    "ingest",
    "ingest_identity",
    "named_inputs",
    "plan",
    "plan_identity",
    "unfinished",
]

CLUSTER_TASKS = 16
FEATURE_BYTES = 3500
FETCHED = "fetched"
"""The folder of the workspace that keeps fetched pictures from run to run."""

SHARDS = {"ingest": "ingest", "fetch": FETCHED}
"""The folder that a stage's shards are in, by stage."""


def dataset_of(run: Pipeline) -> openimages.Dataset | None:
    """The Open Images folder, looked at once."""
    folder = run.options.openimages
    if folder and "dataset" not in run.memo:
        try:
            run.memo["dataset"] = openimages.find_dataset(folder)
        except OSError as error:
            raise UsageError(f"--openimages {folder}: {error.strerror or error}") from None
    return run.memo.get("dataset")


def _inputs(run: Pipeline) -> Iterator[Found]:
    dataset = dataset_of(run)
    skip = {run.workspace.root, os.path.realpath(run.workspace.root)}
    if run.options.results:
        skip.add(os.path.realpath(run.options.results))
    for typed in [*run.options.images, *(dataset.pictures if dataset else ())]:
        keep = None
        if dataset and typed == run.options.openimages:
            keep = lambda name: openimages.kind_of(name) is None  # noqa: E731
        yield from find_inputs(typed, skip=skip, keep=keep)


def plan_identity(run: Pipeline) -> dict[str, Any]:
    """Lists the input and cuts it into splits; its digest tells whether it has changed."""
    on_cluster = run.options.runner in ("hadoop", "emr")
    tasks = CLUSTER_TASKS if on_cluster else 2 * (os.cpu_count() or 1)
    column = run.options.url_column
    try:
        planned = make_plan(
            _inputs(run), run.scratch, splits=run.options.splits, tasks=tasks, url_column=column
        )
    except InputError as error:
        raise Failure(str(error)) from error
    require(planned.pictures > 0 or bool(planned.splits["tar"]), _nothing_found(run))
    run.memo["plan"] = planned
    return {
        "digest": planned.digest,
        "splits": run.options.splits,
        "tasks": tasks,
        "url_column": column,
    }


def named_inputs(run: Pipeline) -> list[str]:
    """What the user named, as typed."""
    openimages = run.options.openimages
    return [*run.options.images, *([openimages] if openimages else [])]


def _nothing_found(run: Pipeline) -> str:
    dataset = dataset_of(run)
    named = named_inputs(run)
    lists = [found.source for found in dataset.files["images"]] if dataset else []
    advice = f"; to fetch them from their URLs: --images {lists[0]}" if lists else ""
    return f"{', '.join(named)}: no pictures found{advice}"


def plan(run: Pipeline, folder: str) -> Outcome:
    """Keeps the listings of loose files and URLs, and the splits; no job."""
    planned: Plan = run.memo["plan"]
    target = run.local_folder("plan", folder)
    for name in LISTINGS.values():
        (run.scratch / name).rename(target / name)
    run.store(target, "plan", folder)
    notes = {
        "pictures": planned.pictures,
        "bytes": planned.bytes,
        "digest": planned.digest,
        "listings": {kind: f"{folder}/{name}" for kind, name in LISTINGS.items()},
        **{kind: [asdict(split) for split in splits] for kind, splits in planned.splits.items()},
    }
    return Outcome({"images": {"planned": planned.pictures}}, notes)


def _listed(run: Pipeline, kind: str) -> list[Split]:
    """The splits of a listing, with the address it has in the workspace."""
    notes = run.documents["plan"]["notes"]
    listing = run.workspace.uri("plan", notes["listings"][kind])
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
    packed = _packed(run, "ingest", folder, "packed")
    _drop_unnamed_shards(run, folder, {record["split"]["uri"] for record in packed})
    found = sum(record["split"]["rows"] for record in packed)
    told = counters.get("images", {}).get("packed", 0)
    require(
        found == told and (found >= wanted if archives else found == wanted),
        f"ingest: {found} of {wanted} pictures were packed; run again",
    )
    return Outcome(counters, {**_notes_of(run, packed, "ingest"), "uploads": uploads})


def _packed(run: Pipeline, *names: str) -> list[dict[str, Any]]:
    """What a job that wrote shards says of them, in the order of their pictures."""
    records = [record for _, record in records_of(run.workspace.addresses(*names))]
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
        ["--store", run.workspace.uri(FETCHED), *_fetch_arguments(run)],
        ("fetch", folder),
        total=wanted,
    )
    fetched = _packed(run, "fetch", folder)
    found = sum(record["split"]["rows"] for record in fetched)
    require(found == wanted, f"fetch: {found} of {wanted} URLs were answered for; run again")
    failed = sum(record["failed"] for record in fetched)
    return Outcome(counters, {**_notes_of(run, fetched, FETCHED), "failed": failed})


def _fetch_arguments(run: Pipeline) -> list[str]:
    options = run.options
    arguments = ["--seconds", str(options.fetch_seconds), "--per-host", str(options.per_host)]
    arguments += ["--connections", str(options.connections)]
    if options.allow_private:
        arguments.append("--allow-private")
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
    shards = {run.workspace.uri(FETCHED, split["uri"]) for split in splits}
    _drop_unnamed(run, (FETCHED,), shards | set(map(document_of, shards)))


def _drop_unnamed_shards(run: Pipeline, folder: str, named: set[str]) -> None:
    """Remove the shards of attempts that failed."""
    _drop_unnamed(run, ("ingest", folder, "shards"), named)


def _drop_unnamed(run: Pipeline, names: tuple[str, ...], named: set[str]) -> None:
    file_system = run.workspace.fs
    for path in file_system.find(file_system._strip_protocol(run.workspace.uri(*names))):
        address = path if run.workspace.local else file_system.unstrip_protocol(path)
        if address not in named:
            file_system.rm_file(path)


def extract_identity(run: Pipeline) -> dict[str, Any]:
    """The model, by its SHA-256, and what is read beside the shards."""
    options, plan = run.options, run.documents["plan"]["notes"]
    model: Model = model_of(run)
    run.memo["model"] = model
    return {
        "model": model.sha256,
        "alpha": model.alpha,
        "resolution": model.resolution,
        "precision": model.precision,
        "engine": options.engine,
        "image_column": options.image_column,
        "parquet": [plan["parquet"], plan["digest"]] if plan["parquet"] else [],
    }


def shards_of(run: Pipeline) -> list[Split]:
    """The shards that ingest and fetch made, with their addresses."""
    return [
        Split(**{**split, "uri": run.workspace.uri(folder, split["uri"])})
        for stage, folder in SHARDS.items()
        for split in run.documents[stage]["notes"]["shards"]
    ]


def _copied(run: Pipeline, split: dict[str, Any], copies: dict[str, str]) -> Split:
    """A split of the plan, read from the copy in the workspace where there is one."""
    copy = copies.get(split["uri"])
    return Split(**{**split, "uri": run.workspace.uri(copy) if copy else split["uri"]})


def extract(run: Pipeline, folder: str) -> Outcome:
    """Maps pictures to features, and keeps the model file beside them."""
    options, plan = run.options, run.documents["plan"]["notes"]
    model: Model = run.memo["model"]
    copies = run.documents["ingest"]["notes"].get("uploads", {})
    splits = [*shards_of(run), *(_copied(run, split, copies) for split in plan["parquet"])]
    pictures = sum(split.rows for split in splits)
    require(pictures > 0, _nothing_found(run))
    arguments = ["--model", str(model.path), "--model-sha256", model.sha256]
    arguments += ["--engine", options.engine, "--alpha", str(model.alpha)]
    arguments += ["--resolution", str(model.resolution)]
    if options.image_column:
        arguments += ["--image-column", options.image_column]
    counters = run.job(
        "extract",
        run.manifest([split.to_json() for split in splits]),
        arguments,
        ("extract", folder),
        total=pictures,
        shuffled=pictures * FEATURE_BYTES,
    )
    _check_sums(counters["images"], pictures)
    kept = run.workspace.keep(model.path, "model", f"{model.sha256[:16]}-{model.path.name}")
    return Outcome(counters, {"model_file": kept, "classes": model.classes})


def _check_sums(images: dict[str, int], planned: int) -> None:
    """No picture may vanish."""
    read, extracted = images.get("read", 0), images.get("extracted", 0)
    rejected = sum(_errors(images).values())
    require(
        read == planned == extracted + rejected,
        f"extract: {planned} pictures were planned, {read} read, {extracted} extracted and"
        f" {rejected} rejected; these must agree",
    )


def _errors(images: dict[str, int]) -> dict[str, int]:
    return {code: n for code, n in images.items() if code not in ("read", "extracted")}


def check_share(run: Pipeline) -> None:
    """Most pictures must be usable: else something is wrong with the input, not with them."""
    images = run.documents["extract"]["counters"]["images"]
    errors, read = _errors(images), images["read"]
    rejected = sum(errors.values())
    if rejected <= run.options.max_rejected * read:
        return
    worst = ", ".join(f"{n} {code}" for code, n in sorted(errors.items(), key=lambda e: -e[1]))
    records = (record for _, record in records_of(run.workspace.parts("extract")))
    lost = itertools.islice((record for record in records if "error" in record), 100)
    by_reason = {record["detail"]: record["source"] for record in lost}
    examples = "; ".join(
        f"{source} ({why})" for why, source in itertools.islice(by_reason.items(), 3)
    )
    share = math.ceil(100 * rejected / read) / 100
    advice = f" Go on all the same with --max-rejected {share:.2f}" if rejected < read else ""
    raise Failure(
        f"{rejected} of {read} pictures cannot be used ({worst}), for example {examples}.{advice}"
    )
