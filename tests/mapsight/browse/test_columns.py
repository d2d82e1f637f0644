"""Columns of the base, what was added to it and removed from it, and of duplicates."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

import mapsight as library
from mapsight.browse.browser import Browser
from mapsight.browse.columns import Columns
from mapsight.browse.items import items
from mapsight.browse.layout import FACTS, NO_CELL, Part
from mapsight.index.mapped import DamagedError
from mapsight.index.oddness import ODD_BIT
from tests.support.browse_world import MadeUp, columns_of, facts
from tests.support.index_world import listed
from tests.support.pictures import encoded, scribble

SOME = facts(30)


def shown(columns: Columns) -> dict[str, dict]:
    rows = items(columns, np.arange(columns.rows, dtype=np.uint32))
    return {row["image_id"]: row for row in rows}


def test_pictures_are_in_the_order_of_their_ids_and_those_without_facts_are_there(tmp_path):
    columns = columns_of(tmp_path, MadeUp({0: SOME}, unknown={0: ["zz", "000010x"]}))
    found = shown(columns)
    assert list(found) == sorted([*(row["image_id"] for row in SOME), "zz", "000010x"])
    assert found["zz"]["label"] is None and found["zz"]["ppi"] is None
    assert columns.texts(np.array([columns.rows - 1])) == [
        dict.fromkeys(["source", "original_url", "title", "caption"])
    ]


def test_what_was_added_is_there_and_what_was_removed_is_not(tmp_path):
    added = [{**row, "label": "Added", "image_id": f"b{row['image_id']}"} for row in SOME[:5]]
    again = {**SOME[3], "label": "Again"}  # removed from the base, and added once more
    gone = [(SOME[3]["image_id"], 1), (SOME[4]["image_id"], 1), (added[0]["image_id"], 2)]
    removed = listed(tmp_path, gone)
    columns = columns_of(
        tmp_path / "c", MadeUp({0: SOME, 1: [*added, again]}, {"x": 1}, removed=removed)
    )
    found = shown(columns)
    assert SOME[4]["image_id"] not in found and added[0]["image_id"] not in found
    assert found[SOME[3]["image_id"]]["label"] == "Again"
    assert len(found) == 30 - 1 + 4
    assert {found[row["image_id"]]["label"] for row in added[1:]} == {"Added"}
    parts = dict(zip(columns.ids.to_pylist(), columns.column("part").tolist(), strict=True))
    assert parts[SOME[3]["image_id"]] == 1 and parts[SOME[5]["image_id"]] == 0


def test_of_a_picture_that_was_added_again_counts_whether_it_is_odd_now(tmp_path):
    one, two = (SOME[i]["image_id"] for i in (3, 4))
    parts = {0: SOME, 1: [SOME[3]]}
    removed = listed(tmp_path, [(one, 1)])
    columns = columns_of(tmp_path / "c", MadeUp(parts, removed=removed, odd=[(0, one), (0, two)]))
    odd = columns.column("flags") & ODD_BIT > 0
    assert [columns.ids[i].as_py() for i in odd.nonzero()[0]] == [two]


def group(*pairs: tuple[str, str]) -> list[dict]:
    return [{"keeper": pairs[0][0], "image_id": name, "kind": kind} for name, kind in pairs]


def test_of_a_group_whose_keeper_is_gone_the_next_is_kept_and_one_alone_is_none(tmp_path):
    a, b, c, d, e, f, g = sorted(row["image_id"] for row in SOME)[:7]
    groups = group((a, "keeper"), (b, "near"), (c, "exact")) + group((d, "keeper"), (e, "near"))
    groups += group((f, "keeper"), (g, "near"))
    removed = listed(tmp_path, [(a, 1), (d, 1)])
    columns = columns_of(tmp_path / "c", MadeUp({0: SOME}, removed=removed, duplicates=groups))
    kinds = {name: row["duplicate"] for name, row in shown(columns).items() if row["duplicate"]}
    assert kinds == {b: "keeper", c: "exact", f: "keeper", g: "near"}
    (batch,) = Browser(columns).of_ids([c, e, g]).batches(["keeper"])
    assert batch.column(0).to_pylist() == [b, None, f]


def test_ids_that_csv_has_changed_are_found(tmp_path):
    rows = [{**SOME[0], "image_id": "-a"}, {**SOME[1], "image_id": "'b"}]
    groups = group(("-a", "keeper"), ("'b", "near"))
    groups[0]["image_id"] = "'-a"
    found = shown(columns_of(tmp_path, MadeUp({0: rows}, duplicates=groups)))
    assert [found[name]["duplicate"] for name in ("-a", "'b")] == ["keeper", "near"]


@pytest.mark.parametrize("n", [0, 1])
def test_an_empty_collection_and_one_picture_are_browsed(tmp_path, n):
    browser = Browser(columns_of(tmp_path, MadeUp({0: SOME[:n]})))
    assert browser.rows == browser.select().total == browser.facets()["total"] == n
    assert len(browser.select().page()[0]) == n and browser.select().page()[1] is None
    assert browser.select(sort="-ppi").page(at=1)[0] == browser.select().page()[0]
    assert next(browser.select().batches()).num_rows == n


class Many:
    """Sources of many pictures whose facts cost little to make."""

    digest, pictures = "many", 0

    def __init__(self, n: int) -> None:
        self.collection = MadeUp({}).collection
        self._ids = [f"{i * 7919 % n:016x}" for i in range(n)]

    def facts(self):
        for first in range(0, len(self._ids), 4096):
            ids = self._ids[first : first + 4096]
            known = {"image_id": ids, "label": ["Lion"] * len(ids), "ppi": [1.5] * len(ids)}
            arrays = [
                pa.array(known[f.name], f.type) if f.name in known else pa.nulls(len(ids), f.type)
                for f in FACTS
            ]
            yield 0, pa.RecordBatch.from_arrays(arrays, schema=FACTS)

    def parts(self, given):
        n = len(given[0])
        yield Part(0, given[0], np.full(n, NO_CELL, np.uint16), np.zeros(n, bool))

    def duplicates(self):
        return MadeUp({}).duplicates()


def test_a_picture_takes_few_bytes_while_columns_are_made_and_in_files(tmp_path):
    n = 100_000
    many = Many(n)
    pool = pa.system_memory_pool()
    before, kept = pa.default_memory_pool(), pool.bytes_allocated()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    columns = columns_of(tmp_path, many)
    numbers = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pa.set_memory_pool(before)
    texts = sum(file.stat().st_size for file in tmp_path.glob("texts.*"))
    files = sum(file.stat().st_size for file in tmp_path.iterdir()) - texts
    assert columns.rows == n and files < 120 * n
    assert numbers + pool.max_memory() - kept < 180 * n


# ---- of a workspace that a pipeline has made


def by_id(opened) -> dict[str, dict]:
    return {row["image_id"]: row for row in opened.select().page(limit=500)[0]}


def test_they_are_what_the_results_say(finished_once):
    opened = library.open(finished_once / "workspace")
    (batch,) = opened.select().batches()
    table = opened.predictions(
        names := [n for n in batch.schema.names if n in opened.predictions().column_names]
    ).sort_by("image_id")
    assert batch.select(names).to_pylist() == table.to_pylist()
    cells = {
        n: opened.searcher.index.rows_of([n])[n]["cell"] for n in table["image_id"].to_pylist()
    }
    assert {row["image_id"]: row["cell"] for row in batch.to_pylist()} == cells
    assert sum(one["pictures"] for one in opened.browser.map()) == batch.num_rows


def test_a_cell_has_its_pictures_nearest_its_centre_first(finished_once):
    opened = library.open(finished_once / "workspace")
    for one in opened.browser.map():
        pictures = opened.browser.cell(one["cell"], opened.searcher.index)
        assert pictures[0]["image_id"] == one["picture"] and len(pictures) == one["pictures"]
        away = [np.hypot(row["x"] - one["x"], row["y"] - one["y"]) for row in pictures]
        assert away == sorted(away) and away[-1] <= one["r"] + 1e-9


def test_what_was_added_and_removed_is_another_state(finished, monkeypatch, tmp_path):
    monkeypatch.chdir(finished.folder)
    before = library.open("workspace")
    found, gone = by_id(before), f"{5:016x}"
    (tmp_path / "more").mkdir()
    (tmp_path / "more/new.png").write_bytes(encoded(scribble(77)))
    finished.ok("add", "--images", str(tmp_path / "more"), "--workspace", "workspace")
    finished.ok("remove", gone)
    after = library.open("workspace")
    left = by_id(after)
    (added,) = left.keys() - found.keys()
    assert found.keys() - left.keys() == {gone} and after.browser.state != before.browser.state
    record = next(row for row in after.search(added, top_k=1))
    assert left[added]["ppi"] == record["ppi"] and left[added]["label"] == record["label"]
    assert left[added]["sharpness"] > 0 and left[added]["cell"] == record["cell"]
    assert by_id(before) == found  # which stays as it was when it was opened


def test_of_an_index_that_is_newer_than_the_results_is_known_what_it_holds(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    found = by_id(library.open("workspace"))
    stage = finished.folder / "workspace/merge/stage.json"
    stage.unlink()
    for image_id, row in by_id(library.open("workspace")).items():
        known = {name: row[name] for name in ("label", "score", "ppi", "cell", "width")}
        assert known == {name: found[image_id][name] for name in known}
        assert row["sharpness"] is None


def test_columns_that_are_damaged_are_made_anew(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    found = by_id(library.open("workspace"))
    (file,) = (finished.folder / "workspace/copy").glob("columns-*/ppi.column")
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(DamagedError):
        Columns(file.parent, "").column("ppi")
    assert by_id(library.open("workspace")) == found


def test_without_an_index_pictures_are_those_of_the_results(unindexed_once):
    opened = library.open(unindexed_once / "workspace")
    assert sorted(by_id(opened)) == sorted(opened.predictions(["image_id"])["image_id"].to_pylist())
    assert by_id(opened)[f"{5:016x}"]["cell"] is None
