"""The stages that read pictures: plan, ingest, extract."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from driver.errors import Failure, UsageError
from driver.fingerprint import fingerprint
from driver.model import model_of
from driver.pipeline import Outcome, Pipeline, require
from mapsight import openimages
from mapsight.inputs import Found, InputError, find_inputs
from mapsight.plan import Plan, make_plan
from mapsight.records import Split
from mapsight.results import records_of

__all__ = [
    "check_share",
    "dataset_of",
    "extract",
    "extract_identity",
    "ingest",
    "ingest_identity",
    "plan",
    "plan_identity",
]

CLUSTER_TASKS = 16


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
    listing = run.scratch / "listing.parquet"
    try:
        planned = make_plan(_inputs(run), listing, splits=run.options.splits, tasks=tasks)
    except InputError as error:
        raise Failure(str(error)) from error
    named = [*run.options.images, *([run.options.openimages] if run.options.openimages else [])]
    require(planned.pictures > 0, f"{', '.join(named)}: no pictures found")
    run.memo["plan"] = planned
    return {"digest": planned.digest, "splits": run.options.splits, "tasks": tasks}


def plan(run: Pipeline, folder: str) -> Outcome:
    """Keeps the listing of loose files and the splits; no job."""
    planned: Plan = run.memo["plan"]
    listing = run.scratch / "listing.parquet"
    target = run.local_folder("plan", folder)
    listing.rename(target / listing.name)
    run.store(target, "plan", folder)
    notes = {
        "pictures": planned.pictures,
        "bytes": planned.bytes,
        "digest": planned.digest,
        "listing": f"{folder}/{listing.name}",
        "loose": [asdict(split) for split in planned.loose],
        "parquet": [asdict(split) for split in planned.parquet],
    }
    return Outcome({"images": {"planned": planned.pictures}}, notes)


def ingest_identity(run: Pipeline) -> dict[str, Any]:
    """The splits of loose files."""
    return {"splits": run.documents["plan"]["notes"]["loose"]}


def ingest(run: Pipeline, folder: str) -> Outcome:
    """Packs loose files into shards; the job's output names them, others are removed."""
    notes = run.documents["plan"]["notes"]
    listing = run.workspace.uri("plan", notes["listing"]) if notes["loose"] else ""
    splits = [Split(**{**split, "uri": listing}) for split in notes["loose"]]
    if not splits:
        return Outcome(notes={"shards": [], "digest": "nothing"})
    shards = run.workspace.uri("ingest", folder, "shards")
    counters = run.job(
        "pack",
        run.manifest([split.to_json() for split in splits]),
        ["--shards", shards],
        ("ingest", folder, "packed"),
        total=sum(split.rows for split in splits),
    )
    parts = _addresses(run, "ingest", folder, "packed")
    packed = [record for _, record in records_of(parts)]
    packed.sort(key=lambda record: record["split"]["first"])
    _drop_unnamed_shards(run, folder, {record["split"]["uri"] for record in packed})
    found = sum(record["split"]["rows"] for record in packed)
    wanted = sum(split.rows for split in splits)
    require(found == wanted, f"ingest: {found} of {wanted} files were packed; run again")
    digest = fingerprint([[r["split"]["first"], r["split"]["rows"], r["sha256"]] for r in packed])
    base = len(run.workspace.uri("ingest")) + 1
    packed_as = [{**r["split"], "uri": r["split"]["uri"][base:]} for r in packed]
    return Outcome(counters, {"shards": packed_as, "digest": digest})


def _addresses(run: Pipeline, *names: str) -> list[str]:
    """The part files a job left in a folder of the workspace."""
    file_system = run.workspace.fs
    path = file_system._strip_protocol(run.workspace.uri(*names))
    found = sorted(file_system.find(path))
    base = len(path) + 1
    return [
        run.workspace.uri(*names, name[base:]) for name in found if name[base:].startswith("part-")
    ]


def _drop_unnamed_shards(run: Pipeline, folder: str, named: set[str]) -> None:
    """Remove the shards of attempts that failed."""
    file_system = run.workspace.fs
    for path in file_system.find(
        file_system._strip_protocol(run.workspace.uri("ingest", folder, "shards"))
    ):
        address = path if run.workspace.local else file_system.unstrip_protocol(path)
        if address not in named:
            file_system.rm_file(path)


def extract_identity(run: Pipeline) -> dict[str, Any]:
    """The model, by its SHA-256, and what is read beside the shards."""
    options, plan = run.options, run.documents["plan"]["notes"]
    model = run.memo["model"] = model_of(run)
    return {
        "model": model.sha256,
        "alpha": options.alpha,
        "resolution": options.resolution,
        "precision": options.precision,
        "engine": options.engine,
        "image_column": options.image_column,
        "parquet": [plan["parquet"], plan["digest"]] if plan["parquet"] else [],
    }


def extract(run: Pipeline, folder: str) -> Outcome:
    """Maps pictures to features, and keeps the model file beside them."""
    options, plan = run.options, run.documents["plan"]["notes"]
    model = run.memo["model"]
    packed = run.documents["ingest"]["notes"]["shards"]
    splits = [Split(**{**s, "uri": run.workspace.uri("ingest", s["uri"])}) for s in packed]
    splits += [Split(**split) for split in plan["parquet"]]
    arguments = ["--model", str(model.path), "--model-sha256", model.sha256]
    arguments += ["--engine", options.engine, "--alpha", str(options.alpha)]
    arguments += ["--resolution", str(options.resolution)]
    if options.image_column:
        arguments += ["--image-column", options.image_column]
    counters = run.job(
        "extract",
        run.manifest([split.to_json() for split in splits]),
        arguments,
        ("extract", folder),
        total=plan["pictures"],
    )
    _check_sums(counters["images"], plan["pictures"])
    kept = run.workspace.keep(model.path, "model", f"{model.sha256[:16]}-{model.path.name}")
    return Outcome(counters, {"model_file": kept})


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
