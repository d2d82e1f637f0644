"""What runs in the containers of a cluster, and what happened to the attempts of a job."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import psutil

from devcluster import daemons
from devcluster.lifecycle import Cluster
from mapsight.features.decoder_child import NAME

SECONDS = 120
T = TypeVar("T")
MASTER = "org.apache.hadoop.mapreduce.v2.app.MRAppMaster"
MAPPER, DECODER, JVM = (
    "--mapper",
    NAME,
    "org.apache.hadoop.mapred.YarnChild",
)


def until(condition: Callable[[], T], what: str = "") -> T:
    """What a condition gives once it holds; a hang guard, nothing more."""
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.02)
    return found


def tasks(cluster: Cluster, word: str, node: int | None = None) -> list[psutil.Process]:
    """The processes in containers, of one node or all, with a word in their command line.

    A decoder's is its name: it is a copy of its mapper, and has the mapper's.
    """
    names = [f"nodemanager {index}" for index in ((0, 1) if node is None else (node,))]
    found = {p.pid for name in names for p in daemons.processes_of(cluster.plan, name)}
    return [process for process in map(_process, sorted(found)) if word in _command(process)]


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _command(process: psutil.Process | None) -> list[str]:
    try:
        if process and process.name() == NAME:
            return [NAME]
        return process.cmdline() if process else []
    except psutil.Error:
        return []


def busy_mappers(cluster: Cluster, node: int | None = None) -> list[psutil.Process]:
    """The Python processes of map tasks that are at work on pictures."""
    parents = [process.ppid() for process in tasks(cluster, DECODER, node) if alive(process)]
    return [process for process in tasks(cluster, MAPPER, node) if process.pid in parents]


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ask(url: str) -> dict[str, Any]:
    """The JSON at an address of the cluster, once it is there."""

    def answer() -> dict[str, Any] | None:
        try:
            request = urllib.request.Request(url, headers={"Accept": "application/json"})
            with daemons.OPENER.open(request, timeout=30) as found:
                return json.load(found)
        except (OSError, ValueError):
            return None

    return until(answer, url)


def running(cluster: Cluster) -> list[str]:
    """The applications that have not ended."""
    states = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
    url = f"{cluster.plan.master_url('resourcemanager')}/ws/v1/cluster/apps?states={states}"
    return [row["id"] for row in (ask(url)["apps"] or {}).get("app", [])]


def application(said: str) -> str:
    """The application that a run spoke of last."""
    return re.findall(r"application_\d+_\d+", said)[-1]


def attempts(cluster: Cluster, said: str) -> list[dict[str, Any]]:
    """All attempts of the maps of the job that a run spoke of last, from the job history."""
    job = application(said).replace("application", "job")
    tasks_of = (
        f"{cluster.plan.master_url('historyserver')}/ws/v1/history/mapreduce/jobs/{job}/tasks"
    )
    names = [task["id"] for task in ask(tasks_of)["tasks"]["task"] if task["type"] == "MAP"]
    rows = (ask(f"{tasks_of}/{name}/attempts")["taskAttempts"]["taskAttempt"] for name in names)
    return [attempt for row in rows for attempt in row]


def lost(cluster: Cluster, said: str) -> list[str]:
    """The attempts of maps that did not succeed, by their states."""
    return [a["state"] for a in attempts(cluster, said) if a["state"] != "SUCCEEDED"]
