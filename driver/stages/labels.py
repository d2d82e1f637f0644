"""The stages that make labels of features: annotate, classify, count, rank."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from typing import Any

from driver.errors import Failure, UsageError
from driver.pipeline.pipeline import Outcome, Pipeline
from driver.pipeline.uploads import drop_others, manifest_lines
from driver.stages.head_file import check_given_head, given_targets, head_arguments
from driver.stages.plan import dataset_of
from mapsight.features.measures import pixels_per_inch
from mapsight.inputs.find import Found
from mapsight.labels.labeler import Labeler, resolve_targets
from mapsight.labels.ranking import RankPlan, parse_ranks, plan_ranking
from mapsight.openimages import dataset as openimages
from mapsight.openimages.join import FEATURES, Selection
from mapsight.results.predictions import records_of

__all__ = [
    "annotate",
    "annotate_identity",
    "check_options",
    "classify",
    "classify_identity",
    "count",
    "drop_old_uploads",
    "joined_parts",
    "rank",
    "rank_identity",
    "read_counts",
    "settings_of",
    "targets_of",
]

PICTURES_PER_RANGE = 250_000
FEATURE_BYTES, PREDICTION_BYTES, RANK_BYTES = 4500, 1000, 700


def _metadata(run: Pipeline) -> list[tuple[str, Found]]:
    dataset = dataset_of(run)
    if dataset is None:
        return []
    return [(kind, file) for kind in ("labels", "boxes", "images") for file in dataset.files[kind]]


def annotate_identity(run: Pipeline) -> dict[str, Any]:
    """The metadata files, and which pictures to go on with."""
    return {
        "files": [[kind, f.source, f.bytes, f.stamp] for kind, f in _metadata(run)],
        "selection": asdict(_selection(run)),
    }


def _selection(run: Pipeline) -> Selection:
    options = run.options
    labels: dict[str, str] = {}
    if options.only_labels:
        names, above = _vocabulary(run)
        try:
            labels = resolve_targets(options.only_labels, names)
        except ValueError as error:
            raise UsageError(f"--only-labels: {error}") from None
        if not dataset_of(run):
            raise UsageError("--only-labels needs labels: name a folder with --openimages")
        return Selection(
            labels, options.min_confidence, options.subset, options.license, parents=above
        )
    return Selection({}, options.min_confidence, options.subset, options.license)


def annotate(run: Pipeline, folder: str) -> Outcome:
    """Joins pictures with what the metadata says of them; nothing to do without any."""
    files, selection = _metadata(run), _selection(run)
    splits = [split for kind, file in files for split in openimages.csv_splits(file, kind)]
    if not splits and selection.everything:
        return Outcome(notes={"digest": "nothing", "uploads": {}})
    lines, copies = manifest_lines(run, splits)
    features = run.workspace.parts("extract")
    lines += [json.dumps(asdict(openimages.CsvSplit(uri, FEATURES, 0, 0))) for uri in features]
    size = sum(max(file.bytes, 0) for _, file in files)
    size += FEATURE_BYTES * run.documents["extract"]["counters"]["images"]["read"]
    arguments = ["--selection", run.side_file("selection.json", json.dumps(asdict(selection)))]
    arguments += [] if splits else ["--no-metadata"]
    output = ("annotate", folder)
    job = run.job("annotate", run.manifest(lines), arguments, output, shuffled=size)
    left_out = job.get("images", {}).get("not_selected", 0)
    if left_out and left_out == run.documents["extract"]["counters"]["images"]["extracted"]:
        raise Failure(f"none of {left_out:,} pictures fulfils {_conditions(run)}")
    return Outcome(job, {"uploads": copies})


def _conditions(run: Pipeline) -> str:
    """The conditions of the command line, as they may be typed."""
    options, said = run.options, []
    if options.only_labels:
        confidence = f"--min-confidence {options.min_confidence:g}"
        said.append(f"--only-labels {' '.join(options.only_labels)} with {confidence}")
    if options.subset:
        said.append(f"--subset {' '.join(options.subset)}")
    if options.license:
        said.append(f"--license {options.license}")
    return " and ".join(said)


def joined_parts(run: Pipeline) -> list[str]:
    """Feature records: those that were selected, with their annotations, where there are any.

    In an addition, those that are new to the index.
    """
    new = run.workspace.parts("known") if "known" in run.documents else []
    return new or run.workspace.parts("annotate") or run.workspace.parts("extract")


def drop_old_uploads(run: Pipeline) -> None:
    """Remove copies of inputs that are not this run's."""
    names = (
        run.documents[stage]["notes"].get("uploads", {}).values()
        for stage in ("ingest", "explore", "annotate")
        if stage in run.documents
    )
    drop_others(run, itertools.chain.from_iterable(names))


