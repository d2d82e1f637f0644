from __future__ import annotations

import numpy as np

from mapsight.index import learn
from mapsight.index.learn import OTHERS, Training, learned
from mapsight.records import decode_vector, encode_vector


def training_of(x: np.ndarray, orders: np.ndarray | None = None, pieces: int = 3) -> Training:
    orders = np.arange(len(x)) if orders is None else orders
    batches = [
        (OTHERS, encode_vector(orders[some].astype(np.uint64)), encode_vector(x[some]))
        for some in np.array_split(np.arange(len(x)), pieces)
    ]
    return Training.of(batches, 0, x.shape[1])


def test_seeds_are_the_first_rows_that_differ():
    x = np.array([[5], [5], [1], [5], [2], [3]], np.int16)
    assert training_of(x).seeds(3).tolist() == [[5], [1], [2]]
    assert training_of(x).seeds(9).tolist() == [[5], [1], [2], [3]]
    assert training_of(x, np.array([6, 5, 4, 3, 2, 1])).seeds(2).tolist() == [[3], [2]]


def test_blocks_have_all_rows_whatever_the_batches(monkeypatch):
    monkeypatch.setattr(learn, "BLOCK", 10)
    x = np.arange(95, dtype=np.int16)[:, None]
    blocks = training_of(x, pieces=25).blocks
    assert np.concatenate(blocks).tolist() == x.tolist()
    assert min(map(len, blocks[:-1])) >= 10
    seeds = training_of(x, np.arange(95)[::-1], pieces=25).seeds(3)
    assert seeds.tolist() == [[94], [93], [92]]


def test_all_iterations_agree_with_scikit_learn():
    from sklearn.cluster import KMeans

    x = np.random.default_rng(3).integers(-1000, 1000, (400, 6)).astype(np.int16)
    made = list(learned(training_of(x), 7, 5, 0.0))
    centres = np.stack([decode_vector(value) for kind, value in made if kind == "centre"])
    steps = [value for kind, value in made if kind == "step"]
    wanted = KMeans(7, init=x[:7].astype(float), n_init=1, max_iter=len(steps), tol=0).fit(x)
    assert np.abs(centres - wanted.cluster_centers_).max() <= 1
    inertias = [step["inertia"] for step in steps]
    assert inertias == sorted(inertias, reverse=True) and len(steps) == 5
    ((_, counts),) = (record for record in made if record[0] == "counts")
    assert sum(counts) == 400


def test_it_ends_where_centres_stay():
    x = np.array([[0], [1], [100], [101]], np.int16)
    steps = [v for kind, v in learned(training_of(x), 2, 50, 0.0) if kind == "step"]
    assert len(steps) < 6 and steps[-1]["shift"] == 0
