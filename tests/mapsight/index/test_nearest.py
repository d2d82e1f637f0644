from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapsight.index.nearest import Centres, error_share

SMALL = st.integers(-3, 3)
WHOLE = st.integers(-32767, 32767)


def brute_force(x: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gaps = x[:, None].astype(object) - centres[None].astype(object)
    squared = (gaps * gaps).sum(axis=2)
    cells = [row.index(min(row)) for row in squared.tolist()]
    return np.array(cells), np.array([row[c] for row, c in zip(squared, cells, strict=True)])


@given(arrays(np.int16, (9, 5), elements=WHOLE), arrays(np.int16, (4, 5), elements=WHOLE))
def test_the_nearest_centre_is_that_of_exact_arithmetic(x, centres):
    cells, gaps = Centres(centres).nearest(x)
    wanted, squared = brute_force(x, centres)
    assert cells.tolist() == wanted.tolist()
    assert gaps.tolist() == squared.tolist()


@given(arrays(np.int16, (9, 3), elements=SMALL), arrays(np.int16, (6, 3), elements=SMALL))
def test_of_equally_near_centres_the_first_is_taken(x, centres):
    assert Centres(centres).nearest(x)[0].tolist() == brute_force(x, centres)[0].tolist()


def test_centres_that_float32_cannot_tell_apart_are_told_apart():
    x = np.full((1, 1024), 30_001, np.int16)
    far, near = x[0] - 2, x[0] - 2
    near[7] += 1
    products = [
        np.float32(np.dot(x[0].astype(np.float32), c.astype(np.float32))) for c in (far, near)
    ]
    assert abs(products[1] / products[0] - 1) < error_share(1024)
    assert Centres(np.stack([far, near])).nearest(x)[0].tolist() == [1]


def test_many_rows_are_cut_into_blocks():
    rng = np.random.default_rng(1)
    x, centres = (rng.integers(-99, 99, (n, 4)).astype(np.int16) for n in (5000, 7))
    assert Centres(centres).nearest(x)[0].tolist() == brute_force(x, centres)[0].tolist()


def test_cells_are_ranked_from_the_nearest_on():
    centres = Centres(np.array([[9], [1], [4], [4]], np.int16))
    assert centres.ranked(np.array([[3]], np.int16)).tolist() == [[2, 3, 1, 0]]


def test_the_error_of_a_product_is_below_its_bound():
    rng = np.random.default_rng(2)
    x, y = (rng.integers(-32767, 32767, (50, 1024)).astype(np.int16) for _ in range(2))
    exact = (x.astype(np.int64) * y).sum(axis=1)
    found = np.einsum("nd,nd->n", x.astype(np.float32), y.astype(np.float32))
    lengths = np.sqrt((x.astype(float) ** 2).sum(1) * (y.astype(float) ** 2).sum(1))
    assert (abs(found - exact) <= error_share(1024) * lengths).all()
    assert error_share(1024) == pytest.approx(1028 * 2**-24, rel=1e-3)
