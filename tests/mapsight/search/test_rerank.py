"""Answers by PPI and by maximal marginal relevance."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.search.rerank import by_ppi, diverse


def answers(scores, **fields):
    """Answers a, b, c, … of these scores; dHashes far from each other."""
    rows = []
    for i, score in enumerate(scores):
        known = {name: values[i] for name, values in fields.items()}
        rows.append([score, "abcdefgh"[i], {"dhash": f"{15 << 4 * i:016x}", **known}])
    return rows


def test_by_ppi_takes_the_highest_of_the_most_alike():
    found = by_ppi(answers([0.9, 0.8, 0.7, 0.6], ppi=[5.0, 9.0, None, 9.0]), 3)
    assert [name for _, name, _ in found] == ["b", "d", "a"]


def test_marginal_relevance_worked_by_hand():
    """b is as good as a but like it (cosine .8), c is worse and unlike both.

    After a: b is worth .7·.9 − .3·.8 = .39, c .7·.6 − .3·0 = .42.
    """
    x = np.array([[1000, 0, 0], [800, 600, 0], [0, 0, 1000]])
    found = diverse(answers([0.95, 0.9, 0.6]), x, 3)
    assert [(name, fields["copies"]) for _, name, fields in found] == [
        ("a", 0),
        ("c", 0),
        ("b", 0),
    ]


def test_near_duplicates_are_one_answer_with_a_count():
    """b is 3 bits of dHash from a, c nearly parallel to a, d is 4 bits off and at 60°."""
    x = np.array([[1000, 0, 0], [0, 1000, 0], [995, 0, 100], [500, 0, 866]])
    dhash = ["0" * 16, f"{0b111:016x}", "f" * 16, f"{0b1111:016x}"]
    found = diverse(answers([0.9, 0.8, 0.7, 0.6], dhash=dhash), x, 4)
    assert [(name, fields["copies"]) for _, name, fields in found] == [("a", 2), ("d", 0)]


def test_pictures_without_a_dhash_are_no_copies_of_each_other():
    found = diverse(answers([0.9, 0.8], dhash=[None, None]), np.eye(2, dtype=int), 2)
    assert [fields["copies"] for *_, fields in found] == [0, 0]


def greedy(scores, alike, top_k):
    """Maximal marginal relevance as the paper writes it."""
    chosen: list[int] = []
    while len(chosen) < min(top_k, len(scores)):
        left = [i for i in range(len(scores)) if i not in chosen]
        worth = [0.7 * scores[i] - 0.3 * max([alike[i][j] for j in chosen] or [0]) for i in left]
        chosen.append(left[int(np.argmax(worth))])
    return chosen


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 9))
def test_marginal_relevance_is_that_of_the_paper(seed, n, top_k):
    rng = np.random.default_rng(seed)
    x = rng.integers(-99, 100, (n, 40))
    scores = sorted(rng.random(n).tolist(), reverse=True)
    unit = x / np.linalg.norm(x, axis=1)[:, None]
    found = diverse(answers(scores), x, top_k)
    expected = greedy(scores, (unit @ unit.T).tolist(), top_k)
    assert ["abcdefgh".index(name) for _, name, _ in found] == expected
