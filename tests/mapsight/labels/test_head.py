from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.labels.calibrate import BINS, Tally, calibration_error, logistic, tuned
from mapsight.labels.classify import Classifier
from mapsight.labels.examples import Example
from mapsight.labels.head import (
    FIXED,
    NEW_WEIGHT,
    SEEN_BITS,
    UNIT,
    Head,
    load_head,
    margin,
    save_head,
    seen_place,
)
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler
from mapsight.records import MEASURES, encode_embedding

D = 4
CLASSES = [("Lion", "photo"), ("Lion", "drawing"), ("other", "")]


def make_head(**facts) -> Head:
    """Lion photos lie along axis 0, drawings along 1, others along 2; drawings have 3."""
    weights = np.zeros((3, D), np.int32)
    weights[range(3), range(3)] = FIXED
    style = np.array([-FIXED, FIXED, -FIXED, FIXED], np.int32)
    seen = np.zeros(1 << (SEEN_BITS - 3), np.uint8)
    return Head(
        CLASSES, weights, style, np.zeros(D, np.int32), np.zeros((0, D), np.int32), seen, facts
    )


def unit(*values: float) -> np.ndarray:
    v = np.array(values, float)
    return np.rint(v / np.linalg.norm(v) * UNIT).astype(np.int16)


def test_a_label_has_the_score_of_its_best_class():
    scores = make_head().scores(np.stack([unit(3, 4, 0, 0), unit(0, 0, 1, 0)]))
    assert (scores / (FIXED * UNIT)).round(3).tolist() == [[0.8, 0.0], [0.0, 1.0]]


@given(st.lists(st.integers(-32767, 32767), min_size=D, max_size=D))
def test_scores_are_exact(values):
    head, x = make_head(), np.array(values, np.int16)
    exact = [sum(int(a) * int(b) for a, b in zip(x, w, strict=True)) for w in head.weights]
    assert head.scores(x[None])[0].tolist() == [max(exact[:2]), exact[2]]


def test_the_answer_is_the_best_label_with_a_probability():
    head = make_head(calibration={"label": [2.0, 0.5], "style": [1.0, 0.0]})
    label, probability, scores = head.answer(unit(1, 0, 0, 0))
    assert (label, scores) == ("Lion", {"Lion": 1.0, "other": 0.0})
    assert probability == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-6)
    assert head.style(unit(0, 1, 0, 0)) == (
        "drawing",
        pytest.approx(1 / (1 + np.exp(-1)), abs=1e-6),
    )


def test_new_features_join_the_embedding_with_its_scores():
    found = make_head().new_features(unit(3, 4, 0, 0)[None])[0]
    assert found.dtype == np.int16
    assert (found[:D] == unit(3, 4, 0, 0)).all()
    assert (found[D:] / UNIT).round(3).tolist() == [0.6, 0.0]  # of heads of before
    heavier = make_head(score_weight=NEW_WEIGHT).new_features(unit(3, 4, 0, 0)[None])[0]
    assert heavier[D:].tolist() == [UNIT, 0]


@pytest.mark.parametrize("weight", [1.1, -0.1, float("nan"), "0.6", None, 1e9])
def test_scores_that_int16_cannot_hold_are_refused(tmp_path, weight):
    save_head(make_head(score_weight=weight), tmp_path / "x.npz")
    with pytest.raises(ValueError, match=r"x\.npz: not a class head \(its scores weigh not"):
        load_head(tmp_path / "x.npz")


def test_a_head_comes_back_as_it_was_and_has_the_same_bytes(tmp_path):
    head = make_head(targets=[["Lion", "/m/096mb"]])
    for name in ("a.npz", "b.npz"):
        save_head(head, tmp_path / name)
    again = load_head(tmp_path / "a.npz")
    assert (again.classes, again.about) == (CLASSES, {"targets": [["Lion", "/m/096mb"]]})
    assert (again.weights == head.weights).all()
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a head", b"PK\x03\x04 torn"])
def test_what_is_no_head_is_refused_by_name(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.npz: not a class head"):
        load_head(tmp_path / "x.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.zeros((2, D), np.int32)},
        {"weights": np.zeros((3, D))},
        {"mean": np.zeros(D + 1, np.int32)},
        {"seen": np.zeros(5, np.uint8)},
    ],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path, change):
    head = make_head()
    save_head(Head(**{**vars(head), **change}), tmp_path / "x.npz")
    with pytest.raises(ValueError, match="not a class head"):
        load_head(tmp_path / "x.npz")


def test_pickles_are_not_opened(tmp_path):
    np.savez(tmp_path / "x.npz", about=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match="not a class head"):
        load_head(tmp_path / "x.npz")


def test_what_was_seen_is_known_and_little_else():
    head = make_head()
    for number in range(1000):
        place = seen_place(f"{number:016x}")
        head.seen[place >> 3] |= 1 << (place & 7)
    assert all(head.has_seen(f"{number:016x}") for number in range(1000))
    assert sum(head.has_seen(f"{number:016x}") for number in range(1000, 21_000)) < 20


