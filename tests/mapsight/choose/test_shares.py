"""Equal shares, by their properties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mapsight.choose.shares import shares

SIZES = st.lists(st.integers(0, 60), max_size=12)


@given(SIZES, st.integers(1, 400))
def test_as_many_are_taken_as_are_asked_for_and_there(sizes, count):
    taken = shares(sizes, count)
    assert sum(taken) == min(count, sum(sizes))
    assert all(0 <= one <= size for one, size in zip(taken, sizes, strict=True))


@given(SIZES, st.integers(1, 400))
def test_a_group_has_less_than_others_only_if_it_has_no_more(sizes, count):
    taken = shares(sizes, count)
    for one, size in zip(taken, sizes, strict=True):
        assert one == size or one >= max(taken, default=0) - 1


@given(SIZES, st.integers(1, 400))
def test_what_is_over_goes_to_the_largest(sizes, count):
    taken = shares(sizes, count)
    pairs = [(t, s) for t, s in zip(taken, sizes, strict=True) if t < s]
    assert all(a >= b for a, s in pairs for b, z in pairs if s > z)
