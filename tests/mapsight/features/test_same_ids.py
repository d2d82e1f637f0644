"""Which of several records keeps an image_id: usable before unusable, names only while alone."""

from __future__ import annotations

import itertools

import pytest

from mapsight.features.same_ids import order_of, with_own_ids
from mapsight.inputs.image_ids import is_named, source_id

ID = "00000000deadbeef"


def settled(*records):
    """(own id, source, error) of records given as (source, error, named), in input order."""
    values = [
        (order_of(record, number, named=named), record, named)
        for number, (source, error, named) in enumerate(records)
        for record in [{"source": source} | ({"error": error} if error else {})]
    ]
    found = with_own_ids(ID, sorted(values, key=lambda value: value[0]))
    return [(own, record["source"], record.get("error")) for own, record, _ in found]


@pytest.mark.parametrize("error", ["not_an_image", "no_image", "corrupt", "truncated", "bad_shard"])
def test_a_record_that_cannot_be_used_costs_no_other(error):
    for named in (False, True):
        found = settled(("Label/x.txt", error, named), ("x.jpg", None, named))
        assert found == [(ID, "x.jpg", None), (ID, "Label/x.txt", error)]


def test_of_given_ids_the_first_usable_one_stays():
    found = settled(("a", "empty", False), ("b", None, False), ("c", None, False))
    assert found == [(ID, "b", None), (ID, "c", "duplicate_id"), (ID, "a", "empty")]


def test_pictures_that_share_a_name_all_get_ids_of_their_own():
    records = [(f"{camera}/{ID}.jpg", None, True) for camera in ("left", "centre", "right")]
    expected = {(source_id(source), source, None) for source, _, _ in records}
    for order in itertools.permutations(records):
        assert set(settled(*order)) == expected


def test_a_name_that_is_alone_among_usable_pictures_is_the_id():
    assert settled((f"{ID}.jpg", None, True), (f"{ID}.txt", "not_an_image", True))[0][0] == ID


def test_a_name_gives_way_to_an_id_that_was_given():
    found = settled((f"{ID}.jpg", None, True), ("table#0", None, False))
    assert found == [(ID, "table#0", None), (source_id(f"{ID}.jpg"), f"{ID}.jpg", None)]


def test_one_source_named_twice_is_one_picture_and_keeps_its_name():
    found = settled((f"{ID}.jpg", None, True), (f"{ID}.jpg", None, True))
    assert found == [(ID, f"{ID}.jpg", None), (ID, f"{ID}.jpg", "duplicate_id")]


def test_one_source_named_twice_among_others_is_still_one():
    found = settled(("a", None, True), ("b", None, True), ("a", None, True))
    assert sorted(found, key=repr) == sorted(
        [
            (source_id("a"), "a", None),
            (source_id("a"), "a", "duplicate_id"),
            (source_id("b"), "b", None),
        ],
        key=repr,
    )


def test_shared_names_are_counted():
    values = [(order_of({"source": s}, 0, named=True), {"source": s}, True) for s in ("a", "b")]
    assert [shared for *_, shared in with_own_ids(ID, sorted(values))] == [True, True]


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("x/00000000DEADBEEF.jpg", True),
        ("a.tar#00000000deadbeef.png", True),
        ("https://a.example/00000000deadbeef.jpg?s=1", True),
        ("x/cat.jpg", False),
    ],
)
def test_an_id_is_a_name_where_the_source_has_it(source, named):
    assert is_named(ID, source) is named
    assert not is_named(source_id(source), source)
