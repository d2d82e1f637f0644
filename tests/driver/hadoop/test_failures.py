"""Why jobs fail: what Hadoop, YARN and Python said when it was made to happen."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.hadoop import task_logs as yarn_logs
from driver.hadoop.task_logs import Attempt, explain
from driver.nodes import failures as yarn_failures
from driver.nodes.failures import python_error, why_refused
from tests.driver.hadoop.yarn_answers import (
    APPLICATION,
    ATTEMPT,
    CONTAINER,
    GATHERED,
    JAVA,
    JOB,
    STDERR,
    TASK,
    Answer,
)

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
        "map task 0 on 127.0.0.1: the HDFS quota of /user/tester/yarn-tests/q is used up "
        "(quota = 1048576 B = 1 MB but diskspace consumed = 268435456 B = 256 MB)"
    )


QUOTA = """\
Caused by: org.apache.hadoop.ipc.RemoteException(org.apache.hadoop.hdfs.protocol.\
DSQuotaExceededException): The DiskSpace quota of /user/tester/yarn-tests/q is exceeded: \
quota = 1048576 B = 1 MB but diskspace consumed = 268435456 B = 256 MB
\tat org.apache.hadoop.hdfs.server.namenode.DirectoryWithQuotaFeature.verifyStoragespaceQuota
"""
TIMEOUT = f"""\
AttemptID:{ATTEMPT} task timeout set: 15s, taskTimedOut: true; task stuck timeout set: 600s, \
taskStuck: false
{JAVA.format(131)}"""
MEMORY = """\
[2026-11-24 14:21:38.903]Container [pid=12422,containerID=container_1795529525987_0003_01_000002] \
is running 679800832B beyond the 'PHYSICAL' memory limit. Current usage: 1.1 GB of 512 MB physical \
memory used; 2.6 GB of 1.0 GB virtual memory used. Killing container.
"""
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
            'Caused by: java.io.IOException: Cannot run program "python9.9": error=2, '
            "No such file or directory",
            "",
            "its node has no python9.9: nodes need it on their PATH,"
            " or name another with --node-python",
        ),
        (
            JAVA.format(137),
            "",
            "it was killed (SIGKILL): often because the node had no memory left",
        ),
        (
            MEMORY,
            "",
            "YARN ended it because it used 1.1 GB of 512 MB physical memory:"
            " raise mapreduce.map.memory.mb",
        ),
        (
            MEMORY.replace("the 'PHYSICAL' memory limit", "virtual memory limits"),  # Hadoop 2
            "",
            "YARN ended it because it used 2.6 GB of 1.0 GB virtual memory:"
            " raise mapreduce.map.memory.mb",
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
            'inode="/user/tester/yarn-tests/tmp":root:root:drwxr-xr-x',
            "stranger may not use /user/tester/yarn-tests/tmp in HDFS (access WRITE denied)",
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


@pytest.mark.parametrize("documented", [yarn_failures, yarn_logs])
def test_examples(documented):
    assert doctest.testmod(documented).failed == 0
