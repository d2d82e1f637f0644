"""Probing cells of an index, against brute force."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.index.cosines import cosines, cosines_from, squares
from mapsight.index.nearest import error_share, products
from mapsight.index.rows import INT8, Block, to_int8
from mapsight.search.filters import RowFilter
from mapsight.search.probe_plan import (
    BATCH_BYTES,
    choose,
    in_order,
    mean_vector,
    probe_lines,
    reads_of,
)
from mapsight.search.queries import ProbeQuery, Queries, write_queries
from mr_jobs.probe_index import MRProbeIndex
from tests.support.index_world import PLAIN_D, IndexWorld, probed
from tests.support.jobs import run_and_read, write_manifest


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> IndexWorld:
    return IndexWorld(tmp_path_factory.mktemp("index"))


@pytest.mark.parametrize("top_k", [1, 10, 1000])
def test_all_cells_give_what_brute_force_gives(tmp_path, world, top_k):
    vectors = world.x[:20]
    found, fields, _ = probed(tmp_path, world, [ProbeQuery(top_k)] * 20, vectors)
    assert found == {n: world.exact(q, top_k) for n, q in enumerate(vectors)}
    places = {image_id: i for i, image_id in enumerate(world.ids)}
    for (_, image_id), one in zip(found[3], fields[3], strict=True):
        assert one["cell"] == world.cell[places[image_id]]
        assert one["row"] == places[image_id]


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_some_cells_give_the_best_of_those_on_every_runner(tmp_path, world, runner, monkeypatch):
    monkeypatch.setattr("mapsight.search.probe_plan.BATCH_BYTES", 5000)
    cells = [0, 3, 4]
    asked = [ProbeQuery(5)] * 9
    found, _, counters = probed(tmp_path, world, asked, world.x[:9], cells, runner=runner)
    assert len(list((tmp_path / "manifest").iterdir())) > 1
    assert found == {n: world.exact(q, 5, cells=cells) for n, q in enumerate(world.x[:9])}
    chosen = [block for block in world.blocks if block.cell in cells]
    expected = {"blocks": len(chosen)}
    expected |= {unit: sum(getattr(b, unit) for b in chosen) for unit in ("rows", "bytes")}
    assert counters["index"] == expected


def test_plain_features_are_the_first_numbers(tmp_path, world):
    found, _, _ = probed(
        tmp_path, world, [ProbeQuery(10)] * 3, world.x[:3], None, "--plain-d", PLAIN_D
    )
    assert found == {n: world.exact(q, 10, d=PLAIN_D) for n, q in enumerate(world.x[:3])}


FILTERS = [
    RowFilter(label="Lion"),
    RowFilter(style="drawing", subset="test"),
    RowFilter(min_ppi=40.0),
    RowFilter(license="by/2.0"),
    RowFilter("Owl", "photo", 10.0, "by/1", "train"),
    RowFilter(label="Zebra"),
]


def test_each_query_has_its_own_filter(tmp_path, world):
    asked = [ProbeQuery(10, one) for one in FILTERS]
    found, _, _ = probed(tmp_path, world, asked, world.x[:6])
    expected = {n: world.exact(world.x[n], 10, one) for n, one in enumerate(FILTERS)}
    assert found == {n: best for n, best in expected.items() if best}


def test_a_query_does_not_answer_itself_however_often_it_is_there(tmp_path, world):
    asked = [
        ProbeQuery(300, exclude_ids=(world.ids[4],)),
        ProbeQuery(300, exclude_sha256=("sha 4",)),
    ]
    found, _, _ = probed(tmp_path, world, asked, world.x[[4, 4]])
    assert {i for _, i in found[0]} == set(world.ids) - {world.ids[4]}
    assert {i for _, i in found[1]} == set(world.ids) - {world.ids[i] for i in (4, 104, 204)}


def test_int8_is_scored_by_its_own_numbers(tmp_path):
    world = IndexWorld(tmp_path / "index", dtype=INT8)
    found, _, _ = probed(tmp_path, world, [ProbeQuery(20)], world.x[:1])
    x = to_int8(world.x)[0].astype(float)
    scores = cosines(world.x[:1].astype(float), x)[0].tolist()
    best = sorted((-score, i) for score, i in zip(scores, world.ids, strict=True))[:20]
    assert found[0] == [(-score, i) for score, i in best]


def test_changed_bytes_are_refused(tmp_path, world):
    block = world.blocks[0]
    path = tmp_path / block.file
    path.write_bytes(bytes((world.folder / block.file).stat().st_size))
    moved = replace(block, file=str(path))
    wants = {block.cell: [0]}
    write_queries(tmp_path / "q.arrow", world.x[:1], [ProbeQuery(1)])
    manifest = write_manifest(tmp_path / "m", probe_lines([moved], wants))
    with pytest.raises(ValueError, match=rf"{block.file}: bytes 0 to \d+ have changed"):
        run_and_read(tmp_path, MRProbeIndex, "--queries", tmp_path / "q.arrow", *manifest)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 1100))
def test_rough_cosines_are_within_their_bound(seed, d):
    rng = np.random.default_rng(seed)
    xq = rng.integers(-32767, 32768, (3, d)).astype(np.int16)
    xb = (rng.integers(-32767, 32768, (9, d)) // rng.choice([1, 999, 99999])).astype(np.int16)
    exact = cosines(xq.astype(float), xb.astype(float))
    rough = cosines_from(products(xq, xb), squares(xq), squares(xb))
    assert np.abs(rough - exact).max() <= error_share(d)
    assert (cosines(xq[:1], xb) == exact[:1]).all()


# ---- planning


def test_queries_come_back_as_they_were(tmp_path, world):
    asked = [ProbeQuery(3, FILTERS[4], ("a", "b"), ("c",), "ppi"), ProbeQuery(7)]
    write_queries(tmp_path / "q.arrow", world.x[:2], asked)
    queries = Queries(tmp_path / "q.arrow")
    assert [queries[0], queries[1], len(queries)] == [*asked, 2]
    assert (queries.vectors([1, 0]) == world.x[[1, 0]]).all()


def test_cells_know_their_rows_of_each_kind(world):
    for wanted in (*FILTERS[:2], RowFilter(), RowFilter(label="Owl", style="photo")):
        wanted = RowFilter(wanted.label, wanted.style)
        rows = [world.cell[i] for i in range(300) if world.fits(i, wanted)]
        assert (
            world.cells.fitting(wanted.label, wanted.style).tolist()
            == np.bincount(rows, minlength=7).tolist()
        )


def test_cells_come_from_the_nearest_on(world):
    for q, order in zip(world.x[:9], in_order(world.centres, world.x[:9]), strict=True):
        gaps = ((world.centres.centres.astype(int) - q.astype(int)) ** 2).sum(axis=1)
        assert order.tolist() == sorted(range(7), key=lambda c: (gaps[c], c))


@pytest.mark.parametrize(
    ("probe", "least", "cells", "all_of_them"),
    [
        (1, 1, [3], False),
        (2, 1, [3, 0], False),
        (1, 6, [3, 0], False),
        (1, 8, [3, 0, 2], True),
        (9, 1, [3, 0, 2], True),
        (1, 999, [3, 0, 2], True),
    ],
)
def test_cells_without_a_fitting_row_are_skipped(probe, least, cells, all_of_them):
    found = choose(np.array([3, 1, 0, 2]), np.array([2, 0, 3, 5]), probe, least)
    assert (found[0].tolist(), found[1]) == (cells, all_of_them)


def test_tasks_share_the_bytes_and_read_every_block_once():
    sizes = [30, 1, 1, 50, 20, 8, 70, 2, 2, 2]
    blocks = [
        Block(cell, f"f{cell // 4}", cell, size << 20, 1, "") for cell, size in enumerate(sizes)
    ]
    wants = {cell: [cell % 2] for cell in range(10)}
    lines = list(probe_lines(blocks, wants))
    tasks = [list(reads_of(line)) for line in lines]
    assert [block.cell for task in tasks for block, _ in task] == list(range(10))
    assert all(numbers == wants[block.cell] for task in tasks for block, numbers in task)
    shares = [sum(block.bytes for block, _ in task) for task in tasks]
    assert max(shares) < 2 * BATCH_BYTES and len(tasks) == 3
    assert json.loads(lines[0])["reads"][0]["uri"] == "f0"


def test_a_mean_is_rounded_to_whole_numbers_halves_up():
    vectors = np.array([[3, -3, 32767], [4, -4, 32767], [9, 9, -32767]], np.int16)
    assert mean_vector(vectors, np.array([1, 1, 0])).tolist() == [4, -3, 32767]
    assert mean_vector(vectors, np.array([2, 0, 1])).tolist() == [5, 1, 10922]
