from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.labels.examples import (
    SPLITS,
    Example,
    Leaks,
    count_examples,
    example_in,
    example_of,
    split_of,
    style_of,
)
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler

LABELER = Labeler(DEFAULT_TARGETS)
LION = DEFAULT_TARGETS["Lion"]


def box(depiction: int) -> list:
    return [LION, 0.1, 0.2, 0.1, 0.2, 0, 0, 0, depiction, 0]


@pytest.mark.parametrize(
    ("flags", "style"),
    [
        ([], ""),
        ([-1, -1], ""),
        ([0], "photo"),
        ([1, 1, 0], "drawing"),
        ([1, 0], ""),
        ([1, -1], "drawing"),
    ],
)
def test_most_boxes_of_known_depiction_say_the_style(flags, style):
    assert style_of(map(box, flags)) == style


@pytest.mark.parametrize(
    ("published", "split"),
    [("train", "train"), ("Validation", "validation"), ("val", "validation"), ("test", "test")],
)
def test_the_published_subset_is_the_split(published, split):
    assert split_of({"subset": published, "sha256": "0" * 64}) == split


def test_without_subsets_seventy_fifteen_fifteen_by_the_bytes():
    rng = np.random.default_rng(0)
    found = Counter(split_of({"sha256": rng.bytes(32).hex()}) for _ in range(4000))
    share = {split: found[split] / 4000 for split in SPLITS}
    assert share == pytest.approx({"train": 0.7, "validation": 0.15, "test": 0.15}, abs=0.03)


def test_an_example_is_what_people_verified():
    labels = [[LION, 1.0, "verification"], [DEFAULT_TARGETS["Tiger"], 0.0, "verification"]]
    record = {
        "sha256": "f" * 64,
        "dhash": "0a",
        "annotation": {"labels": labels, "boxes": [box(1)]},
    }
    expected = Example("test", ("Lion",), ("Tiger",), "drawing", "0a")
    assert example_of(record, LABELER) == expected
    assert example_of({"error": "corrupt"}, LABELER) is None
    assert not example_of({"sha256": "f" * 64, "dhash": "0a"}, LABELER).useful


def test_an_example_serves_in_its_own_split_if_it_teaches_anything():
    labels = {"labels": [[LION, 1.0, "verification"]]}
    record = {"sha256": "f" * 64, "dhash": "0a", "annotation": labels}
    assert example_in("test", record, LABELER) == example_of(record, LABELER)
    assert example_in("train", record, LABELER) is None
    assert example_in("test", {**record, "annotation": {}}, LABELER) is None
    assert example_in("test", {"orphan": "annotation"}, LABELER) is None


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),  # dhash
        st.integers(0, 2),
        st.text("abc", min_size=1, max_size=3),
        st.lists(st.sampled_from(["Lion", "Tiger"]), max_size=2, unique=True),
        st.sampled_from(["photo", "drawing", ""]),
    )
)


@given(ROWS)
def test_no_two_equal_pictures_stay_on_two_sides(rows):
    groups = defaultdict(list)
    for dhash, *rest in rows:
        groups[dhash].append(rest)
    counts: Counter = Counter()
    left = sum(len(list(count_examples(sorted(group), counts))) for group in groups.values())
    kept = [row for group in groups.values() for row in group if row[0] == min(group)[0]]
    assert left == len(rows) - len(kept) == sum(counts["left_out", s] for s in SPLITS)
    labels = Counter(("class", SPLITS[s], label, style) for s, _, ls, style in kept for label in ls)
    assert {key: n for key, n in counts.items() if key[0] == "class"} == labels


def test_leaks_leave_out_the_twins_of_what_stays_elsewhere(tmp_path):
    Leaks({10: SPLITS.index("test"), 2**64 - 1: SPLITS.index("validation")}).save(
        tmp_path / "l.npz"
    )
    leaks = Leaks.load(tmp_path / "l.npz")

    def left(split: str, dhash: str) -> bool:
        return leaks.leave_out(Example(split, (), (), "", dhash))

    assert [left("train", f"{10:016x}"), left("test", f"{10:016x}")] == [True, False]
    assert [left("train", "f" * 16), left("validation", "f" * 16)] == [True, False]
    assert not left("train", f"{11:016x}")
    assert not Leaks().leave_out(Example("train", (), (), "", "0"))
