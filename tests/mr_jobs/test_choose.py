"""The job that chooses pictures which are least alike, beside one process and brute force."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import mapsight.choose.cores as cores
from driver.workspace.workspace import Workspace
from mapsight.choose.candidates import candidate_table, drawn, write_candidates
from mapsight.choose.cores import SpreadPlan
from mapsight.choose.here import blocks_with, spread_here
from mapsight.choose.spread import farthest_first
from mapsight.index.rows import order_of
from mapsight.search.probe_plan import probe_lines
from mapsight.search.search_index import SearchIndex
from mr_jobs.choose_images import MRChooseImages
from tests.support.index_world import PLAIN_D, IndexWorld, indexed, listed
from tests.support.jobs import run_and_read, write_json, write_manifest

QUOTAS = [12, 0, 40]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[IndexWorld, SearchIndex]:
    folder = tmp_path_factory.mktemp("choose")
    return indexed(folder), SearchIndex(Workspace(str(folder)))


def candidates(world: IndexWorld):
    """Two of three pictures, in three groups of which one has no share."""
    orders = np.array([order_of(one) for one in world.ids], np.uint64)
    some = np.flatnonzero(np.arange(len(world.ids)) % 3)
    group = some % 4 % 3
    table = candidate_table(world.cell[some].astype(np.uint16), orders[some], group)
    return table, some, group, np.bincount(group).tolist()


def by_brute_force(world: IndexWorld, seed: int) -> dict[int, list[str]]:
    _, some, group, _ = candidates(world)
    orders = drawn(np.array([order_of(one) for one in world.ids], np.uint64), seed)
    found = {}
    for number, quota in enumerate(QUOTAS):
        rows = some[group == number]
        rows = rows[np.argsort(orders[rows])]
        taken = farthest_first(world.x[rows][:, :PLAIN_D], quota)
        found[number] = [world.ids[i] for i in rows[taken]]
    return found


def by_job(folder: Path, world, index, seed=0, *extra, **how):
    table, *_, sizes = candidates(world)
    plan = SpreadPlan(QUOTAS, sizes, PLAIN_D, seed)
    write_candidates(table, str(folder / "c.arrow"))
    blocks = blocks_with(index, table)
    lines = probe_lines(blocks, dict.fromkeys((one.cell for one in blocks), (0,)))
    arguments = ["--plan", write_json(folder / "plan.json", asdict(plan))]
    arguments += ["--candidates", folder / "c.arrow", *extra]
    manifest = write_manifest(folder / "manifest", lines)
    found, counters = run_and_read(folder, MRChooseImages, *arguments, *manifest, **how)
    return {int(group): ids for group, ids in found}, counters["choose"]


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("runner", ["inline", "local"])
def test_the_job_takes_what_one_process_takes_of_all(tmp_path, world, seed, runner):
    chosen, counts = by_job(tmp_path, *world, seed, runner=runner)
    assert chosen == by_brute_force(world[0], seed)
    assert counts["cores"] == sum(candidates(world[0])[-1])


@pytest.mark.parametrize("core", [60, 30])
def test_of_large_groups_cores_of_blocks_are_compared(tmp_path, world, core, monkeypatch):
    monkeypatch.setattr(cores, "CORE", core)
    chosen, counts = by_job(tmp_path, *world)
    table, *_, sizes = candidates(world[0])
    assert chosen == spread_here(world[1], table, QUOTAS, sizes, 0)
    assert counts["cores"] <= len(sizes) * (core + world[1].blocks.num_rows)
    assert len(set(chosen[0])) == QUOTAS[0]


def test_removed_pictures_are_not_chosen(tmp_path, world):
    gone = by_brute_force(world[0], 0)[2][:5]
    removed = listed(tmp_path, [(one, 1) for one in gone])
    chosen, _ = by_job(tmp_path, *world, 0, "--removed", removed.path)
    assert not set(gone) & {one for ids in chosen.values() for one in ids}


def test_of_a_group_that_is_twice_as_large_as_a_core_each_block_gives_half():
    plan = SpreadPlan([5], [2 * cores.CORE], 8)
    assert plan.core_of(0, 101) == 51
    assert replace(plan, sizes=[cores.CORE]).core_of(0, 101) == 101


def test_a_plan_is_json(world):
    plan = SpreadPlan(QUOTAS, candidates(world[0])[-1], PLAIN_D)
    assert SpreadPlan(**json.loads(json.dumps(asdict(plan)))) == plan
