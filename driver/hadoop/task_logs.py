"""What failed attempts of a job left behind: their diagnostics and their standard error.

The master of a job knows its attempts while it lives and the history server
afterwards. Logs lie on the node until they are gathered in HDFS, where the
history server reads them. `yarn logs` is the last way, and the only one where
the web services ask for a ticket.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from driver.hadoop import yarn_commands
from driver.hadoop.yarn_web import NoAnswer, ask, read
from driver.nodes.failures import TaskFailure, python_error, why_ended, why_exited, why_refused

__all__ = ["Attempt", "Sources", "explain", "failure"]

TAIL = 20_480
TASKS = 3
ATTEMPTS = 2
WAIT_SECONDS = 15.0
POLL_SECONDS = 1.0
BROKEN_PIPE = "BrokenPipeError"
WHOLE = re.compile(r"failed with state KILLED|due to (AM Container|ApplicationMaster) for ")
"""Said of a job that did not fail for one of its tasks."""
GATHERED = re.compile(
    r"Container: (?P<container>container_\w+) on (?P<node>\S+).*?LogContents:\n(?P<text>.*?)"
    r"\nEnd of LogType:",
    re.DOTALL,
)


@dataclass(frozen=True)
class Attempt:
    """A failed attempt of a task; `node` is the web address of its NodeManager."""

    id: str
    node: str = ""
    container: str = ""
    diagnostics: str = ""
    finished: int = 0

    @property
    def where(self) -> str:
        """
        >>> Attempt("attempt_1795529525987_0002_m_000012_0", "node7:8042").where
        'map task 12 on node7'
        """
        parts = self.id.split("_")
        kind = {"m": "map", "r": "reduce"}.get(parts[-3], "") if len(parts) > 3 else ""
        task = f"{kind} task {int(parts[-2])}" if kind else "a task"
        return f"{task} on {self.node.rpartition(':')[0]}" if self.node else task

    @property
    def memory_setting(self) -> str:
        """Return the setting that decides the memory of its container."""
        return f"mapreduce.{'reduce' if '_r_' in self.id else 'map'}.memory.mb"


@dataclass(frozen=True)
class Sources:
    """Where to ask.

    `jobs` are the REST addresses of a job's master and of the history server,
    `history` the address of the latter; none where only commands are allowed.
    """

    jobs: Sequence[str]
    history: str = ""
    seconds: float = 5.0

    def failed_attempts(self, job: str, log: str) -> list[Attempt]:
        """Return the first failed attempts of the tasks that a job failed for.

        At most 3 tasks with 2 attempts each.
        """
        for source in self.jobs:
            try:
                tasks = f"{source}/jobs/{job}/tasks"
                names = re.findall(r"Task failed (task_\w+)", log) or self._failed_tasks(tasks)
                attempts = [a for name in names[:TASKS] for a in self._attempts(tasks, name)]
            except (NoAnswer, KeyError, TypeError):
                continue
            if attempts:
                return attempts
        return []

    def _failed_tasks(self, url: str) -> list[str]:
        rows = _rows(ask(url, None, self.seconds), "tasks", "task")
        failed = [row for row in rows if row["state"] == "FAILED" and row["startTime"] > 0]
        return [row["id"] for row in sorted(failed, key=lambda row: row["finishTime"])]

    def _attempts(self, tasks: str, task: str) -> list[Attempt]:
        answer = ask(f"{tasks}/{task}/attempts", None, self.seconds)
        attempts = [
            Attempt(
                row["id"],
                row.get("nodeHttpAddress") or "",
                row.get("assignedContainerId") or "",
                row.get("diagnostics") or "",
                row.get("finishTime") or 0,
            )
            for row in _rows(answer, "taskAttempts", "taskAttempt")
            if row["state"] == "FAILED"
        ]
        return sorted(attempts, key=lambda attempt: attempt.finished)[:ATTEMPTS]

    def log(self, attempt: Attempt, name: str) -> str | None:
        """Return the last 20 kB of an attempt's `stderr` or `syslog`; None where it is not yet."""
        scheme = urlsplit(self.history).scheme or "http"
        places = (
            f"{scheme}://{attempt.node}/ws/v1/node/containers/{attempt.container}/logs/{name}",
            f"{self.history}/ws/v1/history/containerlogs/{attempt.container}/{name}",
        )
        for place in places:
            try:
                text = read(place, {"size": -TAIL}, self.seconds)
            except NoAnswer:
                continue
            if match := GATHERED.search(text):
                return match["text"]
        return None


