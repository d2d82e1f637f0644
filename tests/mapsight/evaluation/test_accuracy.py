from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, recall_score

from mapsight.evaluation.accuracy import (
    accuracy_rows,
    bin_edge,
    class_rows,
    confusion_rows,
    label_rows,
    ppi_bin,
    tally,
    wilson,
)

LABELS = ["Lion", "Tiger", "other"]


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case):
    correct, n = case
    expected = binomtest(correct, n).proportion_ci(method="wilson")
    assert wilson(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("case", [(0, 0), (3, 2), (-1, 4)])
def test_impossible_counts_are_refused(case):
    with pytest.raises(ValueError, match="need 0 <= correct <= n"):
        wilson(*case)


def prediction(label: str, truth: list[str] | None, top5: list[str] | None = None, **more) -> dict:
    found = {"label": label, "truth": truth, "top5_labels": top5 or [label], "absent": []}
    found["split"] = "test"
    return {**found, "top_mid": "/m/1", "top_label": "X", "ppi": 18.0, **more}


def counts(predictions: list[dict]) -> Counter:
    return Counter(key for p in predictions for key in tally(p))


pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)


@given(pairs)
def test_accuracy_and_confusion_agree_with_scikit_learn(rows):
    truth, predicted = zip(*rows, strict=True)
    sums = counts([prediction(p, [t]) for t, p in rows])
    matrix = [[row[label] for label in LABELS] for row in confusion_rows(sums, LABELS)]
    assert matrix == confusion_matrix(truth, predicted, labels=LABELS).tolist()
    recalls = recall_score(truth, predicted, labels=LABELS, average=None, zero_division=0)
    found = [row["accuracy"] or 0 for row in accuracy_rows(sums, LABELS)[:-1]]
    assert found == pytest.approx(recalls, abs=1e-6)
    assert accuracy_rows(sums, LABELS)[-1]["n"] == len(rows)


def test_pictures_without_verified_labels_count_only_as_predicted():
    sums = counts([prediction("Lion", None), prediction("Lion", ["Lion"])])
    assert sums["label", "Lion"] == 2
    assert accuracy_rows(sums, LABELS)[0] | {"low": 0, "high": 0} == {
        "label": "Lion", "n": 1, "correct": 1, "accuracy": 1.0, "low": 0, "high": 0,
    }  # fmt: skip


@pytest.mark.parametrize("split", ["train", "validation"])
def test_pictures_that_a_head_knows_count_for_no_accuracy(split):
    sums = counts([prediction("Lion", ["Lion"], absent=["Tiger"], split=split)])
    assert {key[0] for key in sums} == {"label", "class", "ppi"}


def test_top5_counts_any_class_of_the_label():
    sums = counts([prediction("other", ["Lion"], ["Lion", "other"]), prediction("other", ["Lion"])])
    assert [row["correct"] for row in accuracy_rows(sums, LABELS)] == [0, 0, 0, 0]
    assert [row["correct"] for row in accuracy_rows(sums, LABELS, top5=True)] == [1, 0, 0, 1]


def test_a_picture_of_two_labels_counts_for_both_and_once_in_all():
    rows = accuracy_rows(counts([prediction("Lion", ["Lion", "Tiger"])]), LABELS)
    assert [(row["n"], row["correct"]) for row in rows] == [(1, 1), (1, 0), (0, 0), (1, 1)]


def test_a_label_without_pictures_has_no_accuracy():
    row = accuracy_rows(counts([prediction("Lion", ["Lion"])]), LABELS)[1]
    assert (row["n"], row["accuracy"], row["low"]) == (0, None, None)


def test_verified_absence_is_counted():
    sums = counts([prediction("Lion", None, absent=["Lion", "Tiger"])])
    assert (sums["absent", "Lion", "predicted"], sums["absent", "Tiger", "not"]) == (1, 1)


def test_shares_are_of_all_pictures():
    sums = counts([prediction("Lion", None)] * 3 + [prediction("other", None, top_label="Y")])
    rows = label_rows(sums, {"Lion": "/m/096mb", "Tiger": "/m/07dm6"}, 4)
    assert [(r["label"], r["pictures"], r["share"]) for r in rows] == [
        ("Lion", 3, 0.75), ("Tiger", 0, 0.0), ("other", 1, 0.25),
    ]  # fmt: skip
    assert [r["label"] for r in class_rows(sums, 4)] == ["X", "Y"]


@given(st.floats(0.5, 5000))
def test_a_ppi_lies_in_its_bin(ppi):
    number = ppi_bin(ppi)
    assert bin_edge(number) - 1e-4 <= ppi <= bin_edge(number + 1) + 1e-4
