"""The map: places by likeness, discs that do not overlap, regions, facts of cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from mapsight.browse.browser import Browser
from mapsight.browse.cell_map import CellMap, inside, spiral
from mapsight.browse.discs import apart
from mapsight.browse.filter_values import FilterError
from mapsight.browse.filters import Filters
from mapsight.browse.likeness import likeness_places
from tests.support.browse_world import MadeUp, columns_of, facts

N, K = 120, 8
FACTS = facts(N)
CELLS = {row["image_id"]: int(row["image_id"], 16) % (K - 1) for row in FACTS}
PLACES = np.stack([np.arange(K) / K, np.arange(K) / K], 1)


def groups(k: int, seed: int = 0) -> np.ndarray:
    """Vectors around a few points, as centres of cells are."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(k // 12 + 1, 40)) * 3000
    return np.rint(middles[rng.integers(len(middles), size=k)] + rng.normal(size=(k, 40)) * 800)


@pytest.mark.parametrize("k", [120, 400])
def test_neighbours_stay_neighbours_better_than_in_two_principal_components(k):
    x = groups(k)
    places, radii = apart(likeness_places(x), np.ones(k))
    y = (x - x.mean(axis=0)) @ np.linalg.svd(x - x.mean(axis=0))[2][:2].T
    kept = [trustworthiness(x, some, n_neighbors=8) for some in (places, y)]
    assert kept[0] > 0.9 and kept[0] > kept[1]
    chance = trustworthiness(x, np.random.default_rng(1).random((k, 2)), n_neighbors=8)
    assert kept[0] > chance + 0.2 and (radii > 0).all()


def test_places_are_the_same_each_time():
    x = groups(300)
    assert (likeness_places(x) == likeness_places(x.copy())).all()


@pytest.mark.parametrize("x", [groups(k) for k in (0, 1, 2, 3, 5)] + [np.ones((20, 4))])
def test_few_vectors_and_equal_ones_have_places_of_their_own(x):
    places, radii = apart(likeness_places(x), np.ones(len(x)))
    assert len(np.unique(places, axis=0)) == len(x) == len(radii)
    assert np.isfinite(places).all() and ((places >= 0) & (places <= 1)).all()


@given(st.integers(1, 60), st.integers(0, 9))
@settings(max_examples=30)
def test_discs_lie_in_the_square_and_do_not_overlap(k, seed):
    rng = np.random.default_rng(seed)
    places, r = apart(rng.normal(size=(k, 2)) * rng.random(2), rng.integers(0, 500, k))
    assert (places - r[:, None] > -1e-9).all() and (places + r[:, None] < 1 + 1e-9).all()
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    assert (gaps >= (r[:, None] + r[None]) * (1 - 1e-9)).all()


def winding(x: float, y: float, polygon: list[tuple[float, float]]) -> bool:
    """Whether a ray to the right crosses an odd number of edges, edge by edge."""
    odd = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            odd = not odd
    return odd


NUMBERS = st.floats(0, 1, width=16)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=7))
def test_a_region_has_the_places_that_brute_force_finds(polygon):
    rng = np.random.default_rng(len(polygon))
    places = np.concatenate([rng.random((40, 2)), [(0.0, 0.5), (1.0, 1.0)]])
    assert inside(places, polygon).tolist() == [winding(*one, polygon) for one in places.tolist()]


def test_a_square_has_what_lies_in_it():
    square = [(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)]
    assert inside(np.array([[0.4, 0.4], [0.1, 0.4], [0.7, 0.7]]), square).tolist() == [1, 0, 0]


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    columns = columns_of(tmp_path_factory.mktemp("columns"), MadeUp({0: FACTS}, CELLS))
    typical = {0: ["gone", "000007"], 1: ["000000", "000008"], 2: ["gone"]}
    return Browser(columns, (), lambda: CellMap(PLACES, np.full(K, 0.01), typical))


def frame() -> pd.DataFrame:
    table = pd.DataFrame(FACTS).set_index("image_id", drop=False).sort_index()
    table["cell"] = pd.Series(CELLS)
    return table


def test_cells_have_the_medians_and_commonest_names_of_their_pictures(browser):
    by_cell = frame().groupby("cell")
    assert [one["cell"] for one in browser.map()] == list(range(K - 1))
    for one, (_, rows) in zip(browser.map(), by_cell, strict=True):
        assert one["pictures"] == len(rows)
        for name in ("ppi", "sharpness", "score"):
            assert one[name] == pytest.approx(rows[name].median())
        counts = rows["label"].value_counts()
        assert counts[one["label"]] == counts.max() == pytest.approx(one["purity"] * len(rows))
        tops = rows["top_label"].value_counts()
        assert [tops[name] for name in one["name"].split(", ")] == tops.tolist()[:2]


def test_the_typical_picture_is_the_nearest_that_is_in_the_cell(browser):
    assert [one["picture"] for one in browser.map()[:3]] == ["000007", "000008", "000002"]


def test_a_region_filters_by_the_places_of_cells(browser):
    region = [(-1, -1), (0.3, -1), (0.3, 0.3), (-1, 0.3)]
    found = {one for ids in browser.select(Filters.of(region=region)).ids() for one in ids}
    assert found == {image_id for image_id, cell in CELLS.items() if cell in (0, 1, 2)}
    assert browser.facets(Filters.of(region=region, cell=1))["total"] == list(CELLS.values()).count(
        1
    )


def test_without_an_index_there_is_no_map(tmp_path):
    lonely = Browser(columns_of(tmp_path, MadeUp({0: FACTS})))
    for ask in (lonely.map, lambda: lonely.select(Filters.of(region=[(0, 0), (1, 0), (1, 1)]))):
        with pytest.raises(FilterError, match="there is no map"):
            ask()


def test_a_spiral_begins_in_the_middle_and_fills_its_disc():
    places = spiral(50, 0.3, 0.4, 0.1)
    away = np.hypot(*(places - [0.3, 0.4]).T)
    assert away[0] == 0 and (np.diff(away) > 0).all() and 0.09 < away[-1] <= 0.1
    assert len(spiral(0, 0, 0, 1)) == 0
