"""Directions of classes, and what the classifier makes of embeddings of unit length."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.features.last_layer import LastLayer
from mapsight.records import encode_vector
from mapsight.search.by_words.rank import likeliest, ranked_by_words
from mapsight.search.options import SearchOptions
from mapsight.search.probe_rows import VECTOR
from mapsight.search.question import Question
from mapsight.words.directions import Directions

C, D, LENGTH = 40, 24, 6.0


@pytest.fixture(scope="module")
def layer() -> LastLayer:
    rng = np.random.default_rng(7)
    draw = rng.normal(size=(C, D + 1)).astype(np.float32)
    return LastLayer(draw[:, :D], draw[:, D], LENGTH)


def pictures(n: int) -> np.ndarray:
    x = np.random.default_rng(n).normal(size=(n, D))
    return np.rint(x / np.linalg.norm(x, axis=1, keepdims=True) * 32767).astype(np.int16)


def test_log_odds_are_those_of_the_softmax(layer):
    x = pictures(9)
    logits = (x / 32767 * LENGTH) @ layer.weights.T.astype(float) + layer.bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    share = p[:, [3, 5]].sum(axis=1)
    found = Directions(layer).log_odds(x, (3, 5))
    assert np.allclose(found, np.log(share / (1 - share)), atol=1e-4)


def test_odds_do_not_depend_on_what_is_computed_together(layer):
    known, x = Directions(layer), pictures(33)
    one_by_one = [float(known.log_odds(row[None], (1, 2))[0]) for row in x]
    assert known.log_odds(x, (1, 2)).tolist() == one_by_one


def test_a_class_has_its_own_direction_and_many_share_some(layer):
    known = Directions(layer)
    away = layer.weights - layer.weights.mean(axis=0)
    cosines = known.vectors(range(C), C) @ away.T.astype(float)
    assert (cosines.argmax(axis=1) == np.arange(C)).all()
    few = known.vectors(range(C), 5).astype(float)
    assert few.shape == (5, D)
    assert np.allclose(np.linalg.norm(few, axis=1), 32767, atol=1)


def test_all_classes_together_are_sure(layer):
    assert (Directions(layer).log_odds(pictures(3), range(C)) > 100).all()


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_candidates_that_come_in_shares_are_thinned_to_the_same(layer, shares):
    known, x = Directions(layer), pictures(50)
    question = Question("words", odds=lambda vectors: known.log_odds(vectors, (4,)))
    answers = [[0.0, f"{i:04d}", {VECTOR: encode_vector(row)}] for i, row in enumerate(x)]
    best: list = []
    for share in range(shares):
        best = likeliest(question, best, answers[share::shares], SearchOptions(top_k=6))
    odds = known.log_odds(x, (4,))
    order = sorted(range(50), key=lambda i: (-odds[i], i))[:6]
    assert [name for _, name, _ in best] == [f"{i:04d}" for i in order]
    ranked = ranked_by_words(best, SearchOptions(top_k=6))
    assert [round(score, 9) for score, *_ in ranked] == [
        round(float(1 / (1 + np.exp(-odds[i]))), 9) for i in order
    ]
    least = ranked[2][0]
    assert len(ranked_by_words(best, SearchOptions(top_k=6, min_score=least))) == 3
