"""The stage rank: pictures in order, in their label and over all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage
from driver.stages.outputs import read_counts
from mapsight.labels.ranking import RankPlan, parse_ranks, plan_ranking
from mapsight.workspace.stage_facts import ExtractOptions

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

JOB = Job("mr_jobs.rank_images")
PICTURES_PER_RANGE = 250_000

RANK_BYTES = 700


@dataclass(frozen=True)
class Options:
    """What to rank by, and which ranks to keep."""

    rank_by: str
    order: str
    ranks: str | None
    near_model: bool
    screen_diagonal: float | None


def _rank_plan(run: Pipeline) -> RankPlan:
    from mapsight.features.measures import pixels_per_inch

    options = run.options_of(Options)
    first, last = parse_ranks(options.ranks)
    side = ExtractOptions.of(run.documents["extract"]).resolution
    near = pixels_per_inch(side, side, options.screen_diagonal) if options.near_model else None
    measure = "ppi" if options.near_model else options.rank_by
    return RankPlan(measure, options.order == "desc", near, first, last)


def identity(run: Pipeline) -> dict[str, Any]:
    """What to rank by, and which ranks to keep."""
    return {"plan": asdict(_rank_plan(run))}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Ranks every picture in its label and over all."""
    counts, rows = read_counts(run)
    pictures = sum(n for key, n in counts.items() if key[0] == "label")
    plan = plan_ranking(_rank_plan(run), rows.get(("sample",), []), pictures, PICTURES_PER_RANGE)
    path = run.side_file("rank_plan.json", json.dumps(asdict(plan)))
    inputs = run.workspace.parts("classify")
    size = RANK_BYTES * pictures
    return Outcome(run.job(JOB, inputs, ["--plan", path], ("rank", folder), shuffled=size))


STAGE = Stage(
    __name__,
    perform,
    needs=("classify", "count"),
    jobs=(JOB,),
    identity=identity,
)
