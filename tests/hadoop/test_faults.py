"""What clusters do to jobs: the results are those of an undisturbed run, or there are none.

Every test runs as far as extract, one job over 400 pictures, in a workspace of its own, and sees
that what it did to the job has hit it.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mapsight.storage.hdfs import hdfs_file_system
from tests.hadoop.collection import GROUPS, MANY, many_pictures
from tests.hadoop.containers import (
    DECODER,
    JVM,
    MAPPER,
    MASTER,
    alive,
    application,
    ask,
    attempts,
    busy_mappers,
    lost,
    running,
    tasks,
    until,
)  # fmt: skip
from tests.support.program import Program

HOME = "/user/tester/faults"
PARQUET = f"hdfs://{HOME}/many.parquet"
COUNTERS = {"images": {"read": MANY, "extracted": MANY}}
STOP_SECONDS = 10


class Site:
    """Where the program is run from, and its workspaces on the cluster."""

    def __init__(self, cluster, environment: dict[str, str], folder: Path) -> None:
        self.cluster, self.folder, self.temporary = cluster, folder, folder / "tmp"
        self.temporary.mkdir()
        environment = {**environment, "TMPDIR": str(self.temporary)}
        self.program, self.hdfs = Program(environment, folder), hdfs_file_system("")

    def command(self, workspace: str, *more: str) -> list[str]:
        """A run as far as extract; nodes use this Python, so that nothing is packed."""
        where = ["--workspace", f"hdfs://{HOME}/{workspace}", "--node-python", sys.executable]
        return ["-r", "hadoop", "--images", PARQUET, "--splits", "4", *where, "--until",
                "extract", *more]  # fmt: skip

    def start(self, workspace: str, *more: str) -> subprocess.Popen[str]:
        return self.program.start(*self.command(workspace, *more))

    def run(self, workspace: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.program(*self.command(workspace, *more))

    def entries(self, *names: str) -> set[str]:
        """What a folder of HDFS holds; nothing if there is none."""
        with contextlib.suppress(FileNotFoundError):
            paths = self.hdfs.ls("/".join([HOME, *names]), detail=False)
            return {path.rsplit("/", 1)[-1] for path in paths}
        return set()

    def extracted(self, workspace: str) -> dict:
        """What extract has committed."""
        return json.loads(self.hdfs.cat_file(f"{HOME}/{workspace}/extract/stage.json"))

    def staged(self, application: str) -> bool:
        """Whether YARN keeps files of a job."""
        return application.replace("application", "job") in self.stagings()

    def stagings(self) -> list[str]:
        """Jobs of which YARN keeps files."""
        return self.copied("")

    def copied(self, job: str) -> list[str]:
        """What it keeps of a job."""
        folder = f"/tmp/hadoop-yarn/staging/{self.cluster.plan.user}/.staging/{job}"
        with contextlib.suppress(FileNotFoundError):
            return [path.rsplit("/", 1)[-1] for path in self.hdfs.ls(folder, detail=False)]
        return []


@pytest.fixture(scope="module")
def site(cluster, environment, tmp_path_factory) -> Iterator[Site]:
    variables = {**environment, **cluster.exports()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        site = Site(cluster, variables, tmp_path_factory.mktemp("faults"))
        site.hdfs.pipe_file(PARQUET, many_pictures())
        yield site


@pytest.fixture(scope="module")
def undisturbed(site) -> str:
    """The digest of what extract gives: of the checksums of its parts."""
    done = site.run("undisturbed")
    assert done.returncode == 0, done.stderr
    assert site.extracted("undisturbed")["counters"].items() >= COUNTERS.items()
    return site.extracted("undisturbed")["digest"]


def caught(site: Site, workspace: str, *more: str) -> SimpleNamespace:
    """A run whose map tasks are at work on pictures."""
    run = site.start(workspace, *more)

    def busy() -> list:
        assert run.poll() is None, run.stderr.read()
        return busy_mappers(site.cluster)

    return SimpleNamespace(run=run, mappers=until(busy, "map tasks at work"))


def finish(site: Site, run: subprocess.Popen[str], workspace: str, expected: str) -> str:
    """The run ends well: output and counters are as ever, nothing is left; what it said."""
    said = run.communicate(timeout=300)[1]
    assert run.returncode == 0, said
    document = site.extracted(workspace)
    assert (document["digest"], document["counters"]["images"]) == (expected, COUNTERS["images"])
    assert site.entries(workspace, "extract") == {document["folder"], "stage.json"}
    assert_nothing_left(site, workspace)
    return said


def assert_nothing_left(site: Site, workspace: str) -> None:
    """No application, no temporary folder in HDFS or here, no process of a task."""
    assert running(site.cluster) == []
    assert [name for name in site.entries(workspace) if name.startswith((".", "_"))] == []
    assert [path for path in site.temporary.rglob("*") if path.is_file()] == []
    until(lambda: not (tasks(site.cluster, MAPPER) + tasks(site.cluster, DECODER)), "tasks to end")


# ---- tasks


def test_killed_map_attempts_change_nothing(site, undisturbed):
    """The Python of one attempt, the Java of another, and a decoder, which costs no attempt."""
    found = caught(site, "killed")
    found.mappers[0].kill()
    until(lambda: len(busy_mappers(site.cluster)) > 1, "two mappers")
    java = next(p for p in tasks(site.cluster, JVM) if "_m_" in " ".join(p.cmdline()))
    java.kill()
    decoder = until(lambda: tasks(site.cluster, DECODER), "a decoder")[0]
    decoder.kill()
    said = finish(site, found.run, "killed", undisturbed)
    assert len(lost(site.cluster, said)) >= 2


def test_a_task_that_hangs_is_ended_and_tried_again(site, undisturbed, tmp_path):
    """It is stopped, as by a disk that does not answer, and says nothing any more."""
    conf = tmp_path / "impatient.conf"
    conf.write_text(
        "runners:\n  hadoop:\n    jobconf:\n      mapreduce.task.timeout: 12000\n"
        "      mapreduce.task.timeout.check-interval-ms: 1000\n"
    )
    found = caught(site, "hangs", "--mrjob-conf", str(conf))
    found.mappers[0].suspend()
    said = finish(site, found.run, "hangs", undisturbed)
    (failed,) = [a for a in attempts(site.cluster, said) if a["state"] != "SUCCEEDED"]
    assert "task timeout set: 12s, taskTimedOut: true" in failed["diagnostics"]
    assert not alive(found.mappers[0])


# ---- nodes


@pytest.mark.parametrize("master", [False, True], ids=["of maps", "of the master"])
def test_a_lost_nodemanager_changes_nothing(site, undisturbed, master):
    """It is killed with its containers; the maps that it had done are done again, too."""
    workspace = f"node-{master}"
    found = caught(site, workspace)
    home = next(index for index in (0, 1) if tasks(site.cluster, MASTER, index))
    node = home if master else 1 - home
    victims = until(lambda: busy_mappers(site.cluster, node), f"maps on node {node}")
    site.cluster.kill(f"nodemanager {node}")
    try:
        until(lambda: not any(map(alive, victims)), "maps to end")
        said = finish(site, found.run, workspace, undisturbed)
    finally:
        site.cluster.start(f"nodemanager {node}")
    # the attempts of a second master count from 1000
    later = [a["id"] for a in attempts(site.cluster, said) if a["id"].rpartition("_")[2] != "0"]
    assert later
    assert any(name.endswith("_1000") for name in later) == master


def bytes_read(cluster, index: int) -> int:
    """What a DataNode has read for others since it was started."""
    url = f"{cluster.plan.node_url('datanode', index)}/jmx"
    beans = ask(f"{url}?qry=Hadoop:service=DataNode,name=DataNodeActivity-*")["beans"]
    return sum(bean["BytesRead"] for bean in beans)


def test_a_lost_datanode_changes_nothing(site, undisturbed):
    """It is killed while tasks read from it; reducers write with one replica less."""
    before = [bytes_read(site.cluster, index) for index in (0, 1)]
    found = caught(site, "data")

    def most_read() -> tuple[int, int] | None:
        count, index = max((bytes_read(site.cluster, i) - before[i], i) for i in (0, 1))
        return (count, index) if count > 0 else None

    read = until(most_read, "reads")
    site.cluster.kill(f"datanode {read[1]}")
    try:
        at_work = [process for process in found.mappers if alive(process)]
        finish(site, found.run, "data", undisturbed)
    finally:
        site.cluster.start(f"datanode {read[1]}")
    assert at_work


@pytest.fixture
def rotten(site) -> Iterator[list[Path]]:
    """Replicas of the input on node 0, with a byte of every row group flipped."""
    said = fsck(site, "-files", "-blocks")
    names = re.findall(r"(blk_\d+)_\d+", said)
    node = site.cluster.plan.node_folder(0)
    files = [path for name in names for path in (node / "data").rglob(name)]
    for path in files:
        data = bytearray(path.read_bytes())
        for group in range(GROUPS):
            data[(2 * group + 1) * len(data) // (2 * GROUPS)] ^= 1
        path.write_bytes(data)
    yield files
    site.hdfs.pipe_file(PARQUET, many_pictures())


def fsck(site: Site, *options: str) -> str:
    command = ["hdfs", "fsck", f"{HOME}/many.parquet", *options]
    return subprocess.run(
        command, env=site.cluster.exports(), capture_output=True, text=True, timeout=120
    ).stdout


def test_flipped_bytes_in_a_replica_are_noticed_and_another_is_read(site, undisturbed, rotten):
    assert len(rotten) == 1
    finish(site, site.start("rotten"), "rotten", undisturbed)
    url = f"{site.cluster.plan.master_url('namenode')}/jmx"
    (bean,) = ask(f"{url}?qry=Hadoop:service=NameNode,name=FSNamesystem")["beans"]
    assert bean["CorruptBlocks"] == 1


# ---- the driver


def test_a_killed_driver_is_followed_by_one_that_ends_its_job(site, undisturbed):
    found = caught(site, "driver")
    found.run.kill()
    found.run.wait()
    (left,) = running(site.cluster)
    assert site.staged(left)
    again = site.start("driver")
    said = finish(site, again, "driver", undisturbed)
    assert f"ended {left}, which an earlier run left" in said
    assert application(said) != left
    assert not site.staged(left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(site, number):
    workspace = f"stopped-{number}"
    found = caught(site, workspace)
    began = time.monotonic()
    found.run.send_signal(number)
    said = found.run.communicate(timeout=60)[1]
    assert running(site.cluster) == []
    assert_nothing_left(site, workspace)
    seconds = time.monotonic() - began
    assert (found.run.returncode, said.count("mapsight: stopped")) == (130, 1)
    assert site.entries(workspace, "extract") == set()
    assert not site.staged(application(said))
    assert seconds < STOP_SECONDS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stopped_while_it_submits_leaves_no_file_of_its_job(site, number):
    before = set(site.stagings())
    run = site.start(f"submits-{number}")
    until(lambda: set(site.stagings()) - before, "a job that is being submitted")
    (job,) = set(site.stagings()) - before
    until(lambda: site.copied(job), "its first file")
    run.send_signal(number)
    said = run.communicate(timeout=60)[1]
    assert (run.returncode, said.count("mapsight: stopped")) == (130, 1)
    assert set(site.stagings()) <= before
    assert_nothing_left(site, f"submits-{number}")


# ---- no space


def test_a_full_hdfs_is_named_and_nothing_is_published(site, tmp_path):
    conf = tmp_path / "once.conf"
    conf.write_text("runners: {hadoop: {jobconf: {mapreduce.reduce.maxattempts: 1}}}\n")
    found = caught(site, "full", "--mrjob-conf", str(conf))
    quota(site, "full", "-setSpaceQuota", "1m")
    said = found.run.communicate(timeout=300)[1]
    quota(site, "full", "-clrSpaceQuota")
    assert found.run.returncode == 1
    (line,) = [line for line in said.splitlines() if line.startswith("mapsight: error:")]
    assert re.search(
        r"reduce task 0 on \S+ the HDFS quota of /user/tester/faults/full is used", line
    )
    assert site.entries("full", "extract") == set()
    assert_nothing_left(site, "full")


def quota(site: Site, workspace: str, *how: str) -> None:
    command = ["hdfs", "dfsadmin", *how, f"{HOME}/{workspace}"]
    subprocess.run(command, env=site.cluster.exports(), check=True, timeout=120)
