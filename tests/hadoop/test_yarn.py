"""Applications on a real YARN: found, watched and ended by tag, and why a task failed."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from driver.errors import Failure
from driver.hadoop.cluster import HadoopCluster
from driver.hadoop.progress import YarnProgress
from driver.hadoop.yarn import JobProgress, Yarn
from driver.pipeline.job_server import JobProcess, start_job
from driver.pipeline.jobs import Job
from driver.pipeline.launch import launch
from tests.support.paths import ROOT

JOB = Job("tests.hadoop.troubled_job")
PREPARE = HadoopCluster.prepares
SETTINGS = {
    "mapreduce.map.memory.mb": "512",
    "mapreduce.map.env": "LC_ALL=C.UTF-8",
    "yarn.app.mapreduce.am.resource.mb": "512",
    "yarn.app.mapreduce.am.command-opts": "-Xmx256m",
}


@pytest.fixture(scope="module")
def yarn(run) -> Iterator[Yarn]:
    """YARN as the driver finds it, by the variables that the cluster's `env` prints."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in run.environment.items():
            patch.setenv(name, value)
        yield Yarn()


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """The arguments of a job with two maps, one of which gets into trouble."""
    lines = tmp_path_factory.mktemp("lines") / "lines"
    lines.write_text("fine\nline-2\n")
    numbers = itertools.count()

    def of(trouble: str, tag: str, **settings: str) -> list[str]:
        pairs = {**SETTINGS, "mapreduce.job.tags": tag, **settings}
        options = [part for pair in pairs.items() for part in ("-D", "=".join(pair))]
        output = f"/tmp/{tag}/output-{next(numbers)}"
        where = ["--hadoop-tmp-dir", f"/tmp/{tag}", "--output-dir", output]
        runner = ["-r", "hadoop", "--no-conf", "--no-read-logs"]
        return [*runner, *where, "--trouble", trouble, *options, str(lines)]

    return of


# ---- a job that sleeps, from its start to its end; the tests look at what was seen


class Sleeper:
    """A job in the process that the driver runs it in, what YARN said of it, and its end."""

    def __init__(self, yarn: Yarn, arguments: list[str], scratch: Path) -> None:
        self.yarn, self.scratch = yarn, scratch
        spec = {"module": JOB.module, "class": JOB.name, "args": arguments, "prepare": PREPARE}
        (scratch / "spec").write_text(json.dumps(spec))
        with (
            (scratch / "log").open("wb") as log,
            (scratch / "outcome").open("wb") as outcome,
            (scratch / "said").open("w") as said,
        ):
            files = log.fileno(), outcome.fileno()
            process = start_job(str(scratch / "spec"), *files, str(ROOT), TMPDIR=str(scratch))
            try:
                self.watch(process, said)
            finally:
                process.end()
        self.survivors = psutil.wait_procs(self.children, timeout=10)[1]
        self.end()

    def watch(self, process: JobProcess, said) -> None:
        shown = YarnProgress("sleep", 40, self.yarn, "sleepers", said)
        deadline = time.monotonic() + 240
        while shown.done < 32 or not shown._job or shown._job.maps_done < 1:
            assert not process.wait(0) and time.monotonic() < deadline, self.log
            time.sleep(0.3)
            shown._said = 0  # long ago: every change is said
            shown.update(self.scratch)
        self.found = self.yarn.applications("sleepers")
        self.progress = self.yarn.progress(self.found[0])
        self.children = psutil.Process(process.pid).children(recursive=True)
        self.names = {child.name() for child in self.children}

    def end(self) -> None:
        start = time.monotonic()
        self.killed = self.yarn.kill("sleepers")
        self.seconds = time.monotonic() - start
        self.left = self.yarn.applications("sleepers")
        self.ended = self.yarn.applications("sleepers", running=False)

    @property
    def log(self) -> str:
        return (self.scratch / "log").read_text()


