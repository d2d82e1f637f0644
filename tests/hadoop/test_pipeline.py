"""The whole program on a cluster: the same bytes as on one machine, and nothing left behind."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from mapsight.duplicates import keys
from mapsight.results import table_parts
from mapsight.storage.hdfs import hdfs_file_system
from tests.hadoop.collection import COPIES, DUPLICATES, jpeg, make_collection
from tests.hadoop.containers import MAPPER, running, tasks
from tests.support.paths import ROOT
from tests.support.program import CalledProgram, Program, ended

HOME = "hdfs:///user/tester/pipeline"
WORKSPACE = f"{HOME}/workspace"
STEPS = 21  # jobs of the run, one of two steps counting twice
PARQUET = f"{HOME}/more.parquet"
INPUTS = ["--openimages", "openimages", "--images", "more.tar", PARQUET]
INPUTS += ["--target-labels", "Lion,Tree", "--max-iterations", "2", "--cells", "5"]
INPUTS += ["--duplicates"]
USABLE = 48 + DUPLICATES
CONTAINERS = """
runners: {hadoop: {jobconf: {mapreduce.job.ubertask.enable: false}}}
"""
ERRORS = {
    "corrupt": 1,
    "duplicate_id": 2,
    "empty": 1,
    "no_image": 1,
    "not_an_image": 1,
    "truncated": 1,
}
STAGES = [
    "annotate",
    "classify",
    "cluster",
    "count",
    "duplicates",
    "explore",
    "extract",
    "fetch",
    "fit",
    "index",
    "ingest",
    "merge",
    "plan",
    "rank",
    "recall",
    "render",
    "vectors",
]


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 by name of every file of results but what tells of time and place."""
    return {
        name: hashlib.sha256(data).hexdigest()
        for name, data in contents(folder).items()
        if name != "summary.json"
    }


def contents(folder: Path) -> dict[str, bytes]:
    """The files of results by name, those of results/explore/ too; not those of the report."""
    files = [*folder.glob("[!.]*"), *folder.glob("explore/*")]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files if p.is_file()}


class Look(threading.Thread):
    """Looks at the Python processes of the containers, until it is told to stop."""

    def __init__(self, cluster) -> None:
        super().__init__(daemon=True)
        self.cluster, self.stopped = cluster, threading.Event()
        self.files: set[str] = set()
        self.variables: set[str] = set()

    def run(self) -> None:
        while not self.stopped.wait(1):
            for process in tasks(self.cluster, MAPPER):
                try:
                    self.files |= {file.path for file in process.memory_maps()}
                    self.variables |= set(process.environ().values())
                except psutil.Error:
                    continue

    def __enter__(self) -> Look:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.join()


def counting(cluster, folder: Path) -> dict[str, str]:
    """A HADOOP_HOME whose `hadoop` keeps a list of what it is asked for."""
    program = folder / "home" / "bin" / "hadoop"
    program.parent.mkdir(parents=True)
    real = cluster.plan.home / "bin" / "hadoop"
    program.write_text(f'#!/bin/sh\necho "$1" >> {folder}/calls\nexec {real} "$@"\n')
    program.chmod(0o755)
    (folder / "home" / "share").symlink_to(cluster.plan.home / "share")
    return {"HADOOP_HOME": str(folder / "home")}


