"""Evaluation against scikit-learn, scipy, pandas and values worked out by hand."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm, pearsonr
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from mapsight.evaluation import counts as evaluation
from mapsight.evaluation import quality
from mapsight.evaluation.counts import EXAMPLES, Evaluation, merge_examples
from mapsight.evaluation.quality import quality_facts, quantiles, size_rows, stratified_trend, trend
from mapsight.evaluation.sums import Sums
from mapsight.evaluation.tables import (
    average_precision,
    calibration_error,
    evaluation_rows,
    group_rows,
    mcnemar,
    reliability_rows,
    strength_rows,
)
from tests.support.predictions import LABELS, MADE, counted, prediction


@pytest.fixture(scope="module")
def sums() -> Sums:
    return Sums(counted(MADE).counts)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rows = [{**one, "truth": one["truth"][0]} for one in MADE]
    return pd.DataFrame(rows).assign(
        right=lambda f: f.label == f.truth, by_model=lambda f: f.model_label == f.truth
    )


def column(rows: list[dict], name: str) -> list:
    return [row.get(name) for row in rows]


@pytest.mark.parametrize("module", [evaluation, quality])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("who", ["", "model_"])
def test_precision_recall_and_f1_are_those_of_scikit_learn(sums, frame, split, who):
    part = frame[frame.split == split]
    expected = precision_recall_fscore_support(
        part.truth, part[f"{who}label"], labels=LABELS, zero_division=0
    )
    rows = evaluation_rows(sums, LABELS, split)
    for name, values in zip(("precision", "accuracy", "f1", "n"), expected, strict=True):
        found = column(rows[:-1], name if name == "n" else f"{who}{name}")
        assert found == pytest.approx(values.tolist(), abs=1e-6)


def test_all_has_the_share_of_pictures_and_means_of_labels(sums, frame):
    *rows, total = evaluation_rows(sums, LABELS, "test")
    part = frame[frame.split == "test"]
    assert total["accuracy"] == pytest.approx(part.right.mean(), abs=1e-6)
    assert total["model_accuracy"] == pytest.approx(part.by_model.mean(), abs=1e-6)
    assert total["f1"] == pytest.approx(np.mean(column(rows, "f1")), abs=1e-6)
    assert total["recall"] == pytest.approx(np.mean(column(rows, "accuracy")), abs=1e-6)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_average_precision_is_scikit_learns_within_the_error_told(sums, frame, split):
    part = frame[frame.split == split]
    for row in evaluation_rows(sums, LABELS, split)[:-1]:
        scores = [one[row["label"]] for one in part.scores]
        exact = average_precision_score(part.truth == row["label"], scores)
        assert 0 < row["average_precision_error"] < 0.02
        assert abs(row["average_precision"] - exact) <= row["average_precision_error"] + 1e-6


bins = st.dictionaries(st.integers(-9, 9), st.tuples(st.integers(0, 9), st.integers(0, 9)))


@given(bins.filter(lambda found: any(yes for yes, _ in found.values())))
def test_a_bin_is_a_tie_of_scores(scored):
    scores, shown = [], []
    for number, (yes, no) in scored.items():
        scores += [number] * (yes + no)
        shown += [1] * yes + [0] * no
    found, error = average_precision(scored)
    assert found == pytest.approx(average_precision_score(shown, scores), abs=1e-9)
    assert error >= 0


def test_a_verified_negative_counts_against_precision_only():
    one = {"label": "Lion", "truth": None, "absent": ["Lion"], "split": "test"}
    made = [prediction(1, **one), prediction(2, **{**one, "truth": ["Lion"], "absent": []})]
    row = evaluation_rows(Sums(counted(made).counts), LABELS, "test")[0]
    assert (row["n"], row["accuracy"], row["given"], row["precision"]) == (1, 1.0, 2, 0.5)


def test_groups_are_those_of_pandas(sums, frame):
    rows = list(group_rows(sums, LABELS, "test"))
    by = frame[frame.split == "test"].groupby(["truth", "style_truth"])[["right", "by_model"]]
    expected = {key: tuple(row) for key, *row in by.sum().itertuples()}
    found = {
        (row["value"], row["style"]): (row["correct"], row["model_correct"])
        for row in rows
        if row["group"] == "label" and row["style"]
    }
    assert found == expected


def test_the_style_head_is_counted_by_verified_style(sums, frame):
    rows = [row for row in group_rows(sums, LABELS, "test") if row["group"] == "style head"]
    part = frame[(frame.split == "test") & frame.style_truth.notna()]
    right = (part["style"] == part.style_truth).groupby(part.style_truth).agg(["sum", "count"])
    expected = [tuple(right.loc[style]) for style in ("photo", "drawing")]
    assert [(row["correct"], row["n"]) for row in rows] == expected


def test_what_was_fitted_on_counts_for_the_model_alone(sums, frame):
    rows = [row for row in size_rows(sums, "all") if row["group"] == "ppi" and not row["style"]]
    assert sum(column(rows, "n")) == len(frame)
    assert set(column(rows, "correct")) == {None}
    assert sum(column(rows, "model_correct")) == frame.by_model.sum()


def test_groups_of_size_hold_what_their_edges_say(sums, frame):
    part = frame[frame.split == "test"]
    for row in size_rows(sums, "test"):
        size = part[row["group"]]
        chosen = part[(size >= row["from"] - 0.005) & (size < row["to"] + 0.005)]
        chosen = chosen[chosen.style_truth == row["style"]] if row["style"] else chosen
        assert abs(len(chosen) - row["n"]) <= 1  # an edge is rounded
        assert abs(chosen.right.sum() - row["correct"]) <= 1


@given(st.dictionaries(st.integers(-50, 50), st.integers(1, 90), min_size=1), st.integers(1, 6))
def test_quantiles_are_all_bins_in_order(held, parts):
    groups = quantiles(held, parts)
    assert len(groups) <= parts
    numbers = [x for first, last in groups for x in sorted(held) if first <= x <= last]
    assert numbers == sorted(held)


pairs = st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=3, max_size=60)
pairs = pairs.filter(lambda rows: len({x for x, _ in rows}) > 1 and len({y for _, y in rows}) > 1)


@given(pairs)
def test_a_trend_is_the_correlation_of_size_and_success(rows):
    x, y = np.array(rows, float).T
    held = {int(v): (int((x == v).sum()), int(y[x == v].sum())) for v in set(x)}
    z, p = trend(held)
    r = pearsonr(x, y).statistic
    assert z == pytest.approx(r * np.sqrt(len(x)), abs=1e-6)
    assert p == pytest.approx(2 * norm.sf(abs(z)), abs=1e-9)


@given(pairs)
def test_one_stratum_is_the_trend_with_one_degree_less(rows):
    x, y = np.array(rows, float).T
    stratum = (len(x), x.sum(), (x * x).sum(), y.sum(), (x * y).sum())
    expected = pearsonr(x, y).statistic * np.sqrt(len(x) - 1)
    assert stratified_trend([stratum])[0] == pytest.approx(expected, abs=1e-6)


def test_a_label_that_is_small_and_never_right_makes_a_trend_but_none_within_labels():
    small = [prediction(n, truth=["Lion"], label="other", ppi=9.0 + n) for n in range(9)]
    large = [prediction(n, truth=["Tiger"], label="Tiger", ppi=50.0 + n) for n in range(9)]
    made = [{**one, "split": "test", "style_truth": "photo"} for one in small + large]
    fact = quality_facts(Sums(counted(made).counts), head=False)[0]
    assert (fact["measure"], fact["n"], fact["smallest"]["correct"]) == ("ppi", 18, 0)
    assert fact["trend"]["p"] < 0.001
    assert fact["within"] == {"z": 0.0, "p": 1.0}


def test_the_trend_within_labels_is_that_of_pandas(sums, frame):
    part = frame.assign(x=np.floor(np.log2(frame.ppi) * 16), y=frame.by_model.astype(float))
    gap = variance = 0.0
    for _, rows in part.groupby(["truth", part.style_truth.fillna("")]):
        x, y = rows.x - rows.x.mean(), rows.y
        gap += (x * y).sum()
        variance += (x**2).sum() * y.var()
    fact = next(f for f in quality_facts(sums, head=True) if f["by"] == "model")
    assert fact["within"]["z"] == pytest.approx(gap / np.sqrt(variance), abs=1e-4)


@pytest.mark.parametrize("kind", ["label", "style"])
def test_reliability_is_that_of_pandas(sums, frame, kind):
    part = frame[(frame.split == "test") & (frame.style_truth.notna() | (kind == "label"))]
    p = part.score if kind == "label" else part.style_score
    y = part.right if kind == "label" else part.style_truth == "drawing"
    by = pd.DataFrame({"p": p, "y": y}).groupby(np.minimum((p * 10).astype(int), 9))
    rows = [r for r in reliability_rows(sums) if (r["kind"], r["split"]) == (kind, "test")]
    assert column(rows, "n") == by.size().tolist()
    assert column(rows, "mean_score") == pytest.approx(by.p.mean().tolist(), abs=1e-6)
    assert column(rows, "share") == pytest.approx(by.y.mean().tolist(), abs=1e-6)
    gap = (by.size() * (by.p.mean() - by.y.mean()).abs()).sum() / len(part)
    assert calibration_error(sums, kind, "test") == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize("case", [(0, 0), (3, 0), (14, 2), (40, 55), (700, 600), (600, 600)])
def test_mcnemar_is_a_binomial_test(case):
    n = sum(case)
    expected = binomtest(case[0], n).pvalue if n else 1.0
    assert mcnemar(*case) == pytest.approx(expected, rel=1e-9 if n <= 1000 else 0.02)


def test_strengths_have_no_accuracy_where_none_was_tried():
    curve = [{"lambda": x, "gcv": 0.1, "degrees_of_freedom": 2.0} for x in (0.1, 1.0)]
    tried = [{"lambda": 0.1, "n": 4, "correct": 3}]
    head = {"class_ridge": {"curve": curve}, "validation": {"accuracy_by_lambda": tried}}
    rows = list(strength_rows(head))
    assert column(rows, "accuracy") == [0.75, None] and column(rows, "n") == [4, 0]


# ---- examples

SHOWN = {"quality": 0.5, "dhash": "0f" * 8, "flags": ["dark"]}


def test_suspects_are_the_most_confident_verified_negatives_first():
    known = {"label": "Lion", "split": "train"}
    made = [
        prediction(0, **known, truth=["Tiger"], score=0.99),
        prediction(1, **known, truth=["Lion"], score=0.99),
        prediction(2, **known, truth=None, absent=["Lion"], score=0.6),
        prediction(3, **known, truth=["Tiger"], absent=["Lion"], score=0.7),
        prediction(4, **known, truth=None, absent=["Lion"], score=0.4),
        prediction(5, **known, truth=["Tiger"], score=0.99),
    ]
    rows = counted(made).examples["suspects",]
    assert [row[-1] for row in rows] == ["0003", "0002", "0000", "0005"]


def test_examples_are_bounded_and_the_same_however_pictures_are_split():
    made = [
        prediction(n, label="Lion", truth=["Tiger"], split="test", score=0.9, **SHOWN)
        for n in range(99)
    ]
    whole = counted(made)
    parts = [Evaluation(), Evaluation()]
    for number, one in enumerate(made):
        parts[number % 2].add(f"{number:04d}", one)
    assert {key[0]: len(rows) for key, rows in whole.examples.items()} == EXAMPLES
    for key, rows in whole.examples.items():
        merged = merge_examples(key[0], [part.examples[key] for part in parts])
        assert json.dumps(merged) == json.dumps(rows)
    assert parts[0].counts + parts[1].counts == +whole.counts


def test_the_best_and_the_worst_are_those_of_their_label_and_of_all():
    marks = [("Lion", 0.2, 0.9), ("Tiger", 0.7, 0.1), ("Lion", 0.5, 0.4)]
    made = [
        prediction(n, **{**SHOWN, "label": label, "quality": quality, "score": score})
        for n, (label, quality, score) in enumerate(marks)
    ]
    found = {key: [row[1] for row in rows] for key, rows in counted(made).examples.items()}
    assert found["best", "Lion"] == ["0002", "0000"] == found["unsure", "Lion"]
    assert found["best", "*"] == ["0001", "0002", "0000"] == found["worst", "*"][::-1]
    assert counted(made).counts["flag", "dark"] == 3 == counted(made).counts["flag", "any"]


def test_only_test_pictures_are_examples_of_confusion():
    made = [prediction(n, label="Lion", truth=["Tiger"], split="validation") for n in range(9)]
    assert set(counted(made).examples) <= {("suspects",)}


def test_without_a_head_other_is_no_reason_to_suspect():
    made = [prediction(0, label="other", truth=["Lion"], split="test", score=0.99)]
    for name in ("scores", "model_label", "style", "style_score"):
        del made[0][name]
    found = counted(made)
    assert set(found.examples) == {("confused", "Lion", "other")}
    row = evaluation_rows(Sums(found.counts), LABELS, "test")[-1]
    assert "model_accuracy" not in row and row["accuracy"] == 0.0
