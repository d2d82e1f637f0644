from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapsight.index.kmeans import (
    FAR,
    CellSums,
    farthest,
    load_centres,
    moved,
    refill,
    summed,
)
from mapsight.index.nearest import Centres
from mapsight.records import decode_vector, encode_vector

WHOLE = st.integers(-32767, 32767)


def sums_of(x: np.ndarray, centres: np.ndarray, splits: int) -> list[CellSums]:
    found = []
    for part in np.array_split(x, splits):
        found.append(CellSums(Centres(centres)))
        if len(part):
            found[-1].add(part)
    return found


def new_centres(x: np.ndarray, centres: np.ndarray, splits: int) -> dict[int, list[int]]:
    parts: dict[int, list[tuple[int, str]]] = {}
    for sums in sums_of(x, centres, splits):
        for cell, n, text in sums.cells():
            parts.setdefault(cell, []).append((n, text))
    return {c: moved(Centres(centres), c, p)[1].tolist() for c, p in sorted(parts.items())}


@given(
    arrays(np.int16, (20, 3), elements=WHOLE),
    arrays(np.int16, (4, 3), elements=WHOLE),
    st.integers(1, 8),
)
def test_centres_are_rounded_means_however_the_rows_are_split(x, centres, splits):
    cells = Centres(centres).nearest(x)[0]
    means = {c: np.floor(x[cells == c].mean(axis=0) + 0.5).tolist() for c in np.unique(cells)}
    assert new_centres(x, centres, splits) == new_centres(x, centres, 1) == means


def test_a_step_agrees_with_scikit_learn():
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(3)
    x = rng.integers(-1000, 1000, (400, 6)).astype(np.int16)
    start = x[:7]
    found = new_centres(x, start, 3)
    wanted = KMeans(7, init=start.astype(float), n_init=1, max_iter=1).fit(x.astype(float))
    assert np.abs(np.array(list(found.values())) - wanted.cluster_centers_).max() <= 0.5


def test_what_tasks_send_makes_the_centres_and_sums_of_a_single_task():
    x = np.random.default_rng(4).integers(-9, 9, (60, 2)).astype(np.int16)
    values: dict[str, list] = {}
    for sums in sums_of(x, x[:3], 4):
        for key, value in sums.items():
            values.setdefault(key, []).append(value)
    (alone,) = sums_of(x, x[:3], 1)
    found = [summed(alone.centres, key, parts) for key, parts in sorted(values.items())]
    assert found == [summed(alone.centres, key, [value]) for key, value in sorted(alone.items())]
    assert [name for name, _ in found] == ["cell"] * 3 + ["far", "inertia"]


def test_inertia_is_the_sum_of_squared_distances():
    x, centres = np.array([[0], [3], [10]], np.int16), np.array([[1], [9]], np.int16)
    (sums,) = sums_of(x, centres, 1)
    assert (sums.rows, sums.inertia) == (3, 1 + 4 + 1)


def test_the_shift_is_the_squared_distance_from_the_old_centre():
    (sums,) = sums_of(np.array([[3, 4], [3, 4]], np.int16), np.zeros((1, 2), np.int16), 1)
    ((cell, n, text),) = sums.cells()
    count, centre, shift = moved(sums.centres, cell, [(n, text)])
    assert (count, centre.tolist(), shift) == (2, [3, 4], 25)


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=200), st.integers(1, 5))
def test_the_farthest_vectors_do_not_depend_on_the_splits(values, splits):
    x, centres = np.array(values, np.int16)[:, None], np.zeros((1, 1), np.int16)
    parts = sums_of(x, centres, splits)
    found = [
        (gap, int(decode_vector(v)[0])) for gap, v in farthest(r for p in parts for r in p.far)
    ]
    assert [gap for gap, _ in found] == sorted((v * v for v in set(values) if v), reverse=True)[
        :FAR
    ]
    assert len({v for _, v in found}) == len(found)


def test_cells_without_pictures_get_the_farthest_vectors():
    centres = np.array([[1], [2], [3], [4]], np.int16)
    far = [(n * n, encode_vector(np.array([n], np.int16))) for n in (50, 70)]
    filled = refill(centres, np.array([5, 0, 0, 0]), far)
    assert filled.tolist() == [[1], [70], [50], [4]]


def test_a_file_that_holds_no_centres_is_named(tmp_path):
    path = tmp_path / "c.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(ValueError, match=r"c\.npy: not centres of cells"):
        load_centres(path)
