"""The jobs that find duplicates, run whole, against brute force."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mr_jobs.find_duplicates import MRFindDuplicates
from mr_jobs.group_duplicates import MRGroupDuplicates
from mr_jobs.join_duplicates import MRJoinDuplicates
from tests.support.duplicate_records import Records, brute_force, keeper_of, make_records
from tests.support.jobs import read_parts, run_and_read, spread, write_records
from tests.support.memory import watch
from tests.support.paths import ROOT

REJECTED = [("bad", {"error": "empty", "detail": "", "source": "bad.jpg"})]
ORPHANS = [("gone", {"orphan": "annotation"})]


def find(folder: Path, records: Records, files: int, runner: str = "inline", *options: object):
    """Facts of every group by the three jobs, and their counters."""
    inputs = spread(folder, records, files)
    found, counts = run_and_read(folder, MRFindDuplicates, *options, *inputs, runner=runner)
    pictures = write_records(folder / f"found-{files}-{runner}.jsonl", found)
    edges, changed = pictures, 1
    while changed:
        joined, counters = run_and_read(folder, MRJoinDuplicates, edges, runner=runner)
        edges = write_records(folder / f"joined-{len(list(folder.iterdir()))}.jsonl", joined)
        changed = counters.get("duplicates", {}).get("changed", 0)
    rows, sums = run_and_read(folder, MRGroupDuplicates, pictures, edges, runner=runner)
    rows.sort(key=lambda row: row[0])
    return SimpleNamespace(
        rows=rows,
        facts=[facts for _, facts in rows],
        counts=counts["duplicates"] + sums["duplicates"],
    )


def groups(facts) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one in facts:
        found.setdefault(one["keeper"], set()).add(one["image_id"])
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize("seed", range(4))
def test_groups_and_keepers_are_those_of_brute_force(tmp_path, seed):
    records = make_records(seed, 40, 5)
    found = find(tmp_path, [*records, *REJECTED, *ORPHANS], 3)
    expected = brute_force(records)
    assert groups(found.facts) == expected
    keepers = {one["keeper"] for one in found.facts}
    assert keepers == {keeper_of(group, records) for group in expected}
    assert found.counts["pictures"] == len(records)
    assert found.counts["groups"] == len(expected)


def test_one_row_for_each_picture_the_keeper_first(tmp_path):
    facts = find(tmp_path, make_records(5, 40, 5), 2).facts
    assert len({one["image_id"] for one in facts}) == len(facts)
    firsts = [
        one for n, one in enumerate(facts) if n == 0 or one["keeper"] != facts[n - 1]["keeper"]
    ]
    assert all(one["kind"] == "keeper" and one["keeper"] == one["image_id"] for one in firsts)
    assert sum(one["kind"] == "keeper" for one in facts) == len(firsts)


@pytest.fixture(scope="module")
def of_one_file(tmp_path_factory) -> SimpleNamespace:
    return find(tmp_path_factory.mktemp("one"), make_records(6, 30, 5), 1)


@pytest.mark.parametrize(("files", "runner"), [(2, "inline"), (8, "inline"), (3, "local")])
def test_the_same_whatever_the_split_and_the_runner(of_one_file, tmp_path, files, runner):
    assert find(tmp_path, make_records(6, 30, 5), files, runner).rows == of_one_file.rows


def test_a_smaller_distance_and_a_higher_cosine(tmp_path):
    records = make_records(7, 40, 5)
    options = ("--max-distance", 1, "--min-cosine", 0.95)
    found = find(tmp_path, records, 2, "inline", *options)
    assert groups(found.facts) == brute_force(records, 1, 0.95) != brute_force(records)


def watched(folder: Path, job: str, *inputs: Path) -> tuple[Path, dict[str, int]]:
    """(output, peak memory by kind of task) of a job."""
    program = [sys.executable, ROOT / "mr_jobs" / f"{job}_duplicates.py", "-r", "local"]
    output = folder / job
    process = subprocess.Popen([*program, "--output-dir", output, *inputs], cwd=folder)
    peaks = watch(process)
    assert process.returncode == 0
    return output, peaks


def peaks_of(folder: Path, number: int) -> dict[tuple[str, str], int]:
    """Peak memory by job and kind of task, for a group of so many copies."""
    text = json.dumps(make_records(8, 1, 1, d=128)[0][1])
    folder.mkdir()
    with (folder / "in.jsonl").open("w") as file:
        file.writelines(f'"{n:06d}"\t{text}\n' for n in range(number))
    found, find_peaks = watched(folder, "find", folder / "in.jsonl")
    joined, join_peaks = watched(folder, "join", found)
    grouped, group_peaks = watched(folder, "group", found, joined)
    assert sum(facts["keeper"] == "000000" for _, facts in read_parts(grouped)) == number
    peaks = {"find": find_peaks, "join": join_peaks, "group": group_peaks}
    return {(job, kind): peaks[job][kind] for job in peaks for kind in ("mapper", "reducer")}


def test_a_hundred_thousand_copies_take_no_more_memory_than_ten_thousand(tmp_path):
    few = peaks_of(tmp_path / "few", 10_000)
    many = peaks_of(tmp_path / "many", 100_000)
    assert {key: size for key, size in many.items() if size > few[key] + 20_000_000} == {}