@pytest.fixture(scope="module")
def ran(cluster, environment, tmp_path_factory):
    """The collection gone through here and on the cluster, what was said, and what was seen."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "tmp").mkdir()
    variables = {**environment, **cluster.exports(), "TMPDIR": str(folder / "tmp")}
    variables["SECRET_OF_THE_DEVELOPER"] = "seen"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        hdfs = hdfs_file_system("")
        hdfs.pipe_file(PARQUET, make_collection(folder))
        variables |= counting(cluster, folder)
        program = CalledProgram(variables, folder)
        alone = Program(variables, folder)  # what a process leaves is looked at
        there = ["-r", "hadoop", *INPUTS, "--workspace", WORKSPACE, "--results", "there"]
        with Look(cluster) as look, alone.start(*there) as run:  # it waits more than it computes
            program.ok("-r", "local", *INPUTS, "--workspace", "here")
            ended(run, 900)
        calls = Counter((folder / "calls").read_text().split())
        yield SimpleNamespace(folder=folder, program=program, look=look, hdfs=hdfs, calls=calls)


def test_results_are_those_of_one_machine_byte_for_byte(ran):
    here = hashes(ran.folder / "here" / "results")
    assert {"head.npz", "cells.csv", "recall.csv", "predictions.parquet"} <= here.keys()
    assert hashes(ran.folder / "there") == here


def test_published_results_are_those_that_were_copied(ran):
    folder = f"{ran.hdfs._strip_protocol(WORKSPACE)}/results"
    files = ran.hdfs.find(folder)
    found = {path[len(folder) + 1 :]: ran.hdfs.cat_file(path) for path in files}
    assert found == contents(ran.folder / "there")


def test_counters_are_exact(ran):
    summary = json.loads((ran.folder / "there" / "summary.json").read_text())
    read = {name: summary[f"images_{name}"] for name in ("read", "extracted", "rejected")}
    assert read == {"read": USABLE + 7, "extracted": USABLE, "rejected": 7}
    assert summary["errors"] == ERRORS
    assert (summary["truth"], summary["labelled_by"]) == ({"pictures": 7}, "head")


def test_groups_of_duplicates_are_those_of_one_machine_and_the_command_finds_them_again(ran):
    here, there = (ran.folder / name for name in ("here/results", "there"))
    table = (here / "duplicates.csv").read_text()
    assert (there / "duplicates.csv").read_text() == table
    kinds = [line.split(",")[2] for line in table.splitlines()]
    assert [kinds.count(kind) for kind in ("keeper", "near", "exact")] == [5, 17, COPIES - 1]
    facts, same = (
        json.loads((at / "summary.json").read_text())["duplicates"] for at in (here, there)
    )
    assert facts == same and facts["sizes"] == [
        {"least": 3, "most": 4, "groups": 1, "pictures": 4},
        {"least": 5, "most": 8, "groups": 4, "pictures": 20},
    ]
    done = ran.program("duplicates", "-r", "hadoop", "--workspace", WORKSPACE)
    counts = f"{COPIES - 1} exact copies and 17 near-duplicates besides the 5 to keep"
    assert f"{USABLE} pictures, 5 groups of duplicates: {counts}" in done.stderr


def test_containers_see_nothing_of_the_developers_environment(ran):
    assert any(path.endswith(".so") and "/env-" in path for path in ran.look.files)
    mine = {str(ROOT), sys.prefix} - {sys.base_prefix}
    assert [path for path in ran.look.files if path.startswith(tuple(mine))] == []
    assert [text for text in ran.look.variables if any(place in text for place in mine)] == []
    assert "seen" not in ran.look.variables


def test_java_is_started_for_each_step_and_for_nothing_else(ran):
    assert ran.calls == {"jar": STEPS}


def test_nothing_runs_and_nothing_temporary_is_left(ran, cluster):
    assert running(cluster) == []
    assert [path for path in (ran.folder / "tmp").rglob("*") if path.is_file()] == []
    root = ran.hdfs._strip_protocol(WORKSPACE)
    top = {path.rsplit("/", 1)[-1] for path in ran.hdfs.ls(root, detail=False)}
    marks = {f"mapsight-{name}.json" for name in ("workspace", "runs", "results", "report")}
    assert top - marks == {*STAGES, "environments", "model", "results", "report", "uploads"}
    hidden = [path for path in ran.hdfs.find(root) if "/_temporary" in path or "/." in path]
    assert hidden == []


def test_every_stage_has_one_folder_and_it_is_the_committed_one(ran):
    root = ran.hdfs._strip_protocol(WORKSPACE)
    for stage in STAGES:
        document = json.loads(ran.hdfs.cat_file(f"{root}/{stage}/stage.json"))
        entries = {path.rsplit("/", 1)[-1] for path in ran.hdfs.ls(f"{root}/{stage}", detail=False)}
        assert entries <= {document["folder"], "stage.json"}


def test_a_second_run_finds_everything_unchanged(ran):
    done = ran.program("-r", "hadoop", *INPUTS, "--workspace", WORKSPACE, "--results", "again")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("unchanged, not run again") == len(STAGES)
    assert "application_" not in done.stderr
    assert hashes(ran.folder / "again") == hashes(ran.folder / "there")


def test_status_of_a_workspace_on_hdfs_is_that_of_one_here(ran):
    there = ran.program.ok("status", "--workspace", WORKSPACE)
    here = ran.program.ok("status", "--workspace", "here")
    rows = [[line.split()[:2] for line in said.splitlines()] for said in (here, there)]
    assert rows[0] == rows[1]
    assert len(re.findall("application_", there)) == STEPS
    assert f"corrupt 1, duplicate_id 2, empty 1, extracted {USABLE}" in there


def test_duplicates_that_meet_at_pivots_are_those_of_one_machine(ran, monkeypatch):
    for name, number in (("WHOLE", 20), ("PER_PIVOT", 10)):
        monkeypatch.setattr(keys, name, number)
    tables = []
    for runner, workspace in (("hadoop", WORKSPACE), ("local", "here")):
        where = ["-r", runner, "--workspace", workspace, "--again", "--out", f"{runner}.csv"]
        ran.program.ok("duplicates", *where)
        tables.append((ran.folder / f"{runner}.csv").read_bytes())
    assert tables[0] == tables[1] == (ran.folder / "there" / "duplicates.csv").read_bytes()


def answers(ran, *arguments: str, settings: Sequence[str] = ()) -> list[dict]:
    """The same search here and there; the answers, once their bytes are seen to be equal."""
    rest = ["--format", "json", *arguments]
    job = ["-r", "hadoop", "--job", "--workspace", WORKSPACE, *settings]
    places = (("inline", "here"), ("local", "here"), ("hadoop", WORKSPACE))
    with ran.program.start("search", *job, *rest) as run:
        found = [ran.program.ok("search", "-r", r, "--workspace", w, *rest) for r, w in places]
        found.append(ended(run))
    assert found[1:] == found[:1] * 3
    return [json.loads(line) for line in found[0].splitlines()]


def test_a_picture_is_searched_for_as_on_one_machine(ran):
    (ran.folder / "query.jpg").write_bytes(jpeg(7, 67))
    (ran.folder / "containers.conf").write_text(CONTAINERS)
    settings = ["--mrjob-conf", "containers.conf"]  # as where masters are small
    found = answers(ran, "query.jpg", "--top-k", "3", settings=settings)
    assert (found[0]["image_id"], len(found)) == (f"{7:016x}", 3)


IDS = [f"{seed:016x}" for seed in (1, 2, 5, 8, 30, 45)]


def test_filters_leave_and_reach_the_same_pictures_as_on_one_machine(ran):
    filters = ["--label", "Tree", "--license", "by", "--subset", "train", "--min-ppi", "8.7"]
    found = answers(ran, *IDS, *filters, "--style", "any", "--probe", "1", "--exclude-self")
    assert {row["query"] for row in found} == set(IDS)
    kinds = {(row["label"], row["license"], row["subset"], row["exhausted"]) for row in found}
    assert kinds == {("Tree", "by", "train", True)}
    assert min(row["ppi"] for row in found) >= 8.7


def test_labels_are_queries_and_the_best_by_ppi_of_plain_features_the_same(ran):
    rest = ["--rank-by", "ppi", "--features", "plain", "--top-k", "5", "--style", "any"]
    found = answers(ran, "Lion", "Tree", *IDS, *rest)
    assert [row["query"] for row in found[::5]] == ["Lion", "Tree", *IDS]
    assert all(a["ppi"] >= b["ppi"] for a, b in pairwise(found) if a["rank"] < b["rank"])


@pytest.mark.parametrize("mean", [[], ["--mean"]])
def test_diverse_answers_are_those_of_one_machine(ran, mean):
    queries = ["Tree", "big cat -lion", *IDS]
    found = answers(ran, *queries, *mean, "--rank-by", "diverse", "--top-k", "4")
    assert len(found) == 4 * (1 if mean else len(queries))
    assert {row["style"] for row in found} <= {"photo", "drawing"}


def test_five_hundred_queries_are_answered_as_on_one_machine(ran, cluster):
    (ran.folder / "query.jpg").write_bytes(jpeg(7, 67))
    ids = [f"{seed:016x}" for seed in range(20)]
    (ran.folder / "queries.txt").write_text("\n".join(["query.jpg", *(ids * 25)[:499]]))
    found = answers(ran, "--queries", "queries.txt", "--top-k", "2")
    assert len(found) == 1000
    assert running(cluster) == []
    assert not ran.hdfs.exists(f"{ran.hdfs._strip_protocol(WORKSPACE)}/.jobs")


EXTRA = [f"{seed:016x}" for seed in (90, 91, 92)]


@pytest.fixture(scope="module")
def changed(ran):
    """Three pictures added, one removed, here and there."""
    folder = ran.folder / "extra"
    folder.mkdir()
    for image_id in EXTRA:
        (folder / f"{image_id}.jpg").write_bytes(jpeg(int(image_id, 16), 67))
    there = ["-r", "hadoop", "extra", "--workspace", WORKSPACE]
    with ran.program.start("add", *there) as run:
        ran.program.ok("add", "extra", "--workspace", "here")
        ended(run)
    for workspace in ("here", WORKSPACE):
        ran.program.ok("remove", IDS[0], "--workspace", workspace)
    return ran


def test_added_pictures_are_found_and_removed_ones_hidden_as_on_one_machine(changed):
    rest = ["--top-k", "100", "--style", "any", "--recall", "1"]
    for by in ("index", "features"):
        found = answers(changed, *EXTRA, *(rest if by == "index" else rest[:2]), "--by", by)
        assert [row["image_id"] for row in found if row["rank"] == 1] == EXTRA
        assert IDS[0] not in {row["image_id"] for row in found}


def test_a_copy_of_an_index_on_hdfs_answers_as_the_job_does(changed):
    rest = ["--format", "json", "--workspace", WORKSPACE, *EXTRA, *IDS[1:]]
    copied = changed.program.ok("search", "--no-job", "--copy", "copy", *rest)
    assert copied == changed.program.ok("search", "-r", "hadoop", "--job", *rest)
    assert copied == changed.program.ok("search", *rest)
    assert len(copied.splitlines()) == 10 * len([*EXTRA, *IDS[1:]])


def test_features_are_exported_from_hdfs_as_from_here(changed):
    for name, workspace in (("from-here", "here"), ("from-hdfs", WORKSPACE)):
        changed.program.ok("export", "--format", "npy", "--out", name, "--workspace", workspace)
    here, there = (changed.folder / name for name in ("from-here", "from-hdfs"))
    for file in ("vectors.npy", "rows.parquet"):
        assert (here / file).read_bytes() == (there / file).read_bytes()
    # the digest of an index is of its files, whose names are new in every run
    facts = [json.loads((f / "export.json").read_text()) | {"index": ""} for f in (here, there)]
    assert facts[0] == facts[1]
    assert (facts[0]["rows"], facts[0]["d"]) == (USABLE + 3 - 1, 256 + 2)


def test_tables_in_parts_are_those_of_one_machine_byte_for_byte(changed, monkeypatch):
    monkeypatch.setattr(table_parts, "ONE_FILE_ROWS", 10)
    monkeypatch.setattr(table_parts, "PART_ROWS", 9)
    again = [*INPUTS, "--force", "merge"]
    changed.program.ok("-r", "local", *again, "--workspace", "here")
    changed.program.ok("-r", "hadoop", *again, "--workspace", WORKSPACE)
    here, hdfs = changed.folder / "here" / "results", changed.hdfs
    base = hdfs._strip_protocol(f"{WORKSPACE}/results")
    for name in ("predictions.parquet", "ranking.parquet"):
        found = {
            path.rsplit("/", 1)[-1]: hdfs.cat_file(path) for path in hdfs.find(f"{base}/{name}")
        }
        assert found == {path.name: path.read_bytes() for path in (here / name).iterdir()}
        assert len(found) >= USABLE // 9
