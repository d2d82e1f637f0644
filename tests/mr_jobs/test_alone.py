"""Every job, run alone from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from mrjob.conf import load_opts_from_mrjob_conf

from mapsight.labels.ranking import RankPlan
from tests.support.jobs import read_parts, write_json, write_records
from tests.support.paths import ROOT

OPTIONS = {
    "annotate_images.py": [],
    "build_index.py": ["--plan", "--centres", "--index"],
    "calibrate_head.py": ["--targets", "--head", "--tried", "--leaks"],
    "choose_images.py": ["--plan", "--candidates"],
    "classify_images.py": ["--targets"],
    "cluster_features.py": ["--seeds", "--centres"],
    "count_classes.py": [],
    "count_labels.py": [],
    "draw_pivots.py": ["--wanted", "--pictures"],
    "drop_images.py": ["--removed"],
    "explore_metadata.py": [],
    "extract_features.py": ["--model"],
    "fetch_images.py": ["--store"],
    "find_duplicates.py": [],
    "find_images.py": ["--ids"],
    "fit_head.py": ["--targets", "--plan", "--leaks"],
    "group_duplicates.py": [],
    "join_duplicates.py": [],
    "map_features.py": ["--targets", "--rows"],
    "match_images.py": ["--plan"],
    "pack_images.py": ["--shards"],
    "probe_index.py": ["--queries"],
    "rank_images.py": ["--plan"],
    "search_images.py": ["--queries", "--targets"],
    "settle_ids.py": [],
    "split_examples.py": ["--targets"],
    "write_tables.py": ["--plan", "--tables"],
}
"""What each job must be given."""


def python(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_every_job_is_tested_here():
    found = {path.name for path in (ROOT / "mr_jobs").glob("*.py")} - {"__init__.py"}
    assert found == set(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_job_explains_itself(name, tmp_path):
    done = python(tmp_path, ROOT / "mr_jobs" / name, "--help")
    assert done.returncode == 0, done.stderr
    assert all(f"  {option} " in done.stdout for option in OPTIONS[name])


@pytest.mark.parametrize("name", [name for name, options in OPTIONS.items() if options])
def test_a_job_says_what_it_needs(name, tmp_path):
    done = python(tmp_path, ROOT / "mr_jobs" / name, "in.txt")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert all(option in last for option in OPTIONS[name])


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_a_job_runs_alone_from_another_folder(tmp_path, features, runner):
    write_records(tmp_path / "in.jsonl", features)
    write_json(tmp_path / "ids.json", ["0003"])
    arguments = ["-r", runner, "--ids", "ids.json", "--output-dir", "out", "in.jsonl"]
    done = python(tmp_path, ROOT / "mr_jobs" / "find_images.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert read_parts(tmp_path / "out") == [features[3]]


@pytest.mark.parametrize("runner", ["local", "hadoop", "emr"])
def test_no_setup_script_leaves_a_lock_on_every_node(runner):
    (settings,) = load_opts_from_mrjob_conf(runner, str(ROOT / "mrjob.conf"))
    assert "setup" not in settings[1]
    assert settings[1]["cmdenv"] == {"PYTHONPATH": "."}


def test_a_job_alone_finds_the_library(tmp_path, predictions):
    """Ranking imports the library in its tasks; nothing else tells them where it is."""
    write_records(tmp_path / "in.jsonl", predictions)
    write_json(tmp_path / "plan.json", asdict(RankPlan("ppi")))
    arguments = ["-r", "local", "--plan", "plan.json", "--output-dir", "out", "in.jsonl"]
    done = python(tmp_path, ROOT / "mr_jobs" / "rank_images.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert len(read_parts(tmp_path / "out")) == 2 * 50
