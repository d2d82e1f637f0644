"""The stage extract: pictures become features."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import Failure
from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.dataset import Inputs, nothing_found
from driver.stages.model import Model, ModelOptions, model_of
from driver.stages.outputs import shards_of
from mapsight.records import Split
from mapsight.workspace.stage_facts import ExtractNotes, PictureCounts, PlanNotes, UploadNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "check_share"]

EXTRACT = Job("mr_jobs.extract_features")
SETTLE = Job("mr_jobs.settle_ids")
FEATURE_BYTES = 3500


@dataclass(frozen=True)
class Options:
    """What is read beside the shards, the share of pictures that may be of no use, and of which
    addition they are."""

    image_column: str | None
    max_rejected: float
    part: int | None = None


def identity(run: Pipeline) -> dict[str, Any]:
    """The model, by its SHA-256, and what is read beside the shards."""
    model, options = run.facts.add(model_of(run)), run.options_of(Options)
    return {
        "model": model.sha256,
        "alpha": model.alpha,
        "resolution": model.resolution,
        "precision": model.precision,
        "engine": run.options_of(ModelOptions).engine,
        "image_column": options.image_column,
        "names_are_ids": _names_are_ids(run),
        "parquet": _parquet(run),
        **_formats(),
        **({} if options.part is None else {"part": options.part}),
    }


def _formats() -> dict[str, list[str]]:
    """What reads more formats here, and goes to nodes; nothing where nothing is installed."""
    from driver.nodes.pip import installed_formats

    found = installed_formats()
    return {"formats": found} if found else {}


def _names_are_ids(run: Pipeline) -> bool:
    """Whether a file name of 16 digits is an id, as it is in Open Images.

    It makes no difference where the same pictures were found to share no names:
    then they are not extracted again for it.
    """
    wanted = bool(run.options_of(Inputs).openimages)
    committed = run.workspace.committed("extract")
    if committed is None or ExtractNotes.of(committed).shared_names != 0:
        return wanted
    inputs = {name: run.documents[name]["digest"] for name in committed["inputs"]}
    same = inputs == committed["inputs"] and committed["options"]["parquet"] == _parquet(run)
    return bool(committed["options"].get("names_are_ids")) if same else wanted


def _parquet(run: Pipeline) -> list[Any]:
    """The Parquet files that are read where they are, and what tells of their change."""
    plan = PlanNotes.of(run.documents["plan"])
    return [plan.parquet, plan.digest] if plan.parquet else []


def _copied(run: Pipeline, split: dict[str, Any], copies: dict[str, str]) -> Split:
    """A split of the plan, read from the copy in the workspace where there is one."""
    copy = copies.get(split["uri"])
    return Split(**{**split, "uri": run.workspace.within(copy) if copy else split["uri"]})


def perform(run: Pipeline, folder: str) -> Outcome:
    """Maps pictures to features, and keeps the model file beside them."""
    options, plan = run.options_of(Options), PlanNotes.of(run.documents["plan"])
    model = run.facts[Model]
    copies = UploadNotes.of(run.documents["ingest"]).uploads
    splits = [*shards_of(run), *(_copied(run, split, copies) for split in plan.parquet)]
    pictures = sum(split.rows for split in splits)
    if not pictures:
        raise Failure(nothing_found(run))
    arguments = ["--model", str(model.path), "--model-sha256", model.sha256]
    arguments += ["--engine", run.options_of(ModelOptions).engine]
    if model.alpha is not None:
        arguments += ["--alpha", str(model.alpha)]
    arguments += ["--resolution", str(model.resolution)]
    if options.image_column:
        arguments += ["--image-column", options.image_column]
    if _names_are_ids(run):
        arguments.append("--names-are-ids")
    if options.part is not None:
        arguments += ["--part", str(options.part)]
    counters = run.job(
        EXTRACT,
        run.manifest([split.to_json() for split in splits]),
        arguments,
        ("extract", folder),
        total=pictures,
        shuffled=pictures * FEATURE_BYTES,
    )
    shared = counters.get("ids", {}).get("shared", 0)
    if shared and not _names_are_ids(run):
        counters["images"] = _settled(run, folder, counters["images"], pictures)
    _check_sums(counters["images"], pictures)
    kept = run.home.keep(model.path, "model", f"{model.sha256[:16]}-{model.path.name}")
    notes = {"model_file": kept, "classes": model.classes, "shared_names": shared}
    if not model.has_classes:
        notes["has_classes"] = False
    return Outcome(counters, notes)


def _settled(run: Pipeline, folder: str, images: dict[str, int], n: int) -> dict[str, int]:
    """Sort records again, of which some have got other ids; the counters of pictures."""
    found = run.workspace.addresses("extract", folder)
    place = ("extract", folder, "settled")
    counters = run.job(SETTLE, found, [], place, shuffled=n * FEATURE_BYTES)
    for part in found:
        run.workspace.drop_file("extract", folder, part.rsplit("/", 1)[-1])
    left = run.workspace.addresses("extract", folder)
    require(not left, f"extract: {', '.join(left[:3])} cannot be deleted; delete it, and run again")
    return {"read": images["read"], **counters["images"]}


def _check_sums(images: dict[str, int], planned: int) -> None:
    """No picture may vanish."""
    counts = PictureCounts.of_counters(images)
    require(
        counts.read == planned == counts.extracted + counts.rejected,
        f"extract: {planned} pictures were planned, {counts.read} read, {counts.extracted}"
        f" extracted and {counts.rejected} rejected; these must agree",
    )


def check_share(run: Pipeline) -> None:
    """Most pictures must be usable: else something is wrong with the input, not with them."""
    from mapsight.results.predictions import records_of

    counts = PictureCounts.of(run.documents["extract"])
    errors, read, rejected = counts.errors, counts.read, counts.rejected
    if rejected <= run.options_of(Options).max_rejected * read:
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
    if "url_refused" in errors:
        advice += " Addresses that are not public are fetched with --allow-private"
    if "url_disallowed" in errors:
        advice += " What robots.txt or X-Robots-Tag disallows is fetched with --ignore-robots"
    raise Failure(
        f"{rejected} of {read} pictures cannot be used ({worst}), for example {examples}.{advice}"
    )


STAGE = Stage(
    __name__,
    perform,
    needs=("ingest", "fetch"),
    jobs=(EXTRACT, SETTLE),
    identity=identity,
    check=check_share,
)
