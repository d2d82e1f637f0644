"""The stage table: what runs, in what order, on what, with which options."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from driver import present
from driver.errors import Failure, UsageError
from driver.fingerprint import ROOT, fingerprint
from driver.launch import JOBS
from driver.pipeline import Outcome, Pipeline, Stage, require
from mapsight import openimages
from mapsight.inputs import Found, InputError, find_inputs
from mapsight.labels import Labeler, resolve_targets
from mapsight.measures import pixels_per_inch
from mapsight.plan import Plan, make_plan
from mapsight.ranking import RankPlan, parse_ranks, plan_ranking
from mapsight.records import Split
from mapsight.results import merged_records

__all__ = ["STAGE_TABLE", "check_options", "read_counts", "settings_of", "targets_of"]

CLUSTER_TASKS = 16
PICTURES_PER_RANGE = 250_000


def _dataset(run: Pipeline) -> openimages.Dataset | None:
    """The Open Images folder, looked at once."""
    folder = run.options.openimages
    if folder and "dataset" not in run.memo:
        try:
            run.memo["dataset"] = openimages.find_dataset(folder)
        except OSError as error:
            raise UsageError(f"--openimages {folder}: {error.strerror or error}") from None
    return run.memo.get("dataset")


def _inputs(run: Pipeline) -> Iterator[Found]:
    dataset = _dataset(run)
    skip = {run.workspace.root, os.path.realpath(run.workspace.root)}
    if run.options.results:
        skip.add(os.path.realpath(run.options.results))
    for typed in [*run.options.images, *(dataset.pictures if dataset else ())]:
        keep = None
        if dataset and typed == run.options.openimages:
            keep = lambda name: openimages.kind_of(name) is None  # noqa: E731
        yield from find_inputs(typed, skip=skip, keep=keep)


def _plan_identity(run: Pipeline) -> dict[str, Any]:
    on_cluster = run.options.runner in ("hadoop", "emr")
    tasks = CLUSTER_TASKS if on_cluster else 2 * (os.cpu_count() or 1)
    listing = run.scratch / "listing.parquet"
    try:
        plan = make_plan(_inputs(run), listing, splits=run.options.splits, tasks=tasks)
    except InputError as error:
        raise Failure(str(error)) from error
    named = [*run.options.images, *([run.options.openimages] if run.options.openimages else [])]
    require(plan.pictures > 0, f"{', '.join(named)}: no pictures found")
    run.memo["plan"] = plan
    return {"digest": plan.digest, "splits": run.options.splits, "tasks": tasks}


def _make_plan(run: Pipeline, folder: str) -> Outcome:
    plan: Plan = run.memo["plan"]
    listing = run.scratch / "listing.parquet"
    target = run.local_folder("plan", folder)
    listing.rename(target / listing.name)
    run.store(target, "plan", folder)
    notes = {
        "pictures": plan.pictures,
        "bytes": plan.bytes,
        "digest": plan.digest,
        "listing": f"{folder}/{listing.name}",
        "loose": [asdict(split) for split in plan.loose],
        "parquet": [asdict(split) for split in plan.parquet],
    }
    return Outcome({"images": {"planned": plan.pictures}}, notes)


def _ingest_identity(run: Pipeline) -> dict[str, Any]:
    return {"splits": run.documents["plan"]["notes"]["loose"]}


def _ingest(run: Pipeline, folder: str) -> Outcome:
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
    packed = [record for _, record in _lines(parts)]
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


def _lines(parts: list[str]) -> Iterator[tuple[Any, Any]]:
    for part in parts:
        yield from merged_records([part])


def _drop_unnamed_shards(run: Pipeline, folder: str, named: set[str]) -> None:
    """Remove the shards of attempts that failed."""
    file_system = run.workspace.fs
    for path in file_system.find(
        file_system._strip_protocol(run.workspace.uri("ingest", folder, "shards"))
    ):
        address = path if run.workspace.local else file_system.unstrip_protocol(path)
        if address not in named:
            file_system.rm_file(path)


def _extract_identity(run: Pipeline) -> dict[str, Any]:
    options, plan = run.options, run.documents["plan"]["notes"]
    model = run.memo["model"] = present.model_of(run)
    return {
        "model": model.sha256,
        "alpha": options.alpha,
        "resolution": options.resolution,
        "precision": options.precision,
        "engine": options.engine,
        "image_column": options.image_column,
        "parquet": [plan["parquet"], plan["digest"]] if plan["parquet"] else [],
    }


def _extract(run: Pipeline, folder: str) -> Outcome:
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


def _check_share(run: Pipeline) -> None:
    """Most pictures must be usable: else something is wrong with the input, not with them."""
    images = run.documents["extract"]["counters"]["images"]
    errors, read = _errors(images), images["read"]
    rejected = sum(errors.values())
    if rejected <= run.options.max_rejected * read:
        return
    worst = ", ".join(f"{n} {code}" for code, n in sorted(errors.items(), key=lambda e: -e[1]))
    records = (record for _, record in _lines(run.workspace.parts("extract")))
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


def _metadata(run: Pipeline) -> list[tuple[str, Found]]:
    dataset = _dataset(run)
    if dataset is None:
        return []
    return [(kind, file) for kind in ("labels", "images") for file in dataset.files[kind]]


def _annotate_identity(run: Pipeline) -> dict[str, Any]:
    return {
        "files": [[kind, f.source, f.bytes, f.stamp] for kind, f in _metadata(run)],
    }


def _annotate(run: Pipeline, folder: str) -> Outcome:
    splits = [split for kind, file in _metadata(run) for split in openimages.csv_splits(file, kind)]
    if not splits:
        return Outcome(notes={"digest": "nothing"})
    lines = [json.dumps(asdict(split)) for split in splits]
    return Outcome(run.job("annotate", run.manifest(lines), [], ("annotate", folder)))


def _labels_identity(run: Pipeline) -> dict[str, Any]:
    """Targets by name and the hierarchy, kept as a small file for jobs."""
    dataset = _dataset(run)
    try:
        names = openimages.read_descriptions(dataset.files["descriptions"]) if dataset else {}
        above = openimages.read_hierarchy(dataset.files["hierarchy"]) if dataset else {}
        targets = resolve_targets(run.options.target_labels, names)
    except ValueError as error:
        raise UsageError(f"--target-labels: {error}") from None
    run.memo["settings"] = {"targets": targets, "parents": above}
    diagonal = run.options.screen_diagonal
    return {"targets": list(targets.items()), "parents": above, "diagonal": diagonal}


def targets_of(document: dict[str, Any]) -> dict[str, str]:
    """MID by target label of a committed classify stage, in the order they were named."""
    return dict(document["options"]["targets"])


def check_options(run: Pipeline) -> None:
    """Find mistakes in labels and metadata before hours of work, not after."""
    _labels_identity(run)


def settings_of(document: dict[str, Any]) -> tuple[dict[str, Any], float | None]:
    """(targets and parents, screen diagonal) that a committed classify stage used."""
    options = document["options"]
    return {"targets": targets_of(document), "parents": options["parents"]}, options["diagonal"]


def _classify(run: Pipeline, folder: str) -> Outcome:
    settings = run.side_file("targets.json", json.dumps(run.memo["settings"]))
    arguments = ["--targets", settings]
    if run.options.screen_diagonal:
        arguments += ["--screen-diagonal", str(run.options.screen_diagonal)]
    inputs = [*run.workspace.parts("extract"), *run.workspace.parts("annotate")]
    counters = run.job("classify", inputs, arguments, ("classify", folder))
    labeler = Labeler(run.memo["settings"]["targets"], run.memo["settings"]["parents"])
    return Outcome(counters, {"missing": labeler.missing()})


def _nothing(run: Pipeline) -> dict[str, Any]:
    return {}


def _count(run: Pipeline, folder: str) -> Outcome:
    return Outcome(run.job("count", run.workspace.parts("classify"), [], ("count", folder)))


def read_counts(run: Pipeline) -> tuple[dict[tuple[str, ...], int], list[Any]]:
    """(counts by key, sample) that the count stage left; bounded by labels², not pictures."""
    counts: dict[tuple[str, ...], int] = {}
    sample: list[Any] = []
    for key, value in _lines(run.workspace.parts("count")):
        if key == ["sample"]:
            sample = value
        else:
            counts[tuple(key)] = value
    return counts, sample


def _rank_plan(run: Pipeline) -> RankPlan:
    options = run.options
    first, last = parse_ranks(options.ranks)
    side = options.resolution
    near = pixels_per_inch(side, side, options.screen_diagonal) if options.near_model else None
    measure = "ppi" if options.near_model else options.rank_by
    return RankPlan(measure, options.order == "desc", near, first, last)


def _rank_identity(run: Pipeline) -> dict[str, Any]:
    return {"plan": asdict(_rank_plan(run))}


def _rank(run: Pipeline, folder: str) -> Outcome:
    counts, sample = read_counts(run)
    pictures = sum(n for key, n in counts.items() if key[0] == "label")
    plan = plan_ranking(_rank_plan(run), sample, pictures, PICTURES_PER_RANGE)
    path = run.side_file("rank_plan.json", json.dumps(asdict(plan)))
    inputs = run.workspace.parts("classify")
    return Outcome(run.job("rank", inputs, ["--plan", path], ("rank", folder)))


TEMPLATES = tuple(
    path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "mapsight/templates").iterdir())
)

STAGE_TABLE = (
    Stage("plan", (), ("mapsight/plan.py",), _plan_identity, _make_plan),
    Stage(
        "ingest", ("plan",), (JOBS["pack"].path, "mapsight/shards.py"), _ingest_identity, _ingest
    ),
    Stage(
        "extract",
        ("ingest",),
        (
            JOBS["extract"].path,
            "mapsight/extract.py",
            "mapsight/sandbox.py",
            "mapsight/shards.py",
            "mapsight/data/imagenet_to_openimages.csv",
        ),
        _extract_identity,
        _extract,
        _check_share,
    ),
    Stage(
        "annotate",
        (),
        (JOBS["annotate"].path, "mapsight/openimages.py"),
        _annotate_identity,
        _annotate,
    ),
    Stage(
        "classify",
        ("extract", "annotate"),
        (
            JOBS["classify"].path,
            "mapsight/classify.py",
            "mapsight/data/imagenet_to_openimages.csv",
            "mapsight/data/openimages_parents.csv",
        ),
        _labels_identity,
        _classify,
    ),
    Stage("count", ("classify",), (JOBS["count"].path,), _nothing, _count),
    Stage("rank", ("classify", "count"), (JOBS["rank"].path,), _rank_identity, _rank),
    Stage(
        "merge",
        ("extract", "classify", "count", "rank"),
        ("driver/present.py", "mapsight/results.py", "mapsight/accuracy.py"),
        present.merge_identity,
        present.merge,
    ),
    Stage(
        "render",
        ("merge", "extract"),
        ("driver/present.py", "mapsight/report.py", "mapsight/thumbnails.py", *TEMPLATES),
        _nothing,
        present.render,
    ),
)
