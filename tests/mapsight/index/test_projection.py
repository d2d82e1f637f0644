from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapsight.index.learn import principal_axes
from mapsight.index.nearest import Centres
from mapsight.index.projection import AXIS, Projection, load_projection

WHOLE = st.integers(-32768, 32767)


def embeddings(n: int, d: int, rank: int) -> np.ndarray:
    """(n, d) int16 of unit length in a space of few dimensions, but for a little noise."""
    rng = np.random.default_rng(d)
    x = np.abs(rng.standard_normal((n, rank))) @ rng.standard_normal((rank, d))
    x += rng.standard_normal(x.shape) * 0.001
    return np.rint(x * 32767 / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.int16)


@given(arrays(np.int16, (5, 6), elements=WHOLE), arrays(np.int16, (3, 6), elements=WHOLE))
def test_numbers_are_those_of_exact_arithmetic_however_long_vectors_are(x, axes):
    rounded = (x.astype(int) + 4) // 8
    exact = np.rint((rounded @ axes.T.astype(int)) / (AXIS / 8))
    assert Projection(axes)(x).tolist() == np.clip(exact, -32767, 32767).tolist()


def test_many_rows_are_exact_in_blocks_too():
    x, axes = embeddings(3000, 40, 9), principal_axes(embeddings(500, 40, 9), 5)
    exact = np.rint(((x.astype(int) + 4) // 8 @ axes.T.astype(int)) / (AXIS / 8))
    assert (Projection(axes)(x) == exact).all()


def test_scores_that_follow_the_embedding_stay():
    x = embeddings(20, 10, 4)
    y = Projection(principal_axes(x[:, :8], 3))(x)
    assert y.shape == (20, 5) and (y[:, 3:] == x[:, 8:]).all()


def test_axes_span_the_components_of_scikit_learn():
    from sklearn.decomposition import PCA

    x = embeddings(900, 30, 6)
    axes = principal_axes(x, 6) / AXIS
    wanted = PCA(6).fit(x / 32767.0).components_
    assert np.abs(axes @ axes.T - np.eye(6)).max() < 0.01
    assert np.linalg.norm(wanted @ axes.T, axis=1) == pytest.approx(1, abs=0.002)


def test_distances_stay_about_the_same():
    x = embeddings(300, 40, 7)
    y = Projection(principal_axes(x, 8))(x)
    far, near = (np.linalg.norm(v[1:].astype(float) - v[:-1], axis=1) for v in (x, y))
    assert near == pytest.approx(far, rel=0.02)


def test_the_nearest_centre_of_projected_rows():
    x = embeddings(400, 40, 12)
    projection = Projection(principal_axes(x[:, :32], 12))
    y = projection(x).astype(int)
    nearest = ((y[:, None] - y[:9]) ** 2).sum(axis=2).argmin(axis=1)
    assert Centres(projection(x[:9]), projection).nearest(x)[0].tolist() == nearest.tolist()


def test_a_file_that_holds_no_projection_is_named(tmp_path):
    np.save(tmp_path / "p.npy", np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"p\.npy: no projection"):
        load_projection(tmp_path / "p.npy")
