"""The jobs that find duplicates, run whole, against brute force."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mapsight.duplicates.rows import VECTOR, row_of
from mr_jobs.draw_pivots import MRDrawPivots
from mr_jobs.find_duplicates import MRFindDuplicates
from mr_jobs.group_duplicates import MRGroupDuplicates
from mr_jobs.join_duplicates import MRJoinDuplicates
from tests.support.duplicate_records import Records, brute_force, keeper_of, make_records
from tests.support.jobs import run_and_read, spread, write_json, write_records

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


@pytest.mark.parametrize("seed", range(3))
def test_groups_and_keepers_are_those_of_brute_force(tmp_path, seed):
    records = make_records(seed, 14, 5)
    found = find(tmp_path, [*records, *REJECTED, *ORPHANS], 3)
    expected = brute_force(records)
    assert groups(found.facts) == expected
    keepers = {one["keeper"] for one in found.facts}
    assert keepers == {keeper_of(group, records) for group in expected}
    assert found.counts["pictures"] == len(records)
    assert found.counts["groups"] == len(expected)


def test_one_row_for_each_picture_the_keeper_first(tmp_path):
    facts = find(tmp_path, make_records(5, 14, 5), 2).facts
    assert len({one["image_id"] for one in facts}) == len(facts)
    firsts = [
        one for n, one in enumerate(facts) if n == 0 or one["keeper"] != facts[n - 1]["keeper"]
    ]
    assert all(one["kind"] == "keeper" and one["keeper"] == one["image_id"] for one in firsts)
    assert sum(one["kind"] == "keeper" for one in facts) == len(firsts)


@pytest.fixture(scope="module")
def of_one_file(tmp_path_factory) -> SimpleNamespace:
    return find(tmp_path_factory.mktemp("one"), make_records(6, 14, 5), 1)


@pytest.mark.parametrize(("files", "runner"), [(2, "inline"), (8, "inline"), (3, "local")])
def test_the_same_whatever_the_split_and_the_runner(of_one_file, tmp_path, files, runner):
    assert find(tmp_path, make_records(6, 14, 5), files, runner).rows == of_one_file.rows


def test_a_smaller_distance_and_a_higher_cosine(tmp_path):
    records = make_records(7, 20, 5)
    options = ("--max-distance", 1, "--min-cosine", 0.95)
    found = find(tmp_path, records, 2, "inline", *options)
    assert groups(found.facts) == brute_force(records, 1, 0.95) != brute_force(records)


@pytest.mark.parametrize("files", [1, 4])
def test_pivots_are_drawn_by_their_bytes_whatever_the_split(tmp_path, files):
    records = make_records(9, 20, 3)
    wanted = {one["sha256"] for _, one in records if int(one["sha256"][:16], 16) < 1 << 62}
    options = ("--wanted", len(records) // 4, "--pictures", len(records) // 4 * 4)
    drawn, _ = run_and_read(tmp_path, MRDrawPivots, *options, *spread(tmp_path, records, files))
    assert {sha256 for sha256, _ in drawn} == wanted
    assert len(drawn) == len(wanted)


def test_with_pivots_hashes_find_what_they_found_and_no_group_is_wrong(tmp_path):
    records = make_records(4, 20, 4)
    pivots = [row_of(*one)[VECTOR] for one in records[::9]]
    path = write_json(tmp_path / "pivots.json", pivots)
    found = groups(find(tmp_path, records, 2, "inline", "--pivots", path).facts)
    by_hash, every = brute_force(records, least=2), brute_force(records)
    assert all(any(one <= group for group in found) for one in by_hash)
    assert all(any(group <= one for one in every) for group in found)


TASK = """
import atexit, pathlib, runpy, sys
_, peak, *sys.argv = sys.argv
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path(peak).write_text(status.read_text()))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""A task of a job, in a process that leaves what the kernel knows of it at its end."""


def task(folder: Path, job: type, step: int, kind: str, source: Path) -> tuple[Path, int]:
    """(output, peak bytes) of one task, which reads a file."""
    output = folder / f"{job.__name__}-{step}-{kind}"
    script = Path(inspect.getfile(job))
    command = [sys.executable, "-c", TASK, output.with_suffix(".status"), script]
    with source.open("rb") as lines, output.open("wb") as out:
        named = [f"--step-num={step}", f"--{kind}"]
        subprocess.run([*command, *named], stdin=lines, stdout=out, check=True)
    fields = dict(x.split(":") for x in output.with_suffix(".status").read_text().splitlines())
    return output, int(fields["VmHWM"].split()[0]) * 1024


def performed(folder: Path, job: type, source: Path) -> tuple[Path, dict[str, int]]:
    """(output, peak bytes by kind of task) of a job in one task of each kind for each step."""
    peaks: dict[str, int] = {}
    for number, step in enumerate(job([]).steps()):
        for kind in ("mapper", "reducer"):
            if kind in step.description(number):
                source, peak = task(folder, job, number, kind, source)
                peaks[kind] = max(peaks.get(kind, 0), peak)
            lines = source.with_suffix(".sorted")
            subprocess.run(["sort", "-o", lines, source], check=True, env={"LC_ALL": "C"})
            source = lines
    return source, peaks


def peaks_of(folder: Path, number: int) -> dict[tuple[str, str], int]:
    """Peak memory by job and kind of task, for a group of so many copies."""
    text = json.dumps(make_records(8, 1, 1, d=128)[0][1])
    folder.mkdir()
    with (folder / "in.jsonl").open("w") as file:
        file.writelines(f'"{n:06d}"\t{text}\n' for n in range(number))
    found, find = performed(folder, MRFindDuplicates, folder / "in.jsonl")
    joined, join = performed(folder, MRJoinDuplicates, found)
    both = folder / "both.jsonl"
    both.write_bytes(found.read_bytes() + joined.read_bytes())
    grouped, group = performed(folder, MRGroupDuplicates, both)
    rows = [json.loads(line.split(b"\t", 1)[1]) for line in grouped.open("rb")]
    assert sum(facts["keeper"] == "000000" for facts in rows) == number
    peaks = {"find": find, "join": join, "group": group}
    return {(job, kind): peaks[job][kind] for job in peaks for kind in ("mapper", "reducer")}


def test_twenty_thousand_more_copies_take_no_more_memory(tmp_path):
    few = peaks_of(tmp_path / "few", 1_000)
    many = peaks_of(tmp_path / "many", 21_000)
    assert {key: size for key, size in many.items() if size > few[key] + 2_000_000} == {}
