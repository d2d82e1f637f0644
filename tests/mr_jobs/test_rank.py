"""The jobs that count labels and rank pictures, against pandas."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from mapsight.evaluation.accuracy import tally
from mapsight.evaluation.counts import Evaluation
from mapsight.labels.ranking import EVERYTHING, RankPlan, Sample
from mr_jobs.count_labels import MRCountLabels
from mr_jobs.rank_images import MRRankImages
from tests.support.feature_records import pandas_ranks
from tests.support.jobs import Records, run_and_read, spread, write_json


@pytest.mark.parametrize("files", [1, 4])
def test_count_sums_every_key(tmp_path, predictions, files):
    expected: Counter = Counter({("error", "corrupt"): 1})
    sample, evaluation = Sample(), Evaluation()
    for key, record in predictions[:-1]:
        expected.update(tally(record))
        sample.add(key, record)
        evaluation.add(key, record)
    expected.update(evaluation.counts)
    kept = {key: json.loads(json.dumps(rows)) for key, rows in evaluation.examples.items()}
    records, _ = run_and_read(tmp_path, MRCountLabels, *spread(tmp_path, predictions, files))
    found = {tuple(key): value for key, value in records}
    assert found.pop(("sample",)) == json.loads(json.dumps(sample.rows()))
    assert found == {**expected, **kept}
    assert len(records) == len(found) + 1


def small_ranges(plan: RankPlan, predictions: Records, each: int) -> RankPlan:
    """The plan with ranges of `each` pictures, for a label and for all."""
    texts = sorted(plan.sort_text(record, key) for key, record in predictions[:-1])
    bounds = {EVERYTHING: texts[each::each], "Lion": texts[each::each]}
    return RankPlan(plan.measure, plan.descending, plan.near, plan.first, plan.last, bounds)


def rank(folder: Path, plan: RankPlan, predictions: Records, files: int) -> Records:
    path = write_json(folder / "plan.json", asdict(plan))
    inputs = spread(folder, predictions, files)
    return run_and_read(folder, MRRankImages, "--plan", path, *inputs)[0]


@pytest.mark.parametrize(("files", "each"), [(1, 50), (1, 7), (4, 7), (4, 1)])
@pytest.mark.parametrize("descending", [True, False])
def test_ranks_are_those_of_pandas(tmp_path, predictions, files, each, descending):
    plan = small_ranges(RankPlan("sharpness", descending), predictions, each)
    ranked: dict[str, dict[int, str]] = {}
    for (group, number), record in rank(tmp_path, plan, predictions, files):
        assert ranked.setdefault(group, {}).setdefault(int(number), record["image_id"])
    expected = pandas_ranks(predictions, "sharpness", descending)
    assert {g: [ids[n] for n in range(1, len(ids) + 1)] for g, ids in ranked.items()} == expected


def test_ranks_are_written_once_and_sorted_in_a_part(tmp_path, predictions):
    plan = small_ranges(RankPlan("ppi"), predictions, 7)
    records = rank(tmp_path, plan, predictions, 3)
    assert len(records) == 2 * 50
    for part in tmp_path.glob("MRRankImages-*/part-*"):
        keys = [line.split(b"\t")[0] for line in part.open("rb")]
        assert keys == sorted(keys)


def test_only_the_ranks_asked_for_are_written(tmp_path, predictions):
    plan = small_ranges(RankPlan("ppi", first=5, last=9), predictions, 2)
    everything = {
        int(number): record["image_id"]
        for (group, number), record in rank(tmp_path, plan, predictions, 3)
        if group == EVERYTHING
    }
    expected = pandas_ranks(predictions, "ppi", True)[EVERYTHING]
    assert everything == {number: expected[number - 1] for number in range(5, 10)}


def test_a_ranked_picture_says_what_it_was_ranked_by(tmp_path, predictions):
    plan = RankPlan("ppi", near=3.0)
    for _, record in rank(tmp_path, plan, predictions, 1):
        assert record["value"] == round(abs(record["ppi"] - 3.0), 6)
