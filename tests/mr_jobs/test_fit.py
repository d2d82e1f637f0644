"""The jobs that split examples, fit a head and calibrate it."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mapsight.labels.examples import SPLITS, Leaks
from mapsight.labels.fit_sums import plan_fit
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.records import encode_embedding
from mr_jobs.calibrate_head import MRCalibrateHead
from mr_jobs.fit_head import MRFitHead
from mr_jobs.split_examples import MRSplitExamples
from tests.support.feature_records import LEOPARD, LION, REJECTED, classify, feature
from tests.support.jobs import Records, run_and_read, spread, write_json


def joined_pictures(count: int = 240) -> Records:
    """Lions lie along one axis, others along another; every 20th has a twin in another split."""
    made = []
    for number in range(count):
        lion = number % 3 == 0
        x = np.abs(np.random.default_rng(number).standard_normal(16)) / 2 + np.eye(16)[int(lion)]
        labels = [[LION if lion else LEOPARD, 1.0, "verification"]]
        boxes = [[LION, 0, 1, 0, 1, 0, 0, 0, number % 2, 0]]
        subset = ["train", "train", "validation", "test"][number // 6 % 4]
        record = feature(number, subset=subset, embedding=encode_embedding(x))
        record["annotation"] = {"labels": labels, "boxes": boxes}
        if number % 20 == 13:
            record["dhash"] = f"{number - 12:016x}"
        made.append((f"{number:016x}", record))
    alone = [("y", {"orphan": "annotation"}), (made[0][0], {"orphan": "picture"})]
    return [*made, ("x", REJECTED), *alone]


def split_examples(folder: Path, targets: Path, files: int):
    inputs = spread(folder, joined_pictures(), files)
    found, _ = run_and_read(folder, MRSplitExamples, "--targets", targets, *inputs)
    counts: Counter = Counter()
    for key, value in found:
        if key[0] != "twin":
            counts[tuple(key)] += value
    return counts, {key[1]: value for key, value in found if key[0] == "twin"}


@pytest.mark.parametrize("files", [1, 4])
def test_examples_are_counted_and_twins_found(tmp_path, targets, labeler, files):
    groups: dict[str, list] = {}
    for key, record in joined_pictures()[:-3]:
        split = SPLITS.index(record["subset"])
        groups.setdefault(record["dhash"], []).append((split, key))
    left = {key: split for rows in groups.values() for split, key in rows if split > min(rows)[0]}
    counts, twins = split_examples(tmp_path, targets, files)
    assert {key: value[1] for key, value in twins.items()} == left
    assert len(left) == 12
    assert sum(n for key, n in counts.items() if key[0] == "class") == 240 - len(left)


@pytest.fixture
def fit_arguments(tmp_path, targets) -> list[object]:
    (tmp_path / "counted").mkdir()
    counts, twins = split_examples(tmp_path / "counted", targets, 1)
    plan = plan_fit(counts, list(DEFAULT_TARGETS))
    Leaks({int(v[0], 16): v[2] for v in twins.values()}).save(tmp_path / "leaks.npz")
    planned = write_json(tmp_path / "plan.json", asdict(plan))
    return ["--targets", targets, "--plan", planned, "--leaks", tmp_path / "leaks.npz"]


def fit(folder: Path, arguments: list[object], files: int):
    folder.mkdir()
    inputs = spread(folder, joined_pictures(), files)
    found, counters = run_and_read(folder, MRFitHead, *arguments, *inputs)
    return dict(found), counters["examples"]


def test_the_head_is_the_same_to_the_last_bit_however_it_is_split(tmp_path, fit_arguments):
    whole, counters = fit(tmp_path / "1", fit_arguments, 1)
    for files in (2, 8):
        assert fit(tmp_path / str(files), fit_arguments, files) == (whole, counters)
    trained = [r for _, r in joined_pictures()[:-3] if r["subset"] == "train"]
    assert counters["fitted"] + counters["left_out"] == len(trained)
    assert counters["left_out"] > 0


def test_a_fitted_head_knows_lions(tmp_path, targets, fit_arguments):
    found, _ = fit(tmp_path / "1", fit_arguments, 2)
    (tmp_path / "head.npz").write_bytes(base64.b64decode(found["head"]))
    (tmp_path / "tried.npy").write_bytes(base64.b64decode(found["tried"]))
    head = ["--head", tmp_path / "head.npz"]
    records, _ = classify(tmp_path, targets, joined_pictures(), *head)
    labels = [(r["label"], r["truth"][0]) for _, r in records if "label" in r]
    assert sum(a == b for a, b in labels) > 220
    inputs = spread(tmp_path, joined_pictures(), 3)
    more = ["--tried", tmp_path / "tried.npy", *fit_arguments[:2], *fit_arguments[4:]]
    counted, _ = run_and_read(tmp_path, MRCalibrateHead, *head, *more, *inputs)
    tested = {key: value[1] for key, value in split_examples(tmp_path, targets, 1)[1].items()}
    n = sum(r.get("subset") == "validation" and k not in tested for k, r in joined_pictures())
    assert sum(value for (kind, _, _), value in counted if kind == "label") == n