def _rows(answer: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    return (answer.get(outer) or {}).get(inner) or []


def failure(sources: Sources, job_log: str) -> TaskFailure | None:
    """Return why a job failed, by what `hadoop jar` said and what its tasks left behind.

    Waits up to 15 s for what is still being gathered. None if nothing is known.
    """
    jobs = re.findall(r"(?:Running job:|Job) (job_\d+_\d+)", job_log)
    own = job_log[job_log.index(jobs[-1]) :] if jobs else job_log
    if jobs and not WHOLE.search(own):
        deadline = time.monotonic() + WAIT_SECONDS
        if task_failure := _of_attempts(sources, jobs[-1], own, deadline):
            return task_failure
    line = why_refused(own) or _java_error(own) or _unread(own)
    return TaskFailure(line, own[-TAIL:]) if line else None


def _of_attempts(sources: Sources, job: str, log: str, deadline: float) -> TaskFailure | None:
    application = job.replace("job", "application", 1)
    attempts = sources.failed_attempts(job, log)
    while sources.jobs and not attempts and _wait(deadline):
        attempts = sources.failed_attempts(job, log)
    if not attempts:
        return _anywhere(application, deadline)
    failures = []
    for attempt in attempts:
        logs = [_log(sources, application, attempt, "stderr", deadline)]
        if explain(attempt, *logs).vague:
            logs.append(_log(sources, application, attempt, "syslog", deadline))
        failures.append(explain(attempt, *logs))
    # an attempt that says why goes before one that just ended
    return min(failures, key=lambda one: one.vague)


def _wait(deadline: float) -> bool:
    time.sleep(POLL_SECONDS)
    return time.monotonic() < deadline


def _log(sources: Sources, application: str, attempt: Attempt, name: str, deadline: float) -> str:
    if not attempt.container:
        return ""
    while (text := sources.log(attempt, name)) is None and _wait(deadline):
        pass
    if text is not None:
        return text
    return next(iter(_by_command(application, attempt.container, name)), "")


def _by_command(application: str, container: str | None, name: str) -> list[str]:
    try:
        text = yarn_commands.logs(application, container, name, TAIL)
    except NoAnswer:
        return []
    return [match["text"] for match in GATHERED.finditer(text)]


def _anywhere(application: str, deadline: float) -> TaskFailure | None:
    """Return what any task of an application said, where nobody tells which one failed."""
    while not (texts := _by_command(application, None, "stderr")) and _wait(deadline):
        pass
    failures = [TaskFailure(line, text) for text in texts if (line := python_error(text))]
    return min(failures, key=lambda one: BROKEN_PIPE in one.line, default=None)


def explain(attempt: Attempt, stderr: str, syslog: str = "") -> TaskFailure:
    """Return why an attempt failed: what ended it, its exception, or its status.

    `vague` if there may be more to learn from the log of its Java part: when
    that cannot write its output, Python sees no more than a broken pipe.
    """
    ended = why_ended(attempt.diagnostics) or why_ended(syslog)
    error = python_error(stderr)
    exited = why_exited(attempt.diagnostics, stderr) or _java_error(attempt.diagnostics)
    why = ended or error or exited or "it failed and does not say why"
    if ended and "memory" in ended:
        why = f"{ended}: raise {attempt.memory_setting}"
    detail = "\n".join(filter(None, (attempt.diagnostics, stderr, syslog)))
    vague = not ended and (error is None or BROKEN_PIPE in error)
    return TaskFailure(f"{attempt.where}: {why}", detail, attempt.id, vague)


def _unread(log: str) -> str | None:
    task = re.search(r"Task failed task_(\d+_\d+)\w+", log)
    where = f"yarn logs -applicationId application_{task[1]}" if task else ""
    return f"a task failed, and its log could not be read: try {where}" if task else None


def _java_error(text: str) -> str | None:
    """Return the first exception that Java tells of."""
    exception = re.search(
        r"^(?:Error: |Caused by: )?((?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error)\b.*)", text, re.M
    )
    return exception[1][:500] if exception else None
