from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.openimages.sampling import IdFilter, Smallest, hashed, id_of, numbers_in, numbers_of

NUMBERS = st.lists(st.integers(0, 2**64 - 1), max_size=60)


def array(numbers) -> np.ndarray:
    return np.array(numbers, np.uint64)


def splitmix64(number: int) -> int:
    """As its authors wrote it, in whole numbers."""
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
    return number ^ (number >> 31)


def sampled(size: int, *portions) -> list[int]:
    sample = Smallest(size)
    for portion in portions:
        sample.add(array(portion))
    return sample.numbers.tolist()


@given(st.integers(0, 2**64 - 1))
def test_an_id_and_its_number_stand_for_each_other(number: int):
    assert numbers_in(id_of(number).encode()).tolist() == [number]


@given(NUMBERS)
def test_the_order_is_that_of_splitmix64(numbers):
    assert hashed(array(numbers)).tolist() == [splitmix64(number) for number in numbers]


def test_the_order_of_an_id_is_always_the_same():
    # the first output of the published generator for the seed 1234567
    assert hashed(array([1234567])).tolist() == [6457827717110365317]


@given(NUMBERS, st.integers(1, 70))
def test_a_sample_is_the_first_in_the_order(numbers, size: int):
    assert sampled(size, numbers) == sorted(set(numbers), key=splitmix64)[:size]


@given(st.data(), NUMBERS, st.integers(1, 70))
def test_a_sample_depends_on_neither_order_nor_portions(data, numbers, size: int):
    mixed, at = data.draw(st.permutations(numbers)), data.draw(st.integers(0, 60))
    assert sampled(size, mixed[:at], [], mixed[at:], mixed[:7]) == sampled(size, numbers)


@given(NUMBERS, st.integers(1, 30), st.integers(0, 30))
def test_a_smaller_sample_begins_a_larger_one(numbers, size: int, more: int):
    assert sampled(size + more, numbers)[:size] == sampled(size, numbers)


@given(NUMBERS, st.integers(1, 70))
def test_a_full_sample_says_so(numbers, size: int):
    sample = Smallest(size)
    sample.add(array(numbers))
    assert sample.full == (len(set(numbers)) >= size)


@given(NUMBERS)
def test_a_filter_admits_all_that_was_added(numbers):
    found = IdFilter(10)
    found.add(array(numbers))
    assert found.admits(array(numbers)).all()


def test_a_filter_admits_hardly_anything_else():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 2**64, (2, 20_000), np.uint64)
    found = IdFilter(20)  # 2% of the bits: 7.3% set, of which four are met by 3 in 100,000
    found.add(ids[0])
    assert found.admits(ids[1]).sum() <= 5


def test_cells_that_are_no_ids_are_passed_over():
    cells = [b"00000000000000aa", b"", None, b"xyz", b"00000000000000BB", b"0" * 17, b"g" * 16]
    numbers, places = numbers_of(pa.array(cells, pa.binary()).slice(0))
    assert (numbers.tolist(), places.tolist()) == ([0xAA, 0xBB], [0, 4])


def test_cells_of_a_slice_are_those_of_the_slice():
    cells = pa.array([id_of(n).encode() for n in range(9)], pa.binary())
    assert numbers_of(cells.slice(3, 4))[0].tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("text", [b"0123", b"zzzzzzzzzzzzzzzz"])
def test_what_is_no_id_is_refused(text: bytes):
    with pytest.raises(ValueError, match=r"expected 16|no hex digit"):
        numbers_in(text)
