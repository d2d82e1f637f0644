"""Applications found, watched and ended, against what a real cluster had answered."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.hadoop import yarn as module
from driver.hadoop import yarn_commands
from driver.hadoop.cluster import full_uri
from driver.hadoop.mrjob_files import HadoopFiles
from driver.hadoop.progress import YarnProgress
from driver.hadoop.submitted_jobs import failed_in_its_master, named_at_once, staged
from driver.hadoop.yarn import Application, JobProgress, Yarn
from driver.hadoop.yarn_web import MOST_BYTES, NoAnswer
from tests.driver.hadoop.yarn_answers import (
    APPLICATION,
    CONTAINER,
    COUNTERS,
    GATHERED,
    JOB,
    JOB_LOG,
    JOB_ROW,
    RUNNING_APP,
    Cluster,
    serving,
)


def apps(*rows: dict[str, object]) -> dict[str, object]:
    return {"apps": {"app": list(rows)}}


@pytest.mark.parametrize(
    "spelled, full",
    [
        ("hdfs:///user/me/w", "hdfs://Namenode:8020/user/me/w"),
        ("hdfs://namenode:8020/user/me/w", "hdfs://Namenode:8020/user/me/w"),
        ("hdfs://other:8020/user/me/w", "hdfs://other:8020/user/me/w"),
        ("s3://bucket/w", "s3://bucket/w"),
    ],
)
def test_a_folder_has_one_name_however_it_is_spelled(spelled, full):
    assert full_uri(spelled, {"fs.defaultFS": "hdfs://Namenode:8020/"}) == full


def test_jobs_that_are_being_submitted_are_named_at_once(tmp_path, capsys):
    said = b"""INFO JobResourceUploader: Disabling Erasure Coding for path: /s/.staging/job_17_0002
