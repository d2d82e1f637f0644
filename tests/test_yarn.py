"""The driver's part of YARN, against what a real cluster of Hadoop 3.3.4 had answered."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver import yarn as module
from driver import yarn_logs
from driver.errors import Failure
from driver.yarn import Application, JobProgress, Yarn, YarnProgress
from driver.yarn_failures import python_error, why_refused
from driver.yarn_logs import Attempt, explain
from driver.yarn_web import MOST_BYTES, NoAnswer

APPLICATION = "application_1795529525987_0002"
JOB, TASK = "job_1795529525987_0002", "task_1795529525987_0002_m_000000"
ATTEMPT = "attempt_1795529525987_0002_m_000000_0"
CONTAINER = "container_1795529525987_0002_01_000002"

RUNNING_APP = {
    "id": APPLICATION,
    "user": "root",
    "name": "streamjob17885680487951392951.jar",
    "queue": "default",
    "state": "RUNNING",
    "finalStatus": "UNDEFINED",
    "progress": 95.0,
    "trackingUI": "ApplicationMaster",
    "diagnostics": "",
    "applicationType": "MAPREDUCE",
    "applicationTags": "yarn-tests-sleep",
    "startedTime": 1795529756347,
    "finishedTime": 0,
    "elapsedTime": 116012,
}
JOB_ROW = {
    "id": JOB,
    "state": "RUNNING",
    "mapsTotal": 2,
    "mapsCompleted": 1,
    "reducesTotal": 3,
    "reducesCompleted": 0,
    "failedReduceAttempts": 2,
    "failedMapAttempts": 1,
}


def counter(name: str, value: int) -> dict[str, object]:
    return {"name": name, "totalCounterValue": value, "mapCounterValue": 0}


COUNTERS = {
    "jobCounters": {
        "id": JOB,
        "counterGroup": [
            {
                "counterGroupName": "org.apache.hadoop.mapreduce.FileSystemCounter",
                "counter": [counter("FILE_BYTES_READ", 7)],
            },
            {"counterGroupName": "images", "counter": [counter("read", 32)]},
            {"counterGroupName": "progress", "counter": [counter("rejected", 2)]},
        ],
    }
}
JAVA = """\
Error: java.lang.RuntimeException: PipeMapRed.waitOutputThreads(): subprocess failed with code {}
\tat org.apache.hadoop.streaming.PipeMapRed.waitOutputThreads(PipeMapRed.java:326)
\tat org.apache.hadoop.streaming.PipeMapRed.mapRedFinished(PipeMapRed.java:539)
"""
STDERR = """\
+ python3 troubled_job.py --step-num=0 --mapper --trouble error
a warning of a library
Traceback (most recent call last):
  File "troubled_job.py", line 44, in trouble_error
    raise KeyError("7")
KeyError: '7'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "troubled_job.py", line 77, in <module>
    MRTroubled.run()
  File "troubled_job.py", line 46, in trouble_error
    raise ValueError(f"{line}: 7 is not a picture of zwölf") from error
ValueError: line-2: 7 is not a picture of zwölf
log4j:WARN No appenders could be found for logger (org.apache.hadoop.metrics2.impl.MetricsSystem).
"""
GATHERED = f"""\
Container: {CONTAINER} on 127.0.0.3_26204
LogAggregationType: AGGREGATED
====================================================================
LogType:stderr
LogLastModifiedTime:Tue Nov 24 14:16:31 +0000 2026
LogLength:2364
LogContents:
{STDERR}
End of LogType:stderr
***********************************************************************
"""
JOB_LOG = f"""\
  Submitted application {APPLICATION}
  The url to track the job: http://RM/proxy/{APPLICATION}/
  Running job: {JOB}
   map 0% reduce 0%
   map 100% reduce 0%
  Job {JOB} failed with state FAILED due to: Task failed {TASK}
Job failed as tasks failed. failedMaps:1 failedReduces:0 killedMaps:0 killedReduces: 0

  Job not successful!
