"""The jobs that find duplicates, run whole, against brute force."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from duplicate_records import Records, brute_force, keeper_of, make_records
from memory import watch
from test_jobs import ROOT, read_parts, run_and_read, write_records

from mr_jobs.find_duplicates import MRFindDuplicates
from mr_jobs.group_duplicates import MRGroupDuplicates
from mr_jobs.join_duplicates import MRJoinDuplicates

REJECTED = [("bad", {"error": "empty", "detail": "", "source": "bad.jpg"})]
ORPHANS = [("gone", {"orphan": "annotation"})]


def spread(folder: Path, records: Records, files: int) -> list[Path]:
    return [
        write_records(folder / f"in-{files}-{n}.jsonl", records[n::files]) for n in range(files)
    ]


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


@pytest.mark.parametrize(("files", "runner"), [(2, "inline"), (8, "inline"), (3, "local")])
def test_the_same_whatever_the_split_and_the_runner(tmp_path, files, runner):
    records = make_records(6, 30, 5)
    one = find(tmp_path, records, 1)
    assert find(tmp_path, records, files, runner).rows == one.rows


def test_a_smaller_distance_and_a_higher_cosine(tmp_path):
    records = make_records(7, 40, 5)
    options = ("--max-distance", 1, "--min-cosine", 0.95)
    found = find(tmp_path, records, 2, "inline", *options)
    assert groups(found.facts) == brute_force(records, 1, 0.95) != brute_force(records)


def test_a_hundred_thousand_copies_take_no_more_memory_than_ten_thousand(tmp_path):
    record = make_records(8, 1, 1, d=1024)[0][1]
    peaks = []
    for number in (10_000, 100_000):
        text = json.dumps(record)
        path = tmp_path / f"{number}.jsonl"
        with path.open("w") as file:
            file.writelines(f'"{n:06d}"\t{text}\n' for n in range(number))
        program = [sys.executable, ROOT / "mr_jobs" / "find_duplicates.py", "-r", "local"]
        out = tmp_path / f"out-{number}"
        process = subprocess.Popen([*program, "--output-dir", out, path], cwd=tmp_path)
        peaks.append(watch(process))
        assert process.returncode == 0
    edges = [key for key, value in read_parts(out) if value[0] == "edge"]
    assert len(edges) == len(set(edges)) == 99_999
    for kind in ("mapper", "reducer"):
        assert peaks[1][kind] < peaks[0][kind] + 20_000_000
