"""The stage duplicates: pictures that are there twice, in groups with one to be kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import Outcome, Stage, require
from driver.stages.outputs import joined_parts
from mapsight.duplicates.sizes import GroupSizes
from mapsight.workspace.stage_facts import PictureCounts

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["STAGE", "TABLE"]

DRAW = Job("mr_jobs.draw_pivots")
FIND = Job("mr_jobs.find_duplicates", called="duplicates")
JOIN = Job("mr_jobs.join_duplicates")
GROUP = Job("mr_jobs.group_duplicates")
TABLE = "duplicates.csv"
MOST_ROUNDS = 60
PICTURE_BYTES, EDGE_BYTES, COPY_BYTES = 25_000, 200, 3500


@dataclass(frozen=True)
class Options:
    """What counts as near."""

    max_distance: int = 8
    min_cosine: float = 0.8


def identity(run: Pipeline) -> dict[str, Any]:
    """What counts as near."""
    return asdict(run.options_of(Options))


def perform(run: Pipeline, folder: str) -> Outcome:
    """Finds pairs, joins them to groups, and writes duplicates.csv."""
    from mapsight.duplicates.groups import COLUMNS
    from mapsight.results.predictions import merged_records, write_csv

    wanted = identity(run)
    arguments = ["--max-distance", str(wanted["max_distance"])]
    arguments += ["--min-cosine", str(wanted["min_cosine"])]
    pictures = PictureCounts.of(run.documents["extract"]).extracted
    arguments += _pivots(run, pictures)
    size = PICTURE_BYTES * pictures
    place = ("duplicates", folder, "found")
    counters = run.job(FIND, joined_parts(run), arguments, place, shuffled=size)
    counts = dict(counters.get("duplicates", {}))
    rows: list[str] = []
    if counts.get("edges"):
        rows, sums = _grouped(run, folder, run.workspace.addresses(*place), counts["edges"])
        counts |= sums
    target = run.local_folder("duplicates", folder)
    sizes = GroupSizes()
    facts = sizes.passing(facts for _, facts in merged_records(rows))
    write_csv(target / TABLE, COLUMNS, facts)
    run.store(target, "duplicates", folder)
    for name in ("found", "joined", "grouped"):
        run.workspace.drop("duplicates", folder, name)
    return Outcome({"duplicates": counts}, sizes.notes())


def _pivots(run: Pipeline, pictures: int) -> list[str]:
    """Draw embeddings to divide the pictures by, where all with all would be too many pairs."""
    from mapsight.duplicates.keys import pivots_for
    from mapsight.results.predictions import records_of

    wanted = pivots_for(pictures)
    if not wanted:
        return []
    numbers = ["--wanted", str(wanted), "--pictures", str(pictures)]
    output = run.collect(DRAW, joined_parts(run), numbers, 1500 * wanted)
    pivots = [vector for _, vector in sorted(records_of(output))]
    return ["--pivots", run.side_file("pivots.json", json.dumps(pivots))] if pivots else []


def _grouped(
    run: Pipeline, folder: str, found: list[str], edges: int
) -> tuple[list[str], dict[str, int]]:
    """(parts with the facts of every group, sums) of what was found."""
    joined = _joined(run, folder, found, EDGE_BYTES * edges)
    place = ("duplicates", folder, "grouped")
    counters = run.job(GROUP, [*found, *joined], [], place, shuffled=COPY_BYTES * edges)
    return run.workspace.addresses(*place), counters.get("duplicates", {})


def _joined(run: Pipeline, folder: str, edges: list[str], size: int) -> list[str]:
    """Rounds of the stars until nothing changes; the edges of the last."""
    for number in range(1, MOST_ROUNDS + 1):
        place = ("duplicates", folder, "joined", f"{number:02d}")
        counters = run.job(JOIN, edges, [], place, shuffled=size)
        edges = run.workspace.addresses(*place)
        if not counters.get("duplicates", {}).get("changed"):
            return edges
        run.workspace.drop("duplicates", folder, "joined", f"{number - 1:02d}")
    require(False, f"duplicates: not joined after {MOST_ROUNDS} rounds")
    return edges


STAGE = Stage(
    __name__,
    perform,
    needs=("extract", "annotate"),
    jobs=(DRAW, FIND, JOIN, GROUP),
    identity=identity,
    published=True,
)