INFO JobSubmitter: Submitting tokens for job: job_17_0002
INFO Kind: mapreduce, Service: job_16_0001, Ident: other"""
    lines = said.splitlines()
    assert named_at_once(lambda lines, **how: (list(lines), how))(lines, a=1) == (lines, {"a": 1})
    (tmp_path / "job-001-extract").mkdir()
    (tmp_path / "job-001-extract" / "log").write_text("mrjob: x\n" + capsys.readouterr().err)
    assert staged(tmp_path) == ["job_17_0002"]
    assert staged(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("number of splits:1\nuber mode : true\nJob job_1_1 failed with state FAILED due to", True),
        ("number of splits:1\nstate is completed. FinalApplicationStatus=FAILED. Redirect", True),
        ("number of splits:1\nJob job_1_1 failed with state KILLED due to", False),
        ("number of splits:1\nrunning in uber mode : false\nfailed with state FAILED", False),
        ("number of splits:12\nfailed with state FAILED", False),
        ("number of splits:1\ncompleted successfully", False),
    ],
)
def test_what_failed_in_its_master_or_may_have_is_known_by_its_log(tmp_path, said, again):
    (tmp_path / "log").write_text(said)
    assert failed_in_its_master(tmp_path / "log") is again
    assert not failed_in_its_master(tmp_path / "none")


def running(cluster: Cluster) -> Application:
    return Application(APPLICATION, tracking_url=f"http://{cluster.address}/proxy/{APPLICATION}/")


# ---- applications


def test_applications_of_a_tag_are_described(cluster, yarn):
    url = f"http://{cluster.address}/proxy/{APPLICATION}/"
    cluster.answers["/ws/v1/cluster/apps"] = apps({**RUNNING_APP, "trackingUrl": url})
    name = "streamjob17885680487951392951.jar"
    assert yarn.applications("yarn-tests-sleep") == [
        Application(
            APPLICATION, name, "RUNNING", "UNDEFINED", url, 95.0, 1795529756.347, 116.012, ""
        )
    ]


def test_only_what_runs_is_asked_for_and_tags_are_in_lower_case(cluster, yarn):
    cluster.answers["/ws/v1/cluster/apps"] = apps()
    yarn.applications("Tag")
    yarn.applications("Tag", running=False)
    states = [
        "states=NEW%2CNEW_SAVING%2CSUBMITTED%2CACCEPTED%2CRUNNING" in a for a in cluster.asked
    ]
    assert states == [True, False]
    assert all("applicationTags=tag&" in asked for asked in cluster.asked)


@pytest.mark.parametrize("none", [{"apps": {}}, {"apps": None}, {}])
def test_no_applications_of_a_tag(cluster, yarn, none):
    cluster.answers["/ws/v1/cluster/apps"] = none
    assert yarn.applications("tag") == []


def dead_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


def test_of_several_resourcemanagers_the_one_that_answers_is_asked(cluster):
    cluster.answers["/ws/v1/cluster/apps"] = apps(RUNNING_APP)
    found = Yarn(cluster.conf(dead_address())).applications("tag")
    assert [application.id for application in found] == [APPLICATION]


def test_a_standby_resourcemanager_is_passed_over(cluster):
    with serving() as standby:
        standby.answers["/ws/v1/cluster/apps"] = "This is standby RM."
        cluster.answers["/ws/v1/cluster/apps"] = apps(RUNNING_APP)
        yarn = Yarn(cluster.conf(standby.address))
        assert len(yarn.applications("tag")) == len(yarn.applications("tag")) == 1
        assert len(standby.asked) == 1


def test_no_resourcemanager_is_said_in_one_line():
    address = dead_address()
    with pytest.raises(Failure, match=rf"^no ResourceManager answers: http://{address}/.*refused"):
        Yarn({"yarn.resourcemanager.webapp.address": address}).applications("tag")


def test_an_answer_without_end_is_given_up(cluster, yarn):
    cluster.answers["/ws/v1/cluster/apps"] = " " * (MOST_BYTES + 1)
    with pytest.raises(NoAnswer, match="no end after"):
        yarn.applications("tag")


def test_a_cluster_without_nodes_is_refused(cluster, yarn):
    cluster.answers["/ws/v1/cluster/metrics"] = {"clusterMetrics": {"activeNodes": 0}}
    with pytest.raises(Failure, match="YARN has no working node"):
        yarn.check()


def test_the_cores_of_a_cluster_are_those_of_its_nodes(cluster, yarn):
    cluster.answers["/ws/v1/cluster/metrics"] = {"clusterMetrics": {"totalVirtualCores": 96}}
    assert yarn.cores() == 96
    cluster.answers["/ws/v1/cluster/metrics"] = {"clusterMetrics": {}}
    assert yarn.cores() is None


# ---- ending them


def test_all_applications_of_a_tag_are_ended_and_waited_for(cluster, yarn):
    left = [apps(RUNNING_APP, {**RUNNING_APP, "id": "application_1_2"}), apps(RUNNING_APP), apps()]
    cluster.answers["/ws/v1/cluster/apps"] = lambda: left.pop(0)
    paths = [f"/ws/v1/cluster/apps/{name}/state" for name in (APPLICATION, "application_1_2")]
    cluster.answers.update({path: {"state": "RUNNING"} for path in paths})
    assert yarn.kill("tag") == [APPLICATION, "application_1_2"]
    assert cluster.told == [(path, {"state": "KILLED"}) for path in paths]
    assert left == []


def test_one_that_does_not_end_is_named(cluster, yarn, monkeypatch):
    monkeypatch.setattr(module, "KILL_SECONDS", 0)
    cluster.answers["/ws/v1/cluster/apps"] = apps(RUNNING_APP)
    cluster.answers[f"/ws/v1/cluster/apps/{APPLICATION}/state"] = {"state": "RUNNING"}
    with pytest.raises(NoAnswer, match=f"still running after 0 s: {APPLICATION}$"):
        yarn.kill("tag")


def test_where_nothing_runs_nothing_is_ended(cluster, yarn):
    cluster.answers["/ws/v1/cluster/apps"] = apps()
    assert (yarn.kill("tag"), cluster.told) == ([], [])


# ---- how far they are


def test_progress_is_that_of_the_job_with_its_counters(cluster, yarn):
    jobs = f"/proxy/{APPLICATION}/ws/v1/mapreduce/jobs/{JOB}"
    cluster.answers.update({jobs: {"job": JOB_ROW}, f"{jobs}/counters": COUNTERS})
    counters = {"images": {"read": 32}, "progress": {"rejected": 2}}
    assert yarn.progress(running(cluster)) == JobProgress(JOB, 1, 2, 0, 3, 3, counters)


@pytest.mark.parametrize(
    "answer", [404, 500, "<html>not yet</html>", {}, [], {"job": None}, {"job": {"mapsTotal": "x"}}]
)
def test_a_master_that_does_not_tell_is_no_error(cluster, yarn, answer):
    cluster.answers[f"/proxy/{APPLICATION}/ws/v1/mapreduce/jobs/{JOB}"] = answer
    assert yarn.progress(running(cluster)) is None


def shown(cluster: Cluster, yarn: Yarn, folder: Path, *logs: str, total: int | None = 100) -> str:
    """What people without a terminal see while the log of `hadoop jar` grows."""
    stream = io.StringIO()
    progress = YarnProgress("extract", total, yarn, "tag", stream)
    for log in logs:
        with (folder / "log").open("a") as file:
            file.write(log.replace("//RM/", f"//{cluster.address}/"))
        progress._said, progress._asked = 0, -2  # long ago
        progress.update(folder)
    return stream.getvalue().replace(cluster.address, "RM")


def test_people_see_the_application_and_its_counters(cluster, yarn, tmp_path):
    jobs = f"/proxy/{APPLICATION}/ws/v1/mapreduce/jobs/{JOB}"
    cluster.answers.update({jobs: {"job": JOB_ROW}, f"{jobs}/counters": COUNTERS})
    first, second = shown(cluster, yarn, tmp_path, JOB_LOG).splitlines()
    assert first == f"extract: {APPLICATION} http://RM/proxy/{APPLICATION}/"
    assert second.startswith("extract: 32 of 100 pictures, ")
    assert second.endswith(" s left; maps 1/2, reduces 0/3, 3 failed attempts")


def all_of(screen) -> bytes:
    """What a terminal shows, which comes in pieces; over when it is still for a second."""
    said = b""
    while select.select([screen], [], [], 1.0)[0]:
        said += screen.read(65536)
    return said


def test_on_a_terminal_the_application_stands_above_the_bar(cluster, yarn, tmp_path):
    jobs = f"/proxy/{APPLICATION}/ws/v1/mapreduce/jobs/{JOB}"
    cluster.answers.update({jobs: {"job": JOB_ROW}, f"{jobs}/counters": COUNTERS})
    (tmp_path / "log").write_text(cluster.log)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 150, 0, 0))
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", 0) as screen:
        progress = YarnProgress("extract", 100, yarn, "tag", terminal)
        progress.update(tmp_path)
        terminal.flush()
        lines = all_of(screen).decode().split("\r\n")
    assert f"extract: {APPLICATION} http://{cluster.address}/proxy/{APPLICATION}/" in lines[0]
    assert "32/100 [" in lines[-1]
    assert "2 rejected, maps 1/2, reduces 0/3, 3 failed attempts]" in lines[-1]


def test_where_no_master_can_be_asked_people_see_per_cent(cluster, yarn, tmp_path):
    said = shown(cluster, yarn, tmp_path, JOB_LOG, "   map 100% reduce 7%\n", total=None)
    assert said.splitlines()[1:] == [
        "extract: map 100 %, reduce 0 %",
        "extract: map 100 %, reduce 7 %",
    ]


def test_an_application_that_waits_for_its_turn_is_said_to(cluster, yarn, tmp_path):
    cluster.answers["/ws/v1/cluster/apps"] = apps({**RUNNING_APP, "state": "ACCEPTED"})
    log = f"  The url to track the job: http://RM/proxy/{APPLICATION}/\n"
    said = shown(cluster, yarn, tmp_path, log)
    assert said.splitlines()[1] == "extract: waits for its turn in YARN"


# ---- where tickets are asked for: the commands


@pytest.fixture
def commands(tmp_path, monkeypatch) -> Callable[[str], Yarn]:
    """YARN of a cluster with Kerberos; `yarn` prints a text and notes how it was called."""

    def make(text: str) -> Yarn:
        program = tmp_path / "bin" / "yarn"
        program.parent.mkdir()
        (tmp_path / "text").write_text(text)
        program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/called\ncat {tmp_path}/text\n')
        program.chmod(0o755)
        (program.parent / "hadoop").touch()
        monkeypatch.setenv("HADOOP_HOME", str(tmp_path))
        return Yarn({"hadoop.security.authentication": "kerberos"})

    return make


LISTED = f"""\
Total number of applications (application-types: [], states: [RUNNING] and tags: [tag]):1
                Application-Id\t    Application-Name\t    Application-Type\t      User\t     Queue
{APPLICATION}\tstreamjob2.jar\t           MAPREDUCE\t      root\t   default\t           RUNNING\t\
         UNDEFINED\t            95%\thttp://127.0.0.2:41929
