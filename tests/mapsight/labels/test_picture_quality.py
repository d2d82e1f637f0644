"""mapsight.labels.picture_quality: by hand, and on pairs that a person has judged."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.quality.pairs import PAIRS, in_order, read_pairs
from mapsight.labels.picture_quality import quality_of

WHOLE = {"score": 0.9, "entropy": 7.5, "crispness": 1.8, "pixels": 10**6, "flags": []}


@pytest.mark.parametrize(
    ("changed", "quality"),
    [
        ({}, 0.9),
        ({"entropy": 3.5}, 0.45),
        ({"crispness": 0.75}, 0.45),
        ({"pixels": 500 * 375 // 16}, 0.449993),
        ({"flags": ["dark", "document"]}, 0.09),
        ({"score": 0.0}, 0.0),
    ],
)
def test_quality_by_hand(changed, quality):
    assert quality_of({**WHOLE, **changed}) == quality


def test_what_is_not_known_takes_nothing_away():
    assert quality_of({"score": 0.7}) == 0.7


def test_pairs_are_of_sample_pictures_sixty_a_label(openimages_dir: Path):
    with PAIRS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    assert {label: labels.count(label) for label in labels} == dict.fromkeys(labels, 60)
    ids = {row[side] for row in rows for side in "ab"}
    assert all((openimages_dir / f"images/{one}.jpg").is_file() for one in ids)


def test_a_pair_is_in_order_if_the_better_has_the_higher_value():
    pairs = [{"label": "Lion", "a": "x", "b": "y", "better": better} for better in "ab"]
    assert list(in_order(pairs, {"x": 2.0, "y": 1.0})) == [("Lion", 1.0), ("Lion", 0.0)]
    assert list(in_order(pairs, {"x": 1.0, "y": 1.0})) == [("Lion", 0.5)] * 2
    assert list(in_order(pairs, {"x": 1.0})) == []


def test_pairs_without_a_better_one_are_left_out():
    assert len(read_pairs(PAIRS)) == 285
