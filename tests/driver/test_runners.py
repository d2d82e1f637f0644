"""Where jobs run, by what the command line says."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.nodes.cluster import NodesCluster, python_name
from driver.pipeline.cluster import RunnerOptions, ThisMachine, runner_settings
from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.workspace.workspace import Workspace

JOB = Job("mr_jobs.rank_images")


class Near(NodesCluster):
    """A cluster that needs no options of its own."""

    runner = "hadoop"

    def _job_tags(self) -> str:
        return "a,b"

    def _runner_settings(self) -> list[str]:
        return ["--near"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path / "w"))


@pytest.mark.parametrize(
    ("typed", "more"),
    [
        ({"runner": "inline", "processes": 3}, []),
        ({"runner": "local", "processes": 3}, ["--num-cores", "3"]),
        ({"runner": "local"}, []),
    ],
)
def test_jobs_of_this_machine_are_told_the_runner_and_the_cores(workspace, typed, more):
    run = pipeline_of(TypedOptions(Namespace(**typed)), workspace)
    assert isinstance(run.cluster, ThisMachine) and not run.on_cluster
    assert run.cluster.arguments(JOB, 0) == [*runner_settings(typed["runner"]), *more]
    assert run.cluster.settings(JOB, 0) == runner_settings(typed["runner"])


def test_what_only_this_machine_can_read_runs_here_with_all_cores(workspace):
    cluster = Near(RunnerOptions("hadoop", processes=2), workspace)
    typed = TypedOptions(Namespace(runner="hadoop", processes=2))
    here = Pipeline(typed, workspace, cluster).place(here=True)
    assert here.arguments(JOB, 0) == [*runner_settings("local"), "--num-cores", "2"]
    assert Pipeline(typed, workspace, cluster).place(here=False) is cluster


def test_jobs_on_nodes_have_names_tags_reducers_and_the_nodes_own_python(workspace):
    cluster = Near(RunnerOptions("hadoop", node_python="/opt/python"), workspace)
    words = " ".join(cluster.arguments(JOB, 300 << 20))
    assert " --near -D mapreduce.job.name=mapsight rank -D mapreduce.job.tags=a,b" in words
    assert " -D mapreduce.job.reduces=3 --cmdenv OMP_NUM_THREADS=1 " in words
    assert words.endswith(" --task-python-bin /opt/python")


def test_an_environment_is_sent_once_where_nodes_have_none(workspace, monkeypatch):
    sent = []
    monkeypatch.setattr(Near, "_sent", lambda self: sent.append(1) or "hdfs:///env.tar.gz")
    words = Near(RunnerOptions("hadoop"), workspace).arguments(JOB, 0)
    archive = ["--archives", "hdfs:///env.tar.gz#env", "--cmdenv", "PYTHONPATH=env"]
    assert words[-6:] == ["--task-python-bin", python_name(), *archive]
    assert sent == [1]


def test_errors_of_this_machine_stay_as_they_are():
    error = Failure("why")
    machine = ThisMachine(RunnerOptions())
    assert machine.explained(error, "mr_jobs/rank_images.py") is error
    assert (machine.applications(Path("nowhere")), machine.described()) == ([], "")