"""


def test_with_kerberos_applications_are_those_that_the_command_lists(commands):
    url = "http://127.0.0.2:41929"
    assert commands(LISTED).applications("tag") == [
        Application(APPLICATION, "streamjob2.jar", "RUNNING", "UNDEFINED", url)
    ]


def test_a_command_that_nobody_waits_for_any_more_is_killed_at_once(tmp_path, monkeypatch):
    (tmp_path / "yarn").write_text("#!/bin/sh\nsleep 1\nkill -INT $PPID\nexec sleep 1000\n")
    (tmp_path / "yarn").chmod(0o755)
    monkeypatch.setattr(yarn_commands, "_yarn", lambda: str(tmp_path / "yarn"))
    # a shell that runs the tests in the background has it ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    waits, wait = [], subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", lambda p, t=None: waits.append(t) or wait(p, t))
    try:
        with pytest.raises(KeyboardInterrupt):
            yarn_commands.nodes()
    finally:
        signal.signal(signal.SIGINT, before)
    assert waits == [None]  # for the end of what was killed


def test_with_kerberos_an_application_is_ended_by_command(commands, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KILL_SECONDS", 0)
    with pytest.raises(NoAnswer, match="still running"):
        commands(LISTED).kill("tag")
    assert f"application -kill {APPLICATION}" in (tmp_path / "called").read_text().splitlines()


def test_a_refusal_of_the_web_leads_to_the_command(cluster, commands):
    cluster.answers["/ws/v1/cluster/apps"] = 401
    by_command = commands(LISTED)
    found = Yarn(cluster.conf()).applications("tag")
    assert found == by_command.applications("tag")


def test_with_kerberos_the_first_traceback_of_an_application_is_found(commands):
    other = GATHERED.replace(CONTAINER, "container_1_1_01_000001").replace("Traceback", "Trace")
    found = commands(other + GATHERED).failure(JOB_LOG)
    assert found is not None
    assert found.line == "ValueError: line-2: 7 is not a picture of zwölf"


# ---- which Hadoop


@pytest.mark.parametrize(("said", "version"), [("3.3.4", "3.3.4"), ("3.4.1-amzn-2", "3.4.1")])
def test_its_version_is_asked_for_without_java(cluster, said, version, monkeypatch):
    cluster.answers["/ws/v1/cluster/info"] = {"clusterInfo": {"hadoopVersion": said}}
    monkeypatch.setattr("driver.hadoop.mrjob_files.Yarn", lambda: Yarn(cluster.conf()))
    assert HadoopFiles(["/nowhere/hadoop"]).get_hadoop_version() == version


def test_a_version_that_is_not_said_is_asked_of_the_command(yarn, monkeypatch, tmp_path):
    hadoop = tmp_path / "hadoop"
    hadoop.write_text("#!/bin/sh\necho Hadoop 2.10.2\n")
    hadoop.chmod(0o755)
    monkeypatch.setattr("driver.hadoop.mrjob_files.Yarn", lambda: yarn)
    assert HadoopFiles([str(hadoop)]).get_hadoop_version() == "2.10.2"
