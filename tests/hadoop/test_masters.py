"""Jobs of one map, whose tasks run in the container of their master."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.workspace.workspace import Workspace

JOB = Job("tests.hadoop.troubled_job")
AGAIN = "a job failed in the container of its master, it is run again in its own\n"


@pytest.fixture
def site(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A run whose jobs go to the cluster."""
    for name, value in run.environment.items():
        monkeypatch.setenv(name, value)
    options = RunnerOptions("hadoop", node_python=sys.executable)
    workspace = Workspace(f"hdfs:///user/tester/{tmp_path.name}")
    site = pipeline_of(TypedOptions(Namespace(**asdict(options))), workspace, tmp_path)
    with site.attended(alone=False):
        yield site


def ran(site: Pipeline, trouble: str) -> dict[str, dict[str, int]]:
    """Run a job of one line into a folder of its own; return what it counted."""
    line = site.side_file("lines", "line\n")
    return site.job(JOB, [line], ["--trouble", trouble], ("out",))


def modes(site: Pipeline) -> list[str]:
    """Whether each job so far ran in its master."""
    logs = [path.read_text() for path in sorted(site.scratch.glob("job-*/log"))]
    return ["uber mode : true" in log for log in logs]


def test_a_small_job_needs_no_container_for_its_task(site, capfd):
    assert ran(site, "none")["images"] == {"read": 16}
    assert (modes(site), AGAIN in capfd.readouterr().err) == ([True], False)
    parts = site.workspace.download(site.workspace.addresses("out"), site.scratch / "copy")
    assert len(parts) == 1


def test_what_fails_there_is_run_again_in_a_container_and_counts_once(site, capfd):
    assert ran(site, "master")["images"] == {"read": 16}
    assert (modes(site)[1:], AGAIN in capfd.readouterr().err) == ([False], True)


def test_what_fails_in_a_container_too_is_named_as_ever(site):
    with pytest.raises(Failure, match="ValueError: line: 7 is not a picture of zwölf"):
        ran(site, "error")
    assert modes(site)[1:] == [False]
