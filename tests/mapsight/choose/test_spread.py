"""Farthest-first against a greedy choice that compares all with all."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.choose.spread import farthest_first
from mapsight.index.cosines import cosines


def brute(x: np.ndarray, count: int) -> list[int]:
    """The next is the one whose most alike among the chosen is the least alike; ties the first."""
    alike, chosen = cosines(x, x), [0]
    while len(chosen) < min(count, len(x)):
        left = [i for i in range(len(x)) if i not in chosen]
        chosen.append(min(left, key=lambda i: (alike[i, chosen].max(), i)))
    return chosen


def vectors(seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).integers(-3000, 3000, (40, 6)).astype(np.int16)
    x[5::7] = x[4::7][: len(x[5::7])]
    x[9] = 0
    return x


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 11, 40, 99])
def test_it_is_the_greedy_choice(seed, count):
    x = vectors(seed)
    assert farthest_first(x, count).tolist() == brute(x, count)


def test_it_is_within_twice_the_best_cover():
    x = vectors(3)[:9]
    chord = np.sqrt(np.maximum(2 - 2 * cosines(x, x), 0))
    every = [[i, j, k] for i in range(9) for j in range(i) for k in range(j)]
    best = min(chord[:, some].min(axis=1).max() for some in every)
    assert chord[:, farthest_first(x, 3)].min(axis=1).max() <= 2 * best + 1e-12


def test_nothing_is_chosen_of_nothing():
    assert farthest_first(np.zeros((0, 4), np.int16), 3).tolist() == []
