"""The job that labels pictures, against the library called directly."""

from __future__ import annotations

import json

from mapsight.labels.classify import Classifier
from tests.support.feature_records import ANNOTATIONS, REJECTED, classify, feature


def test_classify_predicts_what_the_library_predicts(tmp_path, targets, labeler):
    features = [(f"{n:03d}", feature(n)) for n in range(12)]
    records, counters = classify(tmp_path, targets, features)
    classifier = Classifier(labeler)
    expected = [[key, classifier.predict(record)] for key, record in features]
    assert [list(pair) for pair in records] == json.loads(json.dumps(expected))
    assert {record["label"] for _, record in records} == {"Lion"}
    assert counters["images"] == {"classified": 12}


def test_classify_puts_the_truth_beside_the_label(tmp_path, targets):
    joined = [(key, feature(n, annotation=ANNOTATIONS[key])) for n, key in enumerate("abd")]
    records, _ = classify(tmp_path, targets, joined)
    assert [(key, record["truth"], record["absent"]) for key, record in records] == [
        ("a", ["Lion"], []),
        ("b", ["Leopard"], ["Lion"]),
        ("d", None, []),
    ]


def test_classify_passes_on_what_is_no_picture(tmp_path, targets):
    other = [("b", {"orphan": "picture"}), ("c", {"orphan": "annotation"})]
    records, counters = classify(tmp_path, targets, [("a", REJECTED), ("b", feature(2)), *other])
    assert [pair for pair in records if "label" not in pair[1]] == [("a", REJECTED), *other]
    assert counters["images"] == {"classified": 1, "rejected": 1}


def test_classify_takes_the_screen(tmp_path, targets):
    joined = [("a", feature(0, width=300, height=400))]
    records, _ = classify(tmp_path, targets, joined, "--screen-diagonal", 10)
    assert records[0][1]["ppi"] == 50.0
