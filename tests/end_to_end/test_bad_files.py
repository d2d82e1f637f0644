"""Every troublesome file gets what it should, in one run that ends well."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from mapsight.records import ERROR_CODES
from tests.support.memory import watch

MEGABYTE = 1_000_000


@pytest.fixture
def outcome(mapsight, bad_dir, tmp_path):
    (tmp_path / "bad").symlink_to(bad_dir)
    arguments = ("--images", "bad", "--max-rejected", "1", "--splits", "3")
    process = mapsight.start("-r", "local", *arguments)
    peaks = watch(process)
    assert process.returncode == 0, process.stderr.read()
    results = tmp_path / "workspace" / "results"
    frame = pd.read_parquet(results / "predictions.parquet")
    with (results / "rejected.csv").open(encoding="utf-8") as file:
        rejected = {row["source"]: row for row in csv.DictReader(file)}
    return set(frame["source"]), rejected, peaks


def test_expectations_are_met_in_bounded_memory(outcome, bad_dir):
    used, rejected, peaks = outcome
    with (bad_dir / "expectations.csv").open(encoding="utf-8") as file:
        expected = {f"bad/{row['file']}": row["expect"] for row in csv.DictReader(file)}
    for source, expect in expected.items():
        wanted = {"ok": {source in used}, "error": {source in rejected}}
        kind = expect.split(" ")[0]
        assert True in wanted.get(kind, {source in used or source in rejected}), source
    assert used | set(rejected) == set(expected) | {"bad/expectations.csv"}
    assert not used & set(rejected)
    assert {row["error"] for row in rejected.values()} <= set(ERROR_CODES)
    assert all(row["detail"] for row in rejected.values())
    assert peaks["task"] < 600 * MEGABYTE, peaks
