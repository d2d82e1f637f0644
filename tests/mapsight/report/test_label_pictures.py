"""The best, most typical and least sure pictures of each label, and places of cells."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.index.rows import Block, batch_of, row_schema
from mapsight.report.cell_places import cell_places
from mapsight.report.label_pictures import label_pictures, spread_blocks

SCHEMA = row_schema(4, 4)


def rows(labels: str, scores: list[float], vectors: np.ndarray, first: int = 0):
    ids = [f"{first + n:02}" for n in range(len(labels))]
    pairs = zip(labels, scores, strict=True)
    fields = [{"label": label, "label_score": score} for label, score in pairs]
    return batch_of(ids, vectors.astype(np.int16), fields, SCHEMA)


@pytest.fixture
def batches():
    """Ten of `a`, the vectors of nine of them alike, and one of `b`."""
    x = np.tile([100, 50, 0, 0], (10, 1)) + np.arange(10)[:, None] * [0, 0, 1, 0]
    x[3] = [0, 0, 0, 100]
    other = np.array([[1, 2, 3, 4]])
    return [
        rows("aaaaa", [0.5, 0.9, 0.9, 0.1, 0.2], x[:5]),
        rows("aaaaa", [0.7] * 5, x[5:], 5),
        rows("b", [0.3], other, 10),
    ]


def ids(found: list[dict]) -> list[str]:
    return [row["image_id"] for row in found]


def test_scores_choose_the_best_and_the_least_sure_and_ties_go_by_id(batches):
    a = label_pictures(lambda: batches, ["a", "b", "none"], 3)["a"]
    assert ids(a.best) == ["01", "02", "05"]
    assert ids(a.unsure) == ["03", "04", "00"]
    assert "vector" not in a.best[0]


def test_the_most_typical_are_nearest_the_mean_and_an_outlier_never_is(batches):
    typical = ids(label_pictures(lambda: batches, ["a"], 9)["a"].typical)
    assert "03" not in typical and typical[0] in ("04", "05")


def test_the_order_of_batches_does_not_matter(batches):
    whole = label_pictures(lambda: batches, ["a", "b"], 3)
    assert label_pictures(lambda: batches[::-1], ["a", "b"], 3) == whole
    assert whole.keys() == {"a", "b"} and ids(whole["b"].best) == ["10"]


def test_of_many_bytes_every_nth_block_is_read():
    blocks = [Block(n, "f", 0, 10, 1, "") for n in range(10)]
    assert spread_blocks(blocks, 100) == blocks
    assert [block.cell for block in spread_blocks(blocks, 35)] == [0, 3, 6, 9]
    assert spread_blocks([], 5) == []


def test_places_keep_distances_of_a_plane():
    flat = np.random.default_rng(1).integers(-99, 99, (7, 2)).astype(np.int16)
    wide = np.concatenate([flat, np.full((7, 3), 5, np.int16)], axis=1)
    places = cell_places(wide)
    assert np.abs(places).max() == 1

    def apart(x):
        return np.linalg.norm(x[:, None].astype(float) - x[None], axis=2)

    ratio = apart(flat)[0, 1] / apart(places)[0, 1]
    assert apart(places) * ratio == pytest.approx(apart(flat), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_few_cells_have_places(k):
    assert cell_places(np.ones((k, 4), np.int16)).shape == (k, 2)