"""


# ---- a server that says again what a real cluster said


Answer = object  # JSON, a text, a status, or a function without arguments that gives one


class Cluster:
    """Answers by path, and what was asked."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.address = f"127.0.0.1:{server.server_port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.told: list[tuple[str, object]] = []

    def conf(self, *others: str) -> dict[str, str]:
        """A configuration with this ResourceManager behind others."""
        managers = [*others, self.address]
        names = {f"rm{number}": address for number, address in enumerate(managers)}
        return {
            "yarn.resourcemanager.ha.enabled": "true",
            "yarn.resourcemanager.ha.rm-ids": ",".join(names),
            **{f"yarn.resourcemanager.webapp.address.{name}": at for name, at in names.items()},
            "mapreduce.jobhistory.webapp.address": self.address,
        }

    @property
    def log(self) -> str:
        """What `hadoop jar` said of the job."""
        return JOB_LOG.replace("//RM/", f"//{self.address}/")

    def has_failed(self, diagnostics: str = JAVA.format(1)) -> None:
        """The job has failed, and its history and logs are there."""
        history = f"/ws/v1/history/mapreduce/jobs/{JOB}/tasks/{TASK}/attempts"
        row = {
            "id": ATTEMPT,
            "state": "FAILED",
            "nodeHttpAddress": self.address,
            "diagnostics": diagnostics,
            "assignedContainerId": CONTAINER,
            "finishTime": 1795529782467,
        }
        self.answers[history] = {"taskAttempts": {"taskAttempt": [row]}}
        self.answers[f"/ws/v1/history/containerlogs/{CONTAINER}/stderr"] = GATHERED


@contextmanager
def serving() -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, _ = self.path.partition("?")
            cluster.asked.append(self.path)
            answer = cluster.answers.get(path, 404)
            answer = answer() if callable(answer) else answer
            body = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cluster.told.append((self.path.partition("?")[0], json.loads(body)))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    cluster = Cluster(server)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with serving() as cluster:
        yield cluster


@pytest.fixture
def yarn(cluster, monkeypatch) -> Yarn:
    """YARN with one ResourceManager, which has all applications; waiting takes no time."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    monkeypatch.setattr(yarn_logs, "POLL_SECONDS", 0)
    monkeypatch.setattr(yarn_logs, "WAIT_SECONDS", 2)
    monkeypatch.setenv("HADOOP_HOME", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    return Yarn(cluster.conf())


def apps(*rows: dict[str, object]) -> dict[str, object]:
    return {"apps": {"app": list(rows)}}


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
    with pytest.raises(Failure, match="YARN has no node that works"):
        yarn.check()


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


# ---- why a task failed


def test_a_failed_job_gives_the_python_error_of_its_task(cluster, yarn):
    cluster.has_failed()
    found = yarn.failure(cluster.log)
    assert found.line == "map task 0 on 127.0.0.1: ValueError: line-2: 7 is not a picture of zwölf"
    assert found.attempt == ATTEMPT
    assert STDERR.rstrip() in found.detail


def test_of_logs_only_the_end_is_asked_for(cluster, yarn):
    cluster.has_failed()
    yarn.failure(cluster.log)
    logs = [asked for asked in cluster.asked if "stderr" in asked]
    assert logs
    assert all(asked.endswith("size=-20480") for asked in logs)


def test_a_log_that_is_still_being_gathered_is_waited_for(cluster, yarn):
    cluster.has_failed()
    log = f"/ws/v1/history/containerlogs/{CONTAINER}/stderr"
    answers: list[Answer] = [500, 404, GATHERED]
    cluster.answers[log] = lambda: answers.pop(0)
    assert "ValueError" in yarn.failure(cluster.log).line


def test_tasks_that_the_log_does_not_name_are_found_in_the_history(cluster, yarn):
    cluster.has_failed()
    tasks = [
        {"id": TASK, "state": "FAILED", "startTime": 2, "finishTime": 9},
        {"id": f"{TASK[:-1]}1", "state": "FAILED", "startTime": -1, "finishTime": 8},
        {"id": f"{TASK[:-1]}2", "state": "SUCCEEDED", "startTime": 1, "finishTime": 3},
    ]
    cluster.answers[f"/ws/v1/history/mapreduce/jobs/{JOB}/tasks"] = {"tasks": {"task": tasks}}
    assert yarn.failure(f"  Running job: {JOB}\n").attempt == ATTEMPT


def test_without_any_log_people_hear_where_to_look(cluster, yarn, monkeypatch):
    monkeypatch.setattr(yarn_logs, "WAIT_SECONDS", 0)
    said = yarn.failure(cluster.log).line
    assert said == (
        f"a task failed, and its log could not be read: try yarn logs -applicationId {APPLICATION}"
    )


def test_a_broken_pipe_is_explained_by_the_log_of_java(cluster, yarn):
    cluster.has_failed()
    logs = f"/ws/v1/node/containers/{CONTAINER}/logs"
    pipe = STDERR.replace("ValueError: line", "BrokenPipeError: line")
    cluster.answers[f"{logs}/stderr"] = GATHERED.replace(STDERR, pipe)
    cluster.answers[f"{logs}/syslog"] = GATHERED.replace(STDERR, QUOTA)
    assert yarn.failure(cluster.log).line == (
        "map task 0 on 127.0.0.1: the HDFS quota of /user/root/yarn-tests/q is used up "
        "(quota = 1048576 B = 1 MB but diskspace consumed = 268435456 B = 256 MB)"
    )


QUOTA = """\
Caused by: org.apache.hadoop.ipc.RemoteException(org.apache.hadoop.hdfs.protocol.\
DSQuotaExceededException): The DiskSpace quota of /user/root/yarn-tests/q is exceeded: \
quota = 1048576 B = 1 MB but diskspace consumed = 268435456 B = 256 MB
\tat org.apache.hadoop.hdfs.server.namenode.DirectoryWithQuotaFeature.verifyStoragespaceQuota
"""
TIMEOUT = f"""\
AttemptID:{ATTEMPT} task timeout set: 15s, taskTimedOut: true; task stuck timeout set: 600s, \
taskStuck: false
{JAVA.format(131)}"""
NO_PYTHON = """\
+ python9.9 -c import fcntl; fcntl.flock(9, fcntl.LOCK_EX)
setup-wrapper.sh: 6: python9.9: not found
"""
NO_SPACE = """\
Traceback (most recent call last):
  File "troubled_job.py", line 63, in trouble_space
    with open("/dev/full", "w") as disk:
OSError: [Errno 28] No space left on device
"""


@pytest.mark.parametrize(
    "diagnostics, stderr, line",
    [
        (JAVA.format(1), NO_SPACE, "OSError: [Errno 28] No space left on device"),
        (
            TIMEOUT,
            "",
            "it said nothing for 15 s, and Hadoop ended it (mapreduce.task.timeout)",
        ),
        (
            f"AttemptID:{ATTEMPT} Timed out after 600 secs",  # before Hadoop 3.3
            "",
            "it said nothing for 600 s, and Hadoop ended it (mapreduce.task.timeout)",
        ),
        (
            JAVA.format(127),
            NO_PYTHON,
            "its node has no python9.9: nodes need it on their PATH,"
            " or name another with --node-python",
        ),
        (
            JAVA.format(137),
            "",
            "it was killed (SIGKILL): often because the node had no memory left",
        ),
        (JAVA.format(139), "", "it crashed (SIGSEGV)"),
        (JAVA.format(5), "gone\n", "it ended with status 5: gone"),
        ("", "", "it failed and does not say why"),
    ],
)
def test_why_an_attempt_failed(diagnostics, stderr, line):
    attempt = Attempt(ATTEMPT, "node7:8042", diagnostics=diagnostics)
    assert explain(attempt, stderr).line == f"map task 0 on node7: {line}"


@pytest.mark.parametrize(
    "log, line",
    [
        (
            "  Error Launching job : Output directory hdfs://nn:8020/user/me/out already exists",
            "the output folder hdfs://nn:8020/user/me/out exists already",
        ),
        (
            "  Error Launching job : org.apache.hadoop.yarn.exceptions.YarnException: Failed to "
            "submit application_1795529525987_0007 to YARN : Application "
            "application_1795529525987_0007 submitted by user root to unknown queue: nowhere",
            "YARN has no queue nowhere (mapreduce.job.queuename)",
        ),
        (
            "STDERR: mkdir: Permission denied: user=stranger, access=WRITE, "
            'inode="/user/root/yarn-tests/tmp":root:root:drwxr-xr-x',
            "stranger may not use /user/root/yarn-tests/tmp in HDFS (access WRITE denied)",
        ),
        (
            f"  Job {JOB} failed with state KILLED due to: The required MAP capability is more "
            "than the supported max container capability in the cluster. Killing the Job. "
            "mapResourceRequest: <memory:9000, vCores:1> "
            "maxContainerCapability:<memory:3072, vCores:2>",
            "a task asks for 9000 MB of memory and the cluster gives 3072 MB at most"
            " (mapreduce.map.memory.mb, mapreduce.reduce.memory.mb)",
        ),
        (
            f"  Job {JOB} failed with state KILLED due to: Application {APPLICATION} was killed"
            " by user root",
            f"it was ended from outside: Application {APPLICATION} was killed by user root",
        ),
        (
            f"  Job {JOB} failed with state FAILED due to: Application {APPLICATION} failed 2 "
            "times due to AM Container for appattempt_1795529525987_0011_000002 exited with  "
            "exitCode: 1\nFailing this attempt.Diagnostics: Exception from container-launch.\n\n"
            "For more detailed output, check the application tracking page: http://rm/x Then",
            "the master of the job ended with status 1 before it could do anything: see http://rm/x",
        ),
        (
            f"  Job {JOB} failed with state FAILED due to: Application {APPLICATION} failed 2 "
            "times due to ApplicationMaster for attempt appattempt_1795530960681_0001_000002 timed "
            "out. Failing the application.",
            "the master of the job was not heard of for too long: its node is overloaded or lost",
        ),
        ("  Job not successful!", None),
    ],
)
def test_why_a_job_was_refused_or_ended_as_a_whole(log, line):
    assert why_refused(log) == line


@pytest.mark.parametrize(
    "log, line",
    [
        (STDERR, "ValueError: line-2: 7 is not a picture of zwölf"),
        (STDERR[-180:], "ValueError: line-2: 7 is not a picture of zwölf"),
        ('  File "x.py", line 1\n    1 +\n     ^\nSyntaxError: bad\n', "SyntaxError: bad"),
        ("Traceback (most recent call last):\n  File cut", None),
        ("a line\nError is no type\n", None),
        ("", None),
    ],
)
def test_the_python_error_of_a_log(log, line):
    assert python_error(log) == line


@given(st.text(), st.text())
def test_no_text_of_a_task_makes_the_explanation_fail(diagnostics, stderr):
    line = explain(Attempt("x", "n:1", diagnostics=diagnostics), f"{STDERR[:90]}{stderr}").line
    assert line.startswith("a task on n: ")
