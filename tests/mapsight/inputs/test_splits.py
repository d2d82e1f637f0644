from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.inputs import listings
from mapsight.inputs.find import Found, find_inputs
from mapsight.inputs.pack import image_rows
from mapsight.inputs.splits import make_plan


def found(sizes: list[int]) -> list[Found]:
    return [
        Found(f"in/{i}.jpg", f"/in/{i}.jpg".encode(), n, "1", "picture")
        for i, n in enumerate(sizes)
    ]


def rows(listing: Path, split) -> list[dict]:
    groups = range(split.row_group, split.row_group + split.row_groups)
    return pq.ParquetFile(listing).read_row_groups(list(groups)).to_pylist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1, 10**6), min_size=1, max_size=60), st.integers(1, 20))
def test_every_file_is_in_one_split_in_order(tmp_path_factory, sizes, splits):
    folder = tmp_path_factory.mktemp("plan")
    plan, listing = make_plan(found(sizes), folder, splits=splits), folder / "listing.parquet"
    listed = [row for split in plan.splits["files"] for row in rows(listing, split)]
    assert [row["ordinal"] for row in listed] == [n << 32 for n in range(len(sizes))]
    assert [row["bytes"] for row in listed] == sizes
    assert len(plan.splits["files"]) <= splits
    assert sum(split.rows for split in plan.splits["files"]) == plan.pictures == len(sizes)
    assert [split.first for split in plan.splits["files"]] == [
        rows(listing, s)[0]["ordinal"] for s in plan.splits["files"]
    ]


def test_equal_files_make_equal_splits(tmp_path):
    plan = make_plan(found([1000] * 64), tmp_path, splits=16)
    assert [split.rows for split in plan.splits["files"]] == [4] * 16


def test_a_long_listing_is_cut_into_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(listings, "ROWS_PER_GROUP", 10)
    plan = make_plan(found([5] * 45), tmp_path, splits=2)
    assert [(s.row_group, s.row_groups, s.rows) for s in plan.splits["files"]] == [
        (0, 3, 22),
        (3, 3, 23),
    ]


@pytest.mark.parametrize(("tasks", "splits"), [(1, 5), (2, 6), (3, 6), (4, 8), (100, 10)])
def test_a_last_round_keeps_all_tasks_busy(tmp_path, tasks, splits):
    # five splits by size; pictures for ten tasks
    sizes = [(5 << 27) // 500 - 20_000] * 500
    assert len(make_plan(found(sizes), tmp_path, tasks=tasks).splits["files"]) == splits


def test_small_inputs_are_spread_over_the_tasks(tmp_path):
    assert len(make_plan(found([100] * 400), tmp_path, tasks=4).splits["files"]) == 4
    assert len(make_plan(found([100] * 40), tmp_path, tasks=4).splits["files"]) == 1
    assert len(make_plan(found([100] * 400), tmp_path, tasks=4, least=200).splits["files"]) == 2


def test_large_inputs_are_cut_by_size(tmp_path):
    sizes = [64 << 20] * 8
    assert len(make_plan(found(sizes), tmp_path, tasks=1).splits["files"]) == 5


def write_parquet(path: Path, count: int, group: int) -> None:
    data = [bytes([i % 256]) * 1000 for i in range(count)]
    pq.write_table(pa.table({"image": data}), path, row_group_size=group)


def test_parquet_is_cut_at_row_groups(tmp_path):
    write_parquet(tmp_path / "a.parquet", 100, 10)
    plan = make_plan(find_inputs(str(tmp_path / "a.parquet")), tmp_path, splits=5)
    cut = [(s.row_group, s.row_groups, s.rows, s.first) for s in plan.splits["parquet"]]
    assert cut == [(0, 2, 20, 0), (2, 2, 20, 20), (4, 2, 20, 40), (6, 2, 20, 60), (8, 2, 20, 80)]
    assert plan.splits["files"] == []


def test_ordinals_count_through_all_inputs(tmp_path):
    write_parquet(tmp_path / "a.parquet", 7, 7)
    files = [*found([1, 1]), *find_inputs(str(tmp_path / "a.parquet")), *found([1])]
    plan = make_plan(files, tmp_path, splits=1)
    assert plan.splits["parquet"][0].first == 2 << 32
    ordinals = [
        r["ordinal"] for s in plan.splits["files"] for r in rows(tmp_path / "listing.parquet", s)
    ]
    assert ordinals == [0, 1 << 32, 3 << 32]


def test_a_parquet_file_without_a_footer_counts_once(tmp_path):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + b"x" * 100)
    plan = make_plan(find_inputs(str(tmp_path / "cut.parquet")), tmp_path)
    assert plan.pictures == 1
    assert (
        "magic" in plan.splits["parquet"][0].unreadable.lower()
        or plan.splits["parquet"][0].unreadable
    )


@pytest.mark.parametrize("change", ["bytes", "stamp", "source"])
def test_the_digest_changes_with_any_input(tmp_path, change):
    first = Found("a.jpg", b"/a.jpg", 1, "1", "picture")
    second = Found(**{**vars(first), change: {"bytes": 2, "stamp": "2", "source": "b.jpg"}[change]})
    digests = {make_plan([f], tmp_path).digest for f in (first, first, second)}
    assert len(digests) == 2


def test_a_planned_listing_can_be_packed(tmp_path, pictures):
    plan = make_plan(find_inputs(str(pictures)), tmp_path, splits=3)
    packed = []
    for split in plan.splits["files"]:
        split = type(split)(**{**vars(split), "uri": str(tmp_path / "listing.parquet")})
        packed += image_rows(split)
    assert [row["image"] for row in packed] == [p.read_bytes() for p in sorted(pictures.iterdir())]


def test_a_file_named_twice_is_two_files(tmp_path):
    write_parquet(tmp_path / "a.parquet", 6, 2)
    files = [*find_inputs(str(tmp_path / "a.parquet")), *find_inputs(str(tmp_path / "a.parquet"))]
    plan = make_plan(files, tmp_path, splits=1)
    cut = [(s.row_group, s.row_groups, s.first, s.row) for s in plan.splits["parquet"]]
    assert cut == [(0, 3, 0, 0), (0, 3, 1 << 32, 0)]


def test_addresses_of_other_licences_are_left_out_before_they_are_fetched(tmp_path):
    by, other = "https://creativecommons.org/licenses/BY/2.0/", "https://example.org/all-rights/"
    rows = [("a", by), ("b", other), ("c", ""), ("d", other)]
    lines = [f"http://example.org/{name}.jpg,{text}" for name, text in rows]
    (tmp_path / "list.csv").write_text("\n".join(["url,license", *lines]))
    found = list(find_inputs(str(tmp_path / "list.csv")))
    plan, whole = (make_plan(found, tmp_path, license=text) for text in ("by/2.0", ""))
    assert (plan.pictures, plan.other_license) == (2, 2) and plan.digest != whole.digest
    everything = make_plan(found, tmp_path, license="http")
    assert (everything.pictures, everything.other_license) == (4, 0)
    assert everything.digest == whole.digest
