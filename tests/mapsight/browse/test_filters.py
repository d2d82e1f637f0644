"""Filters as texts and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.browse.filter_values import DUPLICATES, MEASURES, TEXTS, FilterError
from mapsight.browse.filters import NAMES, Filters
from mapsight.labels.flags import FLAG_NAMES

NUMBERS = st.floats(-1e15, 1e15)
WORDS = st.lists(st.text(min_size=1, max_size=20), max_size=4)
FILTERS = st.builds(
    Filters.of,
    **dict.fromkeys(TEXTS, WORDS),
    **{f"{side}_{name}": st.none() | NUMBERS for name in MEASURES for side in ("min", "max")},
    cell=st.lists(st.integers(0, 16383), max_size=4),
    region=st.just(()) | st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=6),
    flag=st.lists(st.sampled_from(FLAG_NAMES), max_size=3),
    without_flag=st.lists(st.sampled_from(FLAG_NAMES), max_size=3),
    no_flags=st.booleans(),
    unsure=st.booleans(),
    disputed=st.booleans(),
    duplicates=st.sampled_from(DUPLICATES),
)


def query(words):
    found: dict[str, list[str]] = {}
    for name, value in words:
        found.setdefault(name, []).append(value)
    return found


@given(FILTERS)
@settings(max_examples=50)
def test_what_is_written_is_read_again(filters):
    words = filters.words()
    again = Filters.parse(query(words))
    assert again == filters and again.words() == words == sorted(words)
    assert hash(again) == hash(filters)


@given(FILTERS)
@settings(max_examples=20)
def test_the_order_of_values_does_not_matter(filters):
    assert Filters.parse(query(reversed(filters.words()))) == filters


def test_nothing_is_written_of_what_is_left_empty():
    assert Filters().words() == [] and Filters.parse({}) == Filters()
    assert Filters.of(label="Lion", min_ppi=5, unsure=True).words() == [
        ("label", "Lion"),
        ("min_ppi", "5"),
        ("unsure", "1"),
    ]


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), st.lists(st.text(), max_size=3)))
def test_odd_queries_are_read_or_refused_by_name(texts):
    try:
        Filters.parse(texts)
    except FilterError as error:
        assert error.field in texts


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("min_ppi", "nan", "a number in plain digits"),
        ("min_ppi", "1_0", "a number in plain digits"),
        ("max_bytes", "1e99", "a number up to 1e+15"),
        ("min_pp", "1", "no filter; did you mean min_ppi?"),
        ("unsure", "yes", "1 or 0"),
        ("cell", "-1", "a whole number, 0 or more"),
        ("duplicates", "none", "one of all, hide, only"),
        ("region", "0,0,1", "as many x as y"),
        ("region", "0,0,1,1", "3 to 256 corners"),
        ("label", "", "a text of 1 to 300 letters"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_is_allowed(name, value, allowed):
    with pytest.raises(FilterError) as refused:
        Filters.parse({name: value})
    assert refused.value.field == name and allowed in str(refused.value)


def test_a_number_is_given_once_and_values_are_not_endless():
    for texts in ({"min_ppi": ["1", "2"]}, {"label": [str(i) for i in range(101)]}):
        with pytest.raises(FilterError, match=r"once|at most 100"):
            Filters.parse(texts)


def test_a_filter_of_python_has_values_of_its_kind():
    for wrong in ({"label": [1]}, {"cell": "3"}, {"unsure": 1}, {"min_ppi": "5"}, {"lable": "x"}):
        with pytest.raises(FilterError):
            Filters.of(**wrong)
