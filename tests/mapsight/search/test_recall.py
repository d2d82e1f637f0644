"""Recall at several probes, from one exact search."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.index.nearest import Centres
from mapsight.search.probe_plan import in_order
from mapsight.search.recall import Precision, Recall, least_probe, probes_for
from tests.support.index_world import PLAIN_D, D, IndexWorld


def test_recall_worked_by_hand():
    measured = Recall(np.array([10, 20, 30, 40]), [1, 2, 4])
    measured.add(np.array([2, 0, 1, 3]), [2, 0, 0, 3])
    measured.add(np.array([3, 1, 0, 2]), [3])
    measured.add(np.array([0, 1, 2, 3]), [])
    rows = {row.pop("probe"): row for row in measured.rows()}
    assert [rows[p]["recall_1"] for p in (1, 2, 4)] == [1, 1, 1]
    assert [rows[p]["recall_10"] for p in (1, 2, 4)] == [0.625, 0.875, 1]
    assert [rows[p]["share_read"] for p in (1, 2, 4)] == [0.35, 0.5, 1]
    assert {(row["queries"], row["cells"]) for row in rows.values()} == {(2, 4)}


@pytest.mark.parametrize("d", [PLAIN_D, D])
def test_recall_is_what_searching_fewer_cells_finds(tmp_path, d):
    world = IndexWorld(tmp_path)
    measured, hits = Recall(world.cells.rows, probes_for(7)), {p: [] for p in probes_for(7)}
    places = {image_id: i for i, image_id in enumerate(world.ids)}
    centres = Centres(world.centres.centres[:, :d])
    for q, ranked in zip(world.x[:20], in_order(centres, world.x[:20, :d]), strict=True):
        true = [i for _, i in world.exact(q, 10, d=d)]
        measured.add(ranked, [world.cell[places[i]] for i in true])
        for probe, shares in hits.items():
            found = [i for _, i in world.exact(q, 10, d=d, cells=ranked[:probe].tolist())]
            shares.append(len(set(found) & set(true)) / 10)
    expected = [pytest.approx(np.mean(shares), abs=1e-6) for shares in hits.values()]
    assert [row["recall_10"] for row in measured.rows()] == expected


def test_the_least_probe_that_reaches_a_target():
    rows = [{"probe": p, "recall_10": r} for p, r in ((1, 0.5), (2, 0.95), (4, 0.99))]
    assert [least_probe(rows, t) for t in (0, 0.5, 0.51, 0.95, 0.96, 1)] == [1, 1, 2, 2, 4, None]


@pytest.mark.parametrize("k", [1, 2, 3, 10, 64, 16384])
def test_probes_end_with_all_cells(k):
    probes = probes_for(k)
    assert (probes[0], probes[-1]) == (1, k) and probes == sorted(set(probes))


def test_precision_is_of_the_first_ten():
    measured = Precision()
    lions = [{"label": "Lion", "style": "photo"}] * 6
    others = [{"label": "Owl"}] * 9
    measured.add({"label": "Lion", "style": "photo"}, lions + others)
    measured.add({"label": "Owl", "style": ""}, [{"label": "Owl", "style": "photo"}] * 2)
    found = {(row["of"], row["value"]): row for row in measured.rows()}
    assert found["label", "all"]["precision"] == pytest.approx(8 / 12, abs=1e-6)
    assert found["label", "Lion"]["precision"] == 0.6
    assert found["style", "all"] == {**found["style", "photo"], "value": "all"}
