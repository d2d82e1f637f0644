"""Nodes with a bare Python work with the packed environment, and with nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from driver.nodes.archive import Packed, packed_environment
from tests.hadoop.environment_job import PACKAGES, top_class
from tests.support.paths import ROOT

CONF = ROOT / "mrjob.conf"
JOB = Path(__file__).with_name("environment_job.py")
FOLDER = "hdfs:///user/tester/pack-tests"


@pytest.fixture(scope="module")
def packed() -> Packed:
    return packed_environment(say=print)


@pytest.fixture(scope="module")
def told(run, packed, model_file, tmp_path_factory) -> dict[str, Any]:
    """What a task tells of itself on a node."""
    line = tmp_path_factory.mktemp("lines") / "line"
    line.write_text("one\n")
    run("hadoop", "fs", "-mkdir", "-p", FOLDER)
    run("hadoop", "fs", "-put", "-f", packed.path, FOLDER)
    done = subprocess.run(
        [
            *(sys.executable, JOB, "-r", "hadoop", "--conf-path", CONF, "--model", model_file.path),
            *("--archives", f"{FOLDER}/{packed.path.name}#env"),
            *("--cmdenv", "PYTHONPATH=env"),
            *("--task-python-bin", f"python{packed.python}", line),
        ],
        env=run.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(map(json.loads, row.split("\t")) for row in done.stdout.splitlines())


def test_a_task_imports_everything_from_the_archive(told):
    home = told["working folder"] + "/env/"
    assert [name for name in PACKAGES if not told[name].startswith(home)] == []


def test_a_task_cannot_see_the_environment_of_the_developer(told):
    visible = [*told["sys.path"], *told["PATH"].split(":"), told["python"][0]]
    assert [place for place in visible if place.startswith((sys.prefix, sys.base_prefix))] == []


def test_the_node_runs_the_python_it_was_packed_for(told, packed):
    assert ".".join(map(str, told["python"][1:])) == packed.python


def test_a_model_says_on_a_node_what_it_says_here(told, model_file):
    assert told["top class"] == top_class(model_file.path)


def test_the_archive_is_small(packed):
    assert packed.bytes < 120e6
