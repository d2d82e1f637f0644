"""Sets of verified labels as codes."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pyarrow as pa

from mapsight.browse.layout import TRUTH_MARK
from mapsight.browse.truth_sets import TruthSets

SETS = [["Lion"], ["Lion", "Tiger"], ["Owl"], ["Lion", "Owl"]]
NAMES = pa.array([None, *(TRUTH_MARK.join(one) for one in SETS)], pa.string())


def test_sets_with_any_of_some_labels_are_found():
    sets = TruthSets(NAMES)
    assert sets.with_any({"Tiger"}).tolist() == [False, False, True, False, False]
    assert sets.with_any({"Lion", "Puma"}).tolist() == [False, True, True, False, True]
    assert not sets.with_any(set()).any()


def test_pictures_and_groups_are_counted_by_label():
    sets = TruthSets(NAMES)
    counted = dict(zip(sets.labels, sets.counts(np.array([9, 5, 3, 2, 1])).tolist(), strict=True))
    assert counted == {"Lion": 9, "Tiger": 3, "Owl": 3}
    groups = sets.groups(np.array([7, 7, 8, 8, 8]), np.array([1, 2, 2, 0, 4]))
    assert dict(zip(sets.labels, groups.tolist(), strict=True)) == {"Lion": 2, "Tiger": 2, "Owl": 1}


def test_a_label_that_is_not_in_the_set_contradicts_it():
    labels = ["Lion", "Puma", "Tiger"]
    pairs = [(t, i) for t in range(len(SETS) + 1) for i in range(len(labels) + 1)]
    truth, label = np.array(pairs, np.uint8).T
    found = TruthSets(NAMES).contradict(truth, labels, label)
    expected = [bool(t and i and labels[i - 1] not in SETS[t - 1]) for t, i in pairs]
    assert found.tolist() == [int(one) for one in expected]


def test_nobody_verified_anything():
    sets = TruthSets(pa.array([None], pa.string()))
    assert sets.with_any({"Lion"}).tolist() == [False] and sets.labels == []
    assert sets.counts(np.array([3])).tolist() == []
    assert sets.groups(np.array([1]), np.array([0])).tolist() == []
    assert sets.contradict(np.zeros(2, np.uint8), ["a"], np.ones(2, np.uint8)).tolist() == [0, 0]


def test_many_different_sets_cost_little_time_and_memory():
    labels = [f"Label {i}" for i in range(600)]
    names = [f"Label {i % 600}{TRUTH_MARK}only {i}" for i in range(100_000)]
    sets = TruthSets(pa.array([None, *names], pa.string()))
    truth, label = np.arange(1, 100_001, dtype=np.uint32), np.ones(100_000, np.uint16)
    tracemalloc.start()
    began = time.process_time()
    found = sets.contradict(truth, labels, label)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert int(found.sum()) == 100_000 - 167 and seconds < 1 and peak < 20e6
