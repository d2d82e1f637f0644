"""A server on loopback that says again what a real cluster of Hadoop 3.3.4 had said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

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
