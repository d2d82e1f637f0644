"""The job that writes tables in parts, against the tables that one process writes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsight.labels.ranking import RankPlan
from mapsight.results.parquet_tables import find_predictions, read_parquet
from mapsight.results.predictions import (
    merged_records,
    top_rows,
    write_predictions,
    write_ranking,
    write_rejections,
)
from mapsight.results.table_parts import (
    PREDICTIONS,
    RANKING,
    PartsPlan,
    first_ids,
    first_rows,
    part_name,
)
from mr_jobs.rank_images import MRRankImages
from mr_jobs.write_tables import MRWriteTables
from tests.support.feature_records import REJECTED
from tests.support.jobs import Records, run_and_read, spread, write_json, write_records

TOP = 2


@pytest.fixture
def ranks(tmp_path, predictions) -> Records:
    plan = write_json(tmp_path / "rank.json", asdict(RankPlan("ppi", first=2)))
    return run_and_read(tmp_path, MRRankImages, "--plan", plan, *spread(tmp_path, predictions, 1))[
        0
    ]


def plan_for(predictions: Records, ranks: Records, each: int) -> PartsPlan:
    groups: dict[str, int] = {}
    for (group, _), _ in ranks:
        groups[group] = groups.get(group, 0) + 1
    ids = [key for key, record in predictions if "label" in record]
    bounds = first_ids(ids[::3], len(ids), each)
    return PartsPlan(bounds, first_rows(groups), each, 2, TOP, ("0003", "0017"))


def write(folder: Path, records: Records, plan: PartsPlan, files: int, **how: str):
    """(parts by table, hashes by file, output)"""
    folder.mkdir()
    path = write_json(folder / "plan.json", asdict(plan))
    given = ["--plan", path, "--tables", folder / "tables"]
    output, counters = run_and_read(
        folder, MRWriteTables, *given, *spread(folder, records, files), **how
    )
    tables: dict[str, list[str]] = {}
    for key, value in sorted(output, key=lambda one: json.dumps(one[0])):
        if len(key) == 2 and value["rows"]:
            tables.setdefault(key[0], []).append(str(folder / "tables" / key[0] / value["file"]))
    return tables, output, counters


def together(folder: Path, predictions: Records, ranks: Records) -> dict[str, Any]:
    """What one process writes."""
    parts = [str(write_records(folder / "all.jsonl", sorted(predictions, key=json.dumps)))]
    write_predictions(merged_records(parts), folder)
    ordered = sorted(ranks, key=lambda one: json.dumps(one[0]))
    sheets = write_ranking(ordered, folder / RANKING, TOP)
    return {name: pq.read_table(folder / name) for name in (PREDICTIONS, RANKING)} | {"top": sheets}


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_parts_hold_the_rows_of_one_file_in_its_order(tmp_path, predictions, ranks, runner):
    records = [*predictions, *ranks, ("0001", {"orphan": "picture"}), ("=z", REJECTED)]
    (tmp_path / "one").mkdir()
    expected = together(tmp_path / "one", [r for r in records if isinstance(r[0], str)], ranks)
    plan = plan_for(predictions, ranks, 7)
    tables, _, counters = write(tmp_path / "parts", records, plan, 3, runner=runner)
    for name in (PREDICTIONS, RANKING):
        assert read_parquet(tables[name]).equals(expected[name])
        assert len(tables[name]) > 4
    assert {pq.read_metadata(file).num_rows for file in tables[RANKING][:-1]} == {7}
    assert counters["tables"]["rows"] == len(expected[PREDICTIONS]) + len(expected[RANKING])


def test_what_is_no_row_and_what_is_shown_comes_back_in_order(tmp_path, predictions, ranks):
    records = [*predictions, *ranks, ("0001", {"orphan": "picture"}), ("=z", REJECTED)]
    (tmp_path / "one").mkdir()
    expected = together(tmp_path / "one", [r for r in records if isinstance(r[0], str)], ranks)
    _, output, _ = write(tmp_path / "parts", records, plan_for(predictions, ranks, 7), 2)
    parts = list(map(str, (tmp_path / "parts").glob("MRWriteTables-*/part-*")))
    merged = [(key, value) for key, value in merged_records(parts) if len(key) == 3]
    assert len(merged) < len(output)
    own = {name: [(k[2], v) for k, v in merged if k[0] == name] for name in (PREDICTIONS, RANKING)}
    assert top_rows(own[RANKING], TOP) == expected["top"]
    assert [key for key, value in own[PREDICTIONS] if "label" in value] == ["0003", "0017"]
    assert write_rejections(own[PREDICTIONS], tmp_path) == 2
    for name in ("rejected.csv", "orphans.csv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_folder_is_read_as_a_table_by_others(tmp_path, predictions, ranks):
    tables, _, _ = write(tmp_path / "w", [*predictions, *ranks], plan_for(predictions, ranks, 7), 1)
    for name, files in tables.items():
        for number, file in enumerate(files):
            Path(file).rename(Path(file).with_name(part_name(number)))
        folder = tmp_path / "w" / "tables" / name
        expected = read_parquet(sorted(map(str, folder.iterdir())))
        assert ds.dataset(folder).to_table().equals(expected)
        pd.testing.assert_frame_equal(pd.read_parquet(folder), expected.to_pandas())


def test_ids_are_found_in_the_parts_that_may_have_them(tmp_path, predictions, ranks):
    records = [*predictions, *ranks]
    tables, _, _ = write(tmp_path / "w", records, plan_for(predictions, ranks, 7), 1)
    files = tables[PREDICTIONS]
    wanted = [key for key, record in predictions if "label" in record]
    found = find_predictions(files, [*wanted, "nobody", ""], ["label", "source"])
    assert found == {
        key: {"label": record["label"], "source": record["source"]}
        for key, record in predictions
        if "label" in record
    }
    Path(files[-1]).unlink()
    assert find_predictions(files, ["0000"], ["label"]).keys() == {"0000"}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(split=st.integers(1, 9), seed=st.randoms(use_true_random=False))
def test_any_split_gives_the_same_bytes(tmp_path_factory, predictions, ranks, split, seed):
    plan = plan_for(predictions, ranks, 7)
    records = [*predictions, *ranks]
    found = []
    for files in (1, split):
        tables, output, _ = write(tmp_path_factory.mktemp("w") / "w", records, plan, files)
        bytes_ = {n: [hashlib.sha256(Path(f).read_bytes()).digest() for f in fs]
                  for n, fs in tables.items()}  # fmt: skip
        found.append((bytes_, sorted(json.dumps(one) for one in output if len(one[0]) == 3)))
        seed.shuffle(records)
    assert found[0] == found[1]


def test_rejected_pictures_alone_have_no_part(tmp_path):
    tables, output, _ = write(tmp_path / "w", [("x", REJECTED)], PartsPlan(), 1)
    assert tables == {} and [len(key) for key, _ in output] == [3, 2]
