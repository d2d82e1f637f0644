"""mapsight.index.oddness: against means in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.index.oddness import ENOUGH, TIMES, Kinds, LabelSums, kinds_of, summed

D = 12


def vectors(n: int, seed: int, spread: float = 0.2) -> np.ndarray:
    """Vectors around a direction of their own, of one length."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=D) + spread * rng.normal(size=(n, D))
    return np.rint(32767 * x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.int16)


LIONS, TIGERS = vectors(60, 1), vectors(40, 2)
X = np.concatenate([LIONS, TIGERS, vectors(5, 3)])
LABELS = ["Lion"] * 60 + ["Tiger"] * 40 + ["other"] * 3 + ["Lion"] * 2


def kinds(parts: int = 1) -> dict:
    told: dict[str, list] = {}
    for part in range(parts):
        sums = LabelSums()
        sums.add(LABELS[part::parts], X[part::parts])
        for label, one in sums.items():
            told.setdefault(label, []).append(one)
    return kinds_of({label: summed(some) for label, some in told.items()})


def test_odd_rows_are_those_far_from_the_mean_of_their_label():
    odd = Kinds(kinds()).odd(LABELS, X)
    assert odd[-2:].all() and not odd[:60].any()


def test_other_is_no_kind():
    assert set(kinds()) == {"Lion", "Tiger"}
    assert not Kinds(kinds()).odd(LABELS, X)[100:103].any()


def test_the_limit_is_that_of_numpy():
    rows = X[[label == "Tiger" for label in LABELS]].astype(float)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    mean = unit.mean(axis=0)
    gaps = 1 - unit @ (mean / np.linalg.norm(mean))
    assert kinds()["Tiger"][1] == pytest.approx(TIMES * gaps.mean(), abs=1e-4)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_any_split_gives_the_same(parts):
    assert kinds(parts) == kinds()


def test_of_few_pictures_none_is_odd():
    sums = LabelSums()
    sums.add(["Lion"] * (ENOUGH - 1), X[: ENOUGH - 1])
    assert kinds_of(dict(sums.items())) == {}


def test_a_row_of_zeros_is_odd_for_any_label():
    assert Kinds(kinds()).odd(["Lion"], np.zeros((1, D), np.int16)).tolist() == [True]


@pytest.mark.parametrize("disturbed", [0, 1, 5])
def test_of_copies_none_is_odd(disturbed):
    x = np.repeat(vectors(1, 4), 25, axis=0)
    x[:disturbed, 0] += 40
    sums = LabelSums()
    sums.add(["Lion"] * 25, x)
    found = Kinds(kinds_of({label: summed([one]) for label, one in sums.items()}))
    assert not found.odd(["Lion"] * 25, x).any()
