from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.labels import ranking
from mapsight.labels.ranking import (
    EVERYTHING,
    RangeCounter,
    RankPlan,
    Sample,
    merge_samples,
    numbered,
    parse_ranks,
    plan_ranking,
    sort_key,
)
from mapsight.records import MEASURES

numbers = st.floats(allow_nan=False)


@given(st.lists(numbers, min_size=2))
def test_sort_keys_sort_as_the_numbers_do(values):
    keys = sorted(values, key=lambda v: sort_key(v, False))
    assert keys == sorted(values)
    assert sorted(values, key=lambda v: sort_key(v, True)) == sorted(values, reverse=True)


@given(numbers)
def test_sort_keys_are_sixteen_hex_digits(value):
    assert len(sort_key(value, False)) == 16
    assert int(sort_key(value, True), 16) >= 0


def test_zero_has_one_key_and_nan_none():
    assert sort_key(0.0, False) == sort_key(-0.0, False)
    with pytest.raises(ValueError, match="NaN"):
        sort_key(math.nan, False)


@pytest.mark.parametrize(
    ("text", "ranks"),
    [("100:200", (100, 200)), (":5", (1, 5)), ("3:", (3, None)), (None, (1, None))],
)
def test_ranks_are_parsed(text, ranks):
    assert parse_ranks(text) == ranks


@pytest.mark.parametrize("text", ["5", "0:3", "3:2", "a:b", "1:2:3", ":-1"])
def test_other_ranks_are_refused(text):
    with pytest.raises(ValueError, match="expected FIRST:LAST"):
        parse_ranks(text)


def record(value: float, label: str = "Lion") -> dict:
    return {"label": label, **dict.fromkeys(MEASURES, value)}


def test_ties_are_sorted_by_id():
    plan = RankPlan()
    texts = [plan.sort_text(record(1.5), image_id) for image_id in ("b", "a")]
    assert texts[0] > texts[1]


def test_near_ranks_by_distance_whatever_the_order():
    plan = RankPlan(near=17.8, descending=True)
    order = sorted((17.0, 30.0, 18.0, 17.8), key=lambda v: plan.sort_text(record(v), "x"))
    assert order == [17.8, 18.0, 17.0, 30.0]


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="cannot rank by 'beauty'"):
        RankPlan("beauty")


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.integers(1, 5),
    st.integers(1, 20),
    st.booleans(),
)
def test_ranges_and_offsets_number_everything(values, tasks, per_range, descending):
    """What tasks send, sorted range by range as Hadoop does; ranks must be global."""
    pictures = [(f"{i:016x}", record(float(v))) for i, v in enumerate(values)]
    sample = Sample()
    for image_id, row in pictures:
        sample.add(image_id, row)
    plan = plan_ranking(RankPlan(descending=descending), sample.rows(), len(pictures), per_range)
    ranges: dict[str, list] = {}
    for task in range(tasks):
        counter = RangeCounter(plan)
        sent = [entry for picture in pictures[task::tasks] for entry in counter.entries(*picture)]
        for (group, number), value in [*sent, *counter.headers()]:
            ranges.setdefault(number, []).extend([value] if group == EVERYTHING else [])
    ranked = sorted(row for rows in ranges.values() for row in numbered(sorted(rows), plan))
    expected = sorted(plan.sort_text(row, image_id) for image_id, row in pictures)
    assert [fields["image_id"] for _, fields in ranked] == [text[16:] for text in expected]
    assert [int(rank) for rank, _ in ranked] == list(range(1, len(pictures) + 1))


def test_equal_values_are_cut_too():
    rows = [[i, f"{i:016x}", "Lion", *[7.0] * len(MEASURES)] for i in range(1000)]
    plan = plan_ranking(RankPlan(), rows, 1_000_000, 100_000)
    counter = RangeCounter(plan)
    sizes = [0] * 10
    for i in range(1000):
        sizes[counter.add("Lion", plan.sort_text(record(7.0), f"{i:016x}"))] += 1
    assert sizes == [100] * 10


def test_a_sample_does_not_depend_on_order_or_grouping(monkeypatch):
    monkeypatch.setattr(ranking, "SAMPLE_SIZE", 20)
    pictures = [(f"{i:016x}", record(float(i))) for i in range(200)]

    def rows(part):
        sample = Sample()
        for picture in part:
            sample.add(*picture)
        return sample.rows()

    whole = rows(pictures)
    random.Random(1).shuffle(pictures)
    assert len(whole) == 20
    assert whole == merge_samples(rows(pictures[i::7]) for i in range(7))
