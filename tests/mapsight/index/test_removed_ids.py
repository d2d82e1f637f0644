"""Lists of hidden pictures, against plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.index import removed_ids as id_list
from mapsight.index.cosines import cosines
from mapsight.index.removed_ids import IdList
from mapsight.search.queries import ProbeQuery
from tests.support.index_world import IndexWorld, listed, probed

IDS = st.text(alphabet="abé0/", min_size=1, max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(IDS, st.integers(1, 5))), st.lists(IDS), st.integers(0, 5))
def test_what_is_hidden_where(pairs, asked, part):
    known: dict[str, int] = {}
    for name, before in pairs:
        known[name] = max(before, known.get(name, 0))
    with tempfile.TemporaryDirectory() as folder:
        found = listed(Path(folder), pairs)
        assert dict(found.pairs()) == known and len(found) == len(known)
        expected = [known.get(name, 0) > part for name in asked]
        assert found.mask(pa.array(asked, pa.string()), part).tolist() == expected
        assert [found.hides(name, part) for name in asked] == expected


def test_ids_of_one_hash_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(id_list, "order_of", lambda name: len(name))
    found = listed(tmp_path, [("aa", 1), ("bb", 2), ("cc", 3), ("d", 4)])
    assert found.before(["cc", "aa", "zz", "d", "bb"]).tolist() == [3, 1, 0, 4, 2]


def test_an_empty_list_hides_nothing():
    nothing = IdList()
    assert (len(nothing), nothing.path, list(nothing.pairs())) == (0, None, [])
    assert nothing.mask(pa.array(["a", "b"]), 0).tolist() == [False, False]


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"no list of ids")
    with pytest.raises(ValueError, match="x: not a list of ids"):
        IdList(tmp_path / "x")


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_hidden_rows_do_not_answer(tmp_path, runner):
    world = IndexWorld(tmp_path / "index")
    gone = sorted(world.ids)[::3]
    removed = listed(tmp_path, [(name, 1) for name in gone])
    asked = [ProbeQuery(12)] * 4
    how = {"runner": runner}
    found, _, counters = probed(
        tmp_path, world, asked, world.x[:4], None, "--removed", removed.path, **how
    )
    left = [i for i, name in enumerate(world.ids) if name not in gone]
    for n, q in enumerate(world.x[:4].astype(float)):
        scores = cosines(q[None], world.x[left].astype(float))[0].tolist()
        best = sorted((-score, world.ids[i]) for score, i in zip(scores, left, strict=True))
        assert found[n] == [(-score, name) for score, name in best[:12]]
    assert counters["index"]["rows"] == 300


def test_a_cell_of_hidden_rows_alone_is_passed_over(tmp_path):
    world = IndexWorld(tmp_path / "index")
    gone = [world.ids[i] for i in np.flatnonzero(world.cell == 2)]
    removed = listed(tmp_path, [(name, 1) for name in gone])
    found, _, _ = probed(
        tmp_path, world, [ProbeQuery(300)], world.x[:1], [2, 3], "--removed", removed.path
    )
    assert {name for _, name in found[0]} == {world.ids[i] for i in np.flatnonzero(world.cell == 3)}
