"""How good the index is for a sample of its pictures: what it finds, reads, and puts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from driver.pipeline.pipeline import Pipeline
from driver.stages.recall import exact_answers
from mapsight.search.credits import known_predictions
from mapsight.search.recall import DEPTH, Precision, Recall
from mapsight.search.search_index import SearchIndex

__all__ = ["measure_index"]

VERIFIED = "verified"


def measure_index(
    run: Pipeline,
    index: SearchIndex,
    sample: Sequence[dict[str, Any]],
    d: int,
    probes: Sequence[int],
) -> tuple[Recall, Precision]:
    """Search exactly for a sample, by vectors of d numbers.

    Args:
        sample: rows as `driver.stages.recall.sample_rows` gives them.
        probes: numbers of cells.

    Returns:
        The share of the true answers that each number of cells finds, and how many of these have
        label, style and verified label of the query.
    """
    recall, precision = Recall(index.cells.rows, probes), Precision()
    top: dict[str, list[str]] = {}
    added: set[str] = set()
    for row, ranked, answers in exact_answers(run, index, sample, d):
        fields = [one for *_, one in answers]
        recall.add(ranked, [one["cell"] for one in fields])
        precision.add({kind: row[kind] or "" for kind in ("label", "style")}, fields)
        top[row["image_id"]] = [image_id for _, image_id, _ in answers[:DEPTH]]
        added |= {row["image_id"]} if row["part"] else set()
        added |= {image_id for _, image_id, one in answers[:DEPTH] if "part" in one}
    _add_verified(run, precision, top, added)
    return recall, precision


def _add_verified(
    run: Pipeline, precision: Precision, top: Mapping[str, Sequence[str]], added: Set[str]
) -> None:
    """Add precision by labels that people verified, of query and answer, where results have them.

    A picture with several counts for each; answers of which nothing was verified do not count,
    nor do pictures that were added.
    """
    ids = {*top, *(image_id for answers in top.values() for image_id in answers)} - added
    rows = known_predictions(run.workspace, ids, ("truth",))
    truth = {image_id: row["truth"] for image_id, row in rows.items() if row["truth"]}
    for image_id, answers in top.items():
        answered = [truth[answer] for answer in answers if answer in truth]
        for label in truth.get(image_id, ()) if answered else ():
            same = [{VERIFIED: label if label in labels else ""} for labels in answered]
            precision.add({VERIFIED: label}, same)