def classify_identity(run: Pipeline) -> dict[str, Any]:
    """Targets by name and the hierarchy, kept as a small file for jobs."""
    try:
        names, above = _vocabulary(run)
        targets = resolve_targets(run.options.target_labels, names)
    except ValueError as error:
        raise UsageError(f"--target-labels: {error}") from None
    if run.options.head:
        targets = given_targets(run, targets)
    run.memo["settings"] = {"targets": targets, "parents": above}
    diagonal = run.options.screen_diagonal
    return {"targets": list(targets.items()), "parents": above, "diagonal": diagonal}


def _vocabulary(run: Pipeline) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """(MID by name, parents by MID) of the collection's own metadata, read once."""
    if "vocabulary" not in run.memo:
        dataset = dataset_of(run)
        names = openimages.read_descriptions(dataset.files["descriptions"]) if dataset else {}
        above = openimages.read_hierarchy(dataset.files["hierarchy"]) if dataset else {}
        run.memo["vocabulary"] = names, above
    return run.memo["vocabulary"]


def targets_of(document: dict[str, Any]) -> dict[str, str]:
    """MID by target label of a committed classify stage, in the order they were named."""
    return dict(document["options"]["targets"])


def check_options(run: Pipeline) -> None:
    """Find mistakes in labels and metadata before hours of work, not after."""
    classify_identity(run)
    annotate_identity(run)
    if run.options.head and not run.options.model:
        check_given_head(run, vars(run.options))


def settings_of(document: dict[str, Any]) -> tuple[dict[str, Any], float | None]:
    """(targets and parents, screen diagonal) that a committed classify stage used."""
    options = document["options"]
    return {"targets": targets_of(document), "parents": options["parents"]}, options["diagonal"]


def classify(run: Pipeline, folder: str) -> Outcome:
    """Maps features to labels, beside what people verified."""
    settings = run.side_file("targets.json", json.dumps(run.memo["settings"]))
    arguments = ["--targets", settings, *head_arguments(run)]
    if run.options.screen_diagonal:
        arguments += ["--screen-diagonal", str(run.options.screen_diagonal)]
    size = PREDICTION_BYTES * run.documents["extract"]["counters"]["images"]["read"]
    output = ("classify", folder)
    counters = run.job("classify", joined_parts(run), arguments, output, shuffled=size)
    labeler = Labeler(run.memo["settings"]["targets"], run.memo["settings"]["parents"])
    classes = run.documents["extract"]["notes"]["classes"] or None
    return Outcome(counters, {"missing": labeler.missing(classes)})


def count(run: Pipeline, folder: str) -> Outcome:
    """Sums labels, hits and misses."""
    return Outcome(run.job("count", run.workspace.parts("classify"), [], ("count", folder)))


def read_counts(
    run: Pipeline,
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], list[Any]]]:
    """(counts by key, rows by key: sample and examples) that the count stage left.

    Memory: bounded by labels², not pictures.
    """
    counts: dict[tuple[str, ...], int] = {}
    rows: dict[tuple[str, ...], list[Any]] = {}
    for key, value in records_of(run.workspace.parts("count")):
        if isinstance(value, list):
            rows[tuple(key)] = value
        else:
            counts[tuple(key)] = value
    return counts, rows


def _rank_plan(run: Pipeline) -> RankPlan:
    options = run.options
    first, last = parse_ranks(options.ranks)
    side = run.documents["extract"]["options"]["resolution"]
    near = pixels_per_inch(side, side, options.screen_diagonal) if options.near_model else None
    measure = "ppi" if options.near_model else options.rank_by
    return RankPlan(measure, options.order == "desc", near, first, last)


def rank_identity(run: Pipeline) -> dict[str, Any]:
    """What to rank by, and which ranks to keep."""
    return {"plan": asdict(_rank_plan(run))}


def rank(run: Pipeline, folder: str) -> Outcome:
    """Ranks every picture in its label and over all."""
    counts, rows = read_counts(run)
    pictures = sum(n for key, n in counts.items() if key[0] == "label")
    plan = plan_ranking(_rank_plan(run), rows.get(("sample",), []), pictures, PICTURES_PER_RANGE)
    path = run.side_file("rank_plan.json", json.dumps(asdict(plan)))
    inputs = run.workspace.parts("classify")
    size = RANK_BYTES * pictures
    return Outcome(run.job("rank", inputs, ["--plan", path], ("rank", folder), shuffled=size))
