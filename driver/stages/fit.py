"""The stage fit: a head from the labels that people verified, where there are enough."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.head_file import GivenHead, check_given_head, given_head
from driver.stages.outputs import joined_parts
from mapsight.files import sha256_of
from mapsight.labels.labeler import Labels
from mapsight.records import OTHER
from mapsight.workspace.stage_facts import ExtractOptions, PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.labels.fit_sums import FitPlan
    from mapsight.labels.head import Head

__all__ = ["STAGE"]

SPLIT = Job("mr_jobs.split_examples")
FIT = Job("mr_jobs.fit_head")
CALIBRATE = Job("mr_jobs.calibrate_head")
EXAMPLE_BYTES = 100
TRIED = "tried.npy"


@dataclass(frozen=True)
class Options:
    """Whether to fit."""

    no_fit: bool


def identity(run: Pipeline) -> dict[str, Any]:
    """Whether to fit, and for what."""
    if run.options_of(GivenHead).head:
        return {"given": given_head(run).sha256}
    return {"fit": not run.options_of(Options).no_fit, **vars(run.facts[Labels])}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Fits a head, if there are two classes of verified examples, or keeps the one given."""
    target = run.local_folder("fit", folder)
    if run.options_of(GivenHead).head:
        check_given_head(run, vars(ExtractOptions.of(run.documents["extract"])))
        _keep(given_head(run).head, target)
        run.store(target, "fit", folder)
        return Outcome(notes={"given": given_head(run).sha256})
    unlabelled = not run.facts[Labels].targets  # they are chosen later
    if run.options_of(Options).no_fit or unlabelled or not run.workspace.parts("annotate"):
        return Outcome(notes={"digest": "nothing"})
    settings = run.side_file("targets.json", run.facts[Labels].to_json())
    plan, counts, leaks = _split(run, settings, target)
    kinds = {label for label, _, _ in plan.classes}
    if len(kinds) < 2:
        run.store(target, "fit", folder)
        return Outcome(notes={"digest": "nothing", "why": _too_few(counts)})
    counters = _solve(run, settings, plan, leaks, target)
    _calibrate(run, settings, plan, counts, leaks, target)
    run.store(target, "fit", folder)
    return Outcome(counters, {"classes": [list(one) for one in plan.classes]})


def _too_few(counts: Counter[tuple[str, ...]]) -> str:
    n = sum(n for key, n in counts.items() if key[:2] == ("class", "train"))
    return f"{n} verified training pictures are too few to fit a head on"


def _split(
    run: Pipeline, settings: str, target: Path
) -> tuple[FitPlan, Counter[tuple[str, ...]], str]:
    """Count examples; (what to fit, counts, file of those that are on two sides)."""
    from mapsight.labels.examples import SPLITS, Leaks
    from mapsight.labels.fit_sums import plan_fit
    from mapsight.results.predictions import records_of, write_csv

    size = EXAMPLE_BYTES * PictureCounts.of(run.documents["extract"]).read
    output = run.collect(SPLIT, joined_parts(run), ["--targets", settings], size)
    counts: Counter[tuple[str, ...]] = Counter()
    kept: dict[int, int] = {}

    def twins() -> Iterator[dict[str, Any]]:
        for key, value in records_of(output):
            if key[0] == "twin":
                dhash, split, other = value
                kept[int(dhash, 16)] = other
                yield {"image_id": key[1], "split": SPLITS[split], "twin_in": SPLITS[other]}
            else:
                counts[tuple(key)] += value

    write_csv(target / "left_out.csv", ("image_id", "split", "twin_in"), twins())
    path = run.scratch / "leaks.npz"
    Leaks(kept).save(path)
    return plan_fit(counts, list(run.facts[Labels].targets)), counts, str(path)


def _solve(
    run: Pipeline, settings: str, plan: FitPlan, leaks: str, target: Path
) -> dict[str, dict[str, int]]:
    """Fit on the training pictures; head and class weights of other strengths go to files.

    Returns what the job counted.
    """
    from mapsight.labels.made_with import HEAD
    from mapsight.results.predictions import records_of

    planned = run.side_file("fit_plan.json", json.dumps(asdict(plan)))
    arguments = ["--targets", settings, "--plan", planned, "--leaks", leaks]
    output = run.collect(FIT, joined_parts(run), arguments)
    for name, text in records_of(output):
        data = base64.b64decode(text)
        (target / HEAD if name == "head" else run.scratch / TRIED).write_bytes(data)
    return run.collected


def _calibrate(
    run: Pipeline,
    settings: str,
    plan: FitPlan,
    counts: Counter[tuple[str, ...]],
    leaks: str,
    target: Path,
) -> None:
    """Make scores probabilities by the validation pictures, and write down how it was done."""
    import numpy as np

    from mapsight.labels.calibrate import tuned
    from mapsight.labels.head import load_head, with_facts
    from mapsight.labels.made_with import HEAD
    from mapsight.labels.solve import LAMBDAS
    from mapsight.results.predictions import records_of

    tried = run.scratch / TRIED
    arguments = ["--targets", settings, "--leaks", leaks]
    arguments += ["--head", str(target / HEAD), "--tried", str(tried)]
    output = run.collect(CALIBRATE, joined_parts(run), arguments)
    found: Counter[tuple[Any, ...]] = Counter()
    for (kind, number, right), n in records_of(output):
        found[kind, number, int(right)] += n
    strengths = len(np.load(io.BytesIO(tried.read_bytes()), allow_pickle=False))
    facts = tuned(found, LAMBDAS[:strengths])
    targets = run.facts[Labels].targets
    fitted = {label for label, _, _ in plan.classes}
    model = ExtractOptions.of(run.documents["extract"])
    facts |= {
        "targets": list(targets.items()),
        "without_class": [label for label in [*targets, OTHER] if label not in fitted],
        "left_out": {key[1]: n for key, n in sorted(counts.items()) if key[0] == "left_out"},
        "model": {
            "alpha": model.alpha,
            "resolution": model.resolution,
            "precision": model.precision,
            "model": model.model,
        },
    }
    head = with_facts(load_head(target / HEAD), **facts)
    _keep(head, target)


def _keep(head: Head, target: Path) -> None:
    """Write a head, and in words what is known of it."""
    from mapsight.labels.head import save_head
    from mapsight.labels.made_with import HEAD

    save_head(head, target / HEAD)
    facts = {**head.about, "sha256": sha256_of(target / HEAD)}
    text = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    (target / "head.json").write_text(text, encoding="utf-8")


STAGE = Stage(
    __name__,
    perform,
    needs=("extract", "annotate"),
    jobs=(SPLIT, FIT, CALIBRATE),
    identity=identity,
)
