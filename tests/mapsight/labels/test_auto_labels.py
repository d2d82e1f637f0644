"""mapsight.labels.auto_labels: labels that a collection chooses."""

from __future__ import annotations

import doctest
import random

import pytest

from mapsight.labels import auto_labels
from mapsight.labels.auto_labels import choose_labels, enough
from mapsight.labels.labeler import (
    Labeler,
    class_matches,
    class_named,
    resolve_targets,
)
from mapsight.records import OTHER

TABBY, TIGER_CAT, PERSIAN, TENCH, SITE = (
    *("n02123045", "n02123159", "n02123394"),
    *("n01440764", "n06359193"),
)
CLASSES = sorted(class_matches())


def made_up(seed: int, pictures: int = 2000) -> dict[str, int]:
    rng = random.Random(seed)
    counts: dict[str, int] = {}
    for _ in range(pictures):
        name = CLASSES[min(int(rng.expovariate(0.02)), len(CLASSES) - 1)]
        counts[name] = counts.get(name, 0) + 1
    return counts


def test_examples_in_docstrings():
    assert doctest.testmod(auto_labels).failed == 0


def test_a_class_with_enough_pictures_is_a_label_of_its_own():
    assert choose_labels({TENCH: 60, SITE: 40}) == {"Tench": "/m/066gdc", "Website": "/m/085n4"}


def test_what_is_too_little_is_rolled_up():
    few = dict.fromkeys((TABBY, TIGER_CAT, PERSIAN), 4)
    labels = choose_labels({**few, TENCH: 488})
    assert next(iter(labels)) == "Tench"
    labeler = Labeler(labels)
    (above,) = {labeler.label_of(name) for name in few}
    assert above in labels and above not in ("Tench", OTHER)


def test_without_any_picture_there_is_no_label():
    assert choose_labels({}) == {}


@pytest.mark.parametrize("seed", range(4))
def test_each_label_has_enough_by_the_best_class_alone(seed):
    counts = made_up(seed)
    labels = choose_labels(counts)
    labeler = Labeler(labels)
    given = dict.fromkeys((*labels, OTHER), 0)
    for name, n in counts.items():
        given[labeler.label_of(name)] += n
    least = enough(sum(counts.values()))
    assert len(labels) <= 100 and given[OTHER] < 0.1 * sum(counts.values())
    # a class with several above it goes to the first; the labeler may take another
    assert sum(n < least for label, n in given.items() if label != OTHER) <= len(labels) // 10


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_counts_does_not_matter(seed):
    counts = made_up(seed)
    other_way = dict(reversed(list(counts.items())))
    assert list(choose_labels(counts).items()) == list(choose_labels(other_way).items())


def test_every_class_that_is_printed_has_a_name_that_can_be_asked():
    labels = choose_labels(dict.fromkeys(CLASSES, 1))
    finest = {one.label for one in map(class_named, CLASSES) if one.label}
    for name in (*labels, *sorted(finest)):
        assert list(resolve_targets([name])) == [name]


def test_classes_of_another_model_are_mids():
    assert choose_labels({"/m/096mb": 7, "/m/07dm6": 8}) == {
        "Tiger": "/m/07dm6",
        "Lion": "/m/096mb",
    }


def test_where_no_class_has_enough_the_most_frequent_are_labels():
    counts = {f"part {number:03d}": 3 + (number < 5) for number in range(200)}
    chosen = choose_labels(counts)
    assert list(chosen) == [f"part {number:03d}" for number in range(20)]
    assert choose_labels(dict(reversed(counts.items()))) == chosen
    assert choose_labels({}) == {}


def test_a_class_called_other_is_no_label():
    assert choose_labels({"Other": 50, "n02129604": 60}) == {"Tiger": class_named("tiger").mid}
