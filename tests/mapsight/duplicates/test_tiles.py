"""Tiles, their views, and the hash that is known of each view."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.fft import dctn

from mapsight.duplicates.keys import bands_of
from mapsight.duplicates.tiles import (
    BANDS,
    SIDE,
    VIEWS,
    bits_apart,
    contrast,
    hashes_of,
    signs_of,
    tile_of,
    view,
    view_of_signs,
    views,
)
from tests.support.duplicate_records import tile_text

TILES = arrays(np.uint8, (SIDE, SIDE))
NUMBERS = st.integers(0, VIEWS - 1)
RNG = np.random.default_rng(3)
NOISE = RNG.integers(0, 256, (SIDE, SIDE), np.uint8)


@given(TILES, NUMBERS)
def test_the_hash_of_a_view_is_known_from_that_of_the_picture(tile, number):
    assert (signs_of(view(tile, number)[None]) == view_of_signs(signs_of(tile[None]), number)).all()
    assert hashes_of(view(tile, number))[0] == hashes_of(tile)[number]


def test_signs_are_those_of_the_cosine_transform():
    tiles = RNG.integers(0, 256, (5, SIDE, SIDE), np.uint8)
    exact = dctn(tiles.astype(float), axes=(1, 2), norm="ortho")[:, :8, :8]
    exact[:, 0, 0] = 0
    large = abs(exact) > 20
    assert (np.sign(exact)[large] == signs_of(tiles)[large]).all()
    assert large.mean() > 0.7


def test_the_views_are_the_eight_ways_to_lay_a_square():
    square = np.array([[1, 2], [3, 4]])
    turned = [np.rot90(square, n) for n in range(4)]
    expected = {one.tobytes() for one in (*turned, *(one[:, ::-1] for one in turned))}
    assert {np.ascontiguousarray(one[0]).tobytes() for one in views(square[None])} == expected
    assert view(square, 1).tolist() == [[2, 1], [4, 3]]
    assert view(square, 2).tolist() == [[3, 4], [1, 2]]
    assert view(square, 4).tolist() == [[1, 3], [2, 4]]


@given(TILES)
def test_a_tile_is_read_as_it_was_written_and_contrast_is_its_deviation(tile):
    assert (tile_of(tile_text(tile)) == tile).all()
    assert contrast(tile[None])[0] == pytest.approx(tile.std(), abs=1e-9)


def buckets(tile: np.ndarray) -> set[tuple]:
    return {tuple(key) for key, _ in bands_of(["n", "s", tile_text(tile), "v"])}


@given(NUMBERS)
def test_a_picture_and_its_views_meet_in_every_bucket(number):
    assert buckets(view(NOISE, number)) == buckets(NOISE)
    assert len(buckets(NOISE)) == BANDS


def test_pictures_that_meet_are_laid_alike():
    for number in range(VIEWS):
        one, other = (dict(map(first, bands_of(row(t)))) for t in (NOISE, view(NOISE, number)))
        assert one == other


def first(bucketed):
    key, entry = bucketed
    tile = view(tile_of(entry[4]), entry[1])
    return tuple(key), (entry[0], tile.tobytes())


def row(tile: np.ndarray) -> list:
    return ["n", "s", tile_text(tile), "v"]


@given(st.integers(0, (1 << 63) - 1), st.lists(st.integers(0, 62), max_size=3))
def test_hashes_that_differ_in_three_bits_share_a_band(number, flips):
    other = number
    for bit in flips:
        other ^= 1 << bit
    one, two = (f"{x:016x}" for x in (number, other))
    assert any(one[at : at + 4] == two[at : at + 4] for at in range(0, 16, 4))
    assert bits_apart(one, two) == bin(number ^ other).count("1")