def test_the_margin_is_the_lead():
    assert margin(np.array([3.0, 1.0, 2.5]) * FIXED * UNIT) == 0.5
    assert margin(np.array([7.0])) == 1.0


# ---- calibration


def test_logistic_is_platts_calibration_of_scikit_learn():
    from sklearn.calibration import _SigmoidCalibration

    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 2, 200)
    right = rng.uniform(size=200) < 1 / (1 + np.exp(-3 * scores + 1))
    theirs = _SigmoidCalibration().fit(scores, right)
    slope, intercept = logistic(scores, (~right).astype(float), right.astype(float))
    assert (slope, intercept) == pytest.approx((-theirs.a_, -theirs.b_), abs=1e-3)


@pytest.mark.parametrize("hit", [0, 1])
def test_logistic_of_one_outcome_is_finite(hit):
    n = np.array([3.0, 5.0])
    slope, intercept = logistic(np.array([0.1, 0.9]), n * (1 - hit), n * hit)
    assert np.isfinite([slope, intercept]).all()


def test_calibration_error_by_hand():
    p = np.array([0.85, 0.15])
    assert calibration_error(p, np.array([1.0, 9.0]), np.array([3.0, 1.0])) == pytest.approx(
        (abs(4 * 0.85 - 3) + abs(10 * 0.15 - 1)) / 14, abs=1e-6
    )


def test_a_tally_counts_hits_by_margin_and_strength():
    head = make_head()
    other = np.stack([head.weights, head.weights[::-1]])
    tally = Tally(head, other)
    tally.add(unit(1, 0, 0, 0), Example("validation", ("Lion",), (), "photo", "0"))
    tally.add(unit(1, 0, 0, 0), Example("validation", None, (), "", "0"))
    assert tally.counts == {
        ("label", BINS, True): 1,
        ("lambda", 0, True): 1,
        ("lambda", 1, False): 1,
        ("style", -BINS, False): 1,
    }


def test_tuned_tells_accuracy_by_strength():
    facts = tuned({("lambda", 0, 1): 3, ("lambda", 0, 0): 1, ("lambda", 1, 0): 4}, [0.1, 1.0])
    assert facts["calibration"] == {}
    assert facts["validation"]["accuracy_by_lambda"] == [
        {"lambda": 0.1, "n": 4, "correct": 3},
        {"lambda": 1.0, "n": 4, "correct": 0},
    ]


# ---- labelling by it


def feature(x: np.ndarray, wnid: str = "n02129165", **fields) -> dict:
    measures = dict.fromkeys(MEASURES, 1.0)
    more = {"width": 5, "height": 4, "format": "JPEG", "dhash": f"{7:016x}", "sha256": "0" * 64}
    more |= {"source": "a.jpg", "shard": "s", "row": 0, "top5": [[wnid, 0.75], ["n01440764", 0.1]]}
    return {**measures, **more, "embedding": encode_embedding(x.astype(float)), **fields}


def predict(record: dict, head: Head | None, **how) -> dict:
    return Classifier(Labeler(DEFAULT_TARGETS), head, **how).predict(record)


def test_the_head_says_the_label_and_the_model_what_it_would_have_said():
    found = predict(feature(unit(0, 0, 1, 0)), make_head())
    assert (found["label"], found["model_label"], found["mid"]) == ("other", "Lion", "")
    assert found["style"] == "photo"


def test_scores_of_all_labels_go_with_pictures_that_were_judged_and_not_fitted_on():
    judged = {"annotation": {"labels": [[DEFAULT_TARGETS["Lion"], 1.0, "verification"]]}}
    cases = (("test", judged, True), ("train", judged, False), ("test", {}, False))
    for subset, fields, told in cases:
        found = predict(feature(unit(0, 0, 1, 0), subset=subset, **fields), make_head())
        assert found.get("scores") == ({"Lion": 0.0, "other": 1.0} if told else None)


def test_labels_that_the_head_does_not_know_keep_the_classes_of_the_model():
    zebra = "n02391049"
    found = predict(feature(unit(0, 0, 1, 0), zebra), make_head())
    assert (found["label"], found["score"]) == ("Zebra", 0.75)
    sure, unsure = ({"calibration": {"label": [slope, 0.0]}} for slope in (2.0, 0.1))
    assert predict(feature(unit(1, 0, 0, 0), zebra), make_head(**sure))["label"] == "Lion"
    assert predict(feature(unit(1, 0, 0, 0), zebra), make_head(**unsure))["label"] == "Zebra"


def test_who_was_fitted_on_is_told_by_the_split_or_by_the_bitmap():
    head, record = make_head(), feature(unit(1, 0, 0, 0), subset="train")
    place = seen_place(record["dhash"])
    assert predict(record, None)["split"] == "test"
    assert predict(record, head)["split"] == "train"
    assert predict(record, head, own=False)["split"] == "test"
    head.seen[place >> 3] |= 1 << (place & 7)
    assert predict(record, head, own=False)["split"] == "train"
