"""The stage known of an addition: pictures that the index has already are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.outputs import joined_parts
from driver.stages.recall import removed_arguments
from mapsight.workspace.stage_facts import PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE"]

MATCH = Job("mr_jobs.match_images")
DROP = Job("mr_jobs.drop_images", reduces=False)
ID_BYTES = 60
SHOWN = 5


@dataclass(frozen=True)
class Options:
    """The number of the addition."""

    part: int


def identity(run: Pipeline) -> dict[str, Any]:
    """What the index holds and hides."""
    from mapsight.search.search_index import SearchIndex

    return {"index": run.facts[SearchIndex].digest, "part": run.options_of(Options).part}


def perform(run: Pipeline, folder: str) -> Outcome:
    """Finds ids that are there already, and writes the records of the other pictures.

    Where all are new nothing is written: the records stay where they are.
    """
    from mapsight.index.known_ids import KnownPlan
    from mapsight.index.layout import IDS_PER_FILE
    from mapsight.index.removed_ids import MOST_IDS, id_table, write_ids_file
    from mapsight.results.predictions import records_of
    from mapsight.search.search_index import SearchIndex

    index = run.facts[SearchIndex]
    pictures = PictureCounts.of(run.documents["extract"]).extracted
    buckets = max(-(-pictures // IDS_PER_FILE), index.facts.buckets, 1)
    plan = KnownPlan(buckets, [(part.number, part.ids_uris()) for part in index.parts])
    arguments = ["--plan", run.side_file("known.json", plan.to_json())]
    arguments += removed_arguments(index.removed)
    records = joined_parts(run)
    output = run.collect(MATCH, records, arguments, ID_BYTES * pictures)
    n = run.collected.get("images", {}).get("known", 0)
    if not n:
        return Outcome({"images": {"known": 0}}, {"digest": "nothing", "first": []})
    require(n <= MOST_IDS, f"{n:,} of these pictures are in the index already; name the new ones")
    part = run.options_of(Options).part + 1
    table = id_table((image_id, part) for _, image_id in records_of(output))
    path = run.scratch / "known.arrow"
    write_ids_file(table, str(path))
    run.job(DROP, records, ["--removed", str(path)], ("known", folder))
    first = sorted(table.column("image_id").to_pylist())[:SHOWN]
    return Outcome({"images": {"known": n}}, {"first": first})


STAGE = Stage(
    __name__, perform, needs=("extract", "annotate"), jobs=(MATCH, DROP), identity=identity
)