@pytest.fixture(scope="module")
def sleeper(yarn, arguments, tmp_path_factory) -> Sleeper:
    return Sleeper(yarn, arguments("sleep", "sleepers"), tmp_path_factory.mktemp("sleeper"))


def test_a_running_job_is_found_by_its_tag(sleeper):
    assert [(found.id, found.state) for found in sleeper.found] == [(sleeper.killed[0], "RUNNING")]
    assert sleeper.killed[0] in sleeper.log


def test_its_maps_and_the_counters_of_its_tasks_are_seen_while_it_runs(sleeper):
    counters = {"images": {"read": 32}, "progress": {"rejected": 2}}
    assert sleeper.progress == JobProgress(sleeper.found[0].job, 1, 2, 0, 0, 0, counters)


def test_people_are_told_which_application_it_is_and_how_far(sleeper):
    first, *_, last = (sleeper.scratch / "said").read_text().splitlines()
    assert re.fullmatch(rf"sleep: {sleeper.killed[0]} http://\S+/{sleeper.killed[0]}/", first)
    assert re.search(r"map(s \d/2| \d+ %), reduce", last), last


def test_hadoop_jar_ends_with_the_process_of_its_job(sleeper):
    assert "java" in sleeper.names
    assert sleeper.survivors == []


def test_what_has_a_tag_is_ended_within_ten_seconds(sleeper):
    assert (len(sleeper.killed), sleeper.left) == (1, [])
    assert sleeper.seconds < 10
    assert [(ended.id, ended.state) for ended in sleeper.ended] == [(sleeper.killed[0], "KILLED")]


# ---- jobs that fail


def why(yarn: Yarn, arguments: list[str], scratch: Path) -> str:
    """What the driver can say of a job that fails."""
    progress = YarnProgress("trouble", None, yarn, "trouble")
    with pytest.raises(Failure) as refusal:
        launch(JOB, arguments, scratch, progress, PREPARE)
    found = yarn.failure(refusal.value.detail)
    return re.sub(r"127\.0\.0\.\d", "NODE", found.line) if found else refusal.value.detail


def test_a_task_that_raises_gives_its_python_error(yarn, arguments, tmp_path):
    said = why(yarn, arguments("error", "trouble"), tmp_path)
    assert said == "map task 0 on NODE: ValueError: line-2: 7 is not a picture of zwölf"


def test_a_python_that_nodes_lack_is_named(yarn, arguments, tmp_path):
    more = ["--conf-path", str(ROOT / "mrjob.conf"), "--task-python-bin", "python9.9"]
    usual = [word for word in arguments("error", "trouble") if word != "--no-conf"]
    said = why(yarn, [*usual, *more], tmp_path)
    assert re.sub("task [01]", "task", said) == (
        "map task on NODE: its node has no python9.9: nodes need it on their PATH,"
        " or name another with --node-python"
    )


def test_a_task_that_takes_too_much_memory_says_so(yarn, arguments, tmp_path):
    said = why(yarn, arguments("memory", "trouble"), tmp_path)
    assert re.fullmatch(
        r"map task 0 on NODE: YARN ended it because it used [\d.]+ [MG]B of 512 MB physical memory"
        r": raise mapreduce\.map\.memory\.mb",
        said,
    )


def test_a_job_that_asks_for_more_than_the_cluster_has_says_so(yarn, arguments, tmp_path):
    much = {"mapreduce.map.memory.mb": "9000"}
    said = why(yarn, arguments("none", "trouble", **much), tmp_path)
    assert said.startswith("a task asks for 9000 MB of memory and the cluster gives 3072 MB")


def test_a_queue_that_is_not_there_is_named(yarn, arguments, tmp_path):
    said = why(yarn, arguments("none", "trouble", **{"mapreduce.job.queuename": "x"}), tmp_path)
    assert said == "YARN has no queue x (mapreduce.job.queuename)"
