"""Applications on YARN: finding them by tag, watching them, ending them.

Asks the web services of the ResourceManager, and of a job's own master through
its proxy. Where these want a Kerberos ticket, or another user, the commands of
Hadoop are run instead: slower, and without progress.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from driver.errors import Failure
from driver.hadoop import task_logs as yarn_logs
from driver.hadoop import yarn_commands
from driver.hadoop.yarn_web import NeedsLogin, NoAnswer, ask, tell
from driver.nodes.failures import TaskFailure
from mapsight.storage import hadoop_conf

__all__ = ["Application", "JobProgress", "Yarn"]

RUNNING = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING")
GROUPS = ("images", "progress", "fetch")
KILL_SECONDS = 8.0
POLL_SECONDS = 0.25
T = TypeVar("T")


@dataclass(frozen=True)
class Application:
    """An application as the ResourceManager knows it.

    `progress` is in percent; `started` in seconds since 1970, `elapsed` in seconds.
    """

    id: str
    name: str = ""
    state: str = ""
    final_status: str = ""
    tracking_url: str = ""
    progress: float = 0.0
    started: float = 0.0
    elapsed: float = 0.0
    diagnostics: str = ""

    @property
    def running(self) -> bool:
        """Return whether it has not ended; it may still wait for its turn."""
        return self.state in RUNNING

    @property
    def job(self) -> str:
        """Return the id of its MapReduce job."""
        return self.id.replace("application", "job", 1)


@dataclass(frozen=True)
class JobProgress:
    """How far a MapReduce job is; `counters` are by group and name."""

    job: str
    maps_done: int
    maps: int
    reduces_done: int
    reduces: int
    failed_attempts: int = 0
    counters: dict[str, dict[str, int]] = field(default_factory=dict)


class Yarn:
    """The ResourceManagers of a configuration, one of which is active.

    Args:
        conf: `read_conf()` unless given.
        seconds: the longest that one request may take.
    """

    def __init__(self, conf: Mapping[str, str] | None = None, seconds: float = 5.0) -> None:
        self.conf = hadoop_conf.read_conf() if conf is None else conf
        self.seconds = seconds
        self._managers = hadoop_conf.resourcemanager_web_addresses(self.conf)
        self._by_command = hadoop_conf.is_secure(self.conf)

    def quick(self) -> Yarn:
        """Return the same, for asking often: a request takes a second at most."""
        return Yarn(self.conf, seconds=1.0)

    def check(self) -> None:
        """Refuse a cluster on which no job would start.

        Raises:
            Failure: no ResourceManager answers, or it has no node.
        """
        try:
            nodes = self._metrics()["activeNodes"]
        except NeedsLogin:
            nodes = yarn_commands.nodes()
        except (KeyError, TypeError) as error:
            raise NoAnswer("what answers is no ResourceManager") from error
        if not nodes:
            raise Failure("YARN has no working node: a job would wait forever")

    def cores(self) -> int | None:
        """Return how many virtual cores all nodes have; None where YARN does not say."""
        try:
            return int(self._metrics()["totalVirtualCores"])
        except (NoAnswer, KeyError, TypeError, ValueError):
            return None

    def _metrics(self) -> dict[str, Any]:
        return self._ask_manager("metrics", {})["clusterMetrics"]

    def hadoop_version(self) -> str:
        """Return the version of Hadoop, like 3.3.4; empty where the ResourceManager hides it."""
        info = self._ask_manager("info", {}).get("clusterInfo") or {}
        return info.get("hadoopVersion", "").partition("-")[0]

    def applications(self, tag: str, *, running: bool = True) -> list[Application]:
        """Return the applications with a tag (`mapreduce.job.tags`), oldest first.

        Those that ended are known as long as the ResourceManager keeps them,
        and only over the web.

        Raises:
            NoAnswer: no ResourceManager could be asked.
        """
        states = {"states": ",".join(RUNNING)} if running else {}
        try:
            answer = self._ask_manager(
                "apps", {"applicationTags": tag.lower(), "deSelects": "resourceRequests", **states}
            )
        except NeedsLogin:
            return [Application(*row) for row in yarn_commands.applications(tag, RUNNING)]
        rows = (answer.get("apps") or {}).get("app") or []
        return sorted(map(_application, rows), key=lambda one: (one.started, one.id))

    def kill(self, tag: str) -> list[str]:
        """End all running applications with a tag, wait until they are, and return their ids.

        One that is being submitted meanwhile is missed: end who submits first.

        Raises:
            NoAnswer: YARN could not be asked, or some still run after 8 s.
        """
        ids = [one.id for one in self.applications(tag)]
        for application in ids:
            self._end(application)
        deadline = time.monotonic() + KILL_SECONDS
        while ids and (left := self.applications(tag)):
            if time.monotonic() > deadline:
                names = ", ".join(one.id for one in left)
                raise NoAnswer(f"still running after {KILL_SECONDS:.0f} s: {names}")
            time.sleep(POLL_SECONDS)
        return ids

    def _end(self, application: str) -> None:
        try:
            self._of_managers(
                lambda base: tell(
                    f"{base}/ws/v1/cluster/apps/{application}/state",
                    {"state": "KILLED"},
                    self.seconds,
                )
            )
        except NeedsLogin:
            yarn_commands.kill(application)

    def progress(self, application: Application) -> JobProgress | None:
        """Return how far a running job is; None before its master answers and after it has gone."""
        try:
            jobs = f"{self.master(application)}/jobs"
            row = ask(f"{jobs}/{application.job}", None, self.seconds)["job"]
            return JobProgress(
                application.job,
                maps_done=int(row["mapsCompleted"]),
                maps=int(row["mapsTotal"]),
                reduces_done=int(row["reducesCompleted"]),
                reduces=int(row["reducesTotal"]),
                failed_attempts=int(row["failedMapAttempts"]) + int(row["failedReduceAttempts"]),
                counters=self._counters(f"{jobs}/{application.job}/counters"),
            )
        except (NoAnswer, KeyError, TypeError, ValueError, AttributeError):
            return None

    def master(self, application: Application) -> str:
        """Return where the master of a job answers, through the proxy."""
        base = application.tracking_url.partition("/proxy/")
        root = base[0] if base[1] else self._managers[0]
        return f"{root}/proxy/{application.id}/ws/v1/mapreduce"

    def failure(self, job_log: str) -> TaskFailure | None:
        """Return why a job failed, by the log of its `hadoop jar`; None if nothing is known.

        Waits up to 15 s for logs that are being gathered.
        """
        if self._by_command:
            return yarn_logs.failure(yarn_logs.Sources([]), job_log)
        history = hadoop_conf.history_web_address(self.conf)
        submitted = re.findall(r"Submitted application (application_\d+_\d+)", job_log)
        url = re.findall(r"The url to track the job: (\S+)", job_log)
        masters = (
            [self.master(Application(submitted[-1], tracking_url=url[-1]))]
            if submitted and url
            else []
        )
        jobs = [*masters, f"{history}/ws/v1/history/mapreduce"]
        return yarn_logs.failure(yarn_logs.Sources(jobs, history, self.seconds), job_log)

    def _counters(self, url: str) -> dict[str, dict[str, int]]:
        groups = ask(url, None, self.seconds)["jobCounters"].get("counterGroup") or []
        return {
            group["counterGroupName"]: {
                counter["name"]: int(counter["totalCounterValue"]) for counter in group["counter"]
            }
            for group in groups
            if group["counterGroupName"] in GROUPS
        }

    def _ask_manager(self, path: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        return self._of_managers(
            lambda base: ask(f"{base}/ws/v1/cluster/{path}", parameters, self.seconds)
        )

    def _of_managers(self, request: Callable[[str], T]) -> T:
        """Return the answer of the first ResourceManager that gives one; it is asked first then."""
        if self._by_command:
            raise NeedsLogin("the cluster asks for Kerberos")
        reasons = []
        for base in list(self._managers):
            try:
                answer = request(base)
            except NeedsLogin:
                raise
            except NoAnswer as error:
                reasons.append(str(error))
                continue
            with contextlib.suppress(ValueError):
                self._managers.remove(base)
            self._managers.insert(0, base)
            return answer
        raise NoAnswer(f"no ResourceManager answers: {'; '.join(reasons) or 'none is configured'}")


def _application(row: Mapping[str, Any]) -> Application:
    return Application(
        id=row["id"],
        name=row.get("name") or "",
        state=row.get("state") or "",
        final_status=row.get("finalStatus") or "",
        tracking_url=row.get("trackingUrl") or "",
        progress=float(row.get("progress") or 0),
        started=(row.get("startedTime") or 0) / 1000,
        elapsed=(row.get("elapsedTime") or 0) / 1000,
        diagnostics=row.get("diagnostics") or "",
    )
