"""Running one job in the process that was forked for it.

Its specification, a JSON file, names the job's module and class, its arguments, and the module
that readies mrjob for its cluster. The outcome is a JSON document: its counters, or its error.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import resource
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mrjob.inline import InlineMRJobRunner
from mrjob.job import MRJob
from mrjob.local import LocalMRJobRunner

from driver.nodes.failures import python_error
from driver.pipeline.cost import Cost, cost_on_hadoop
from driver.processes.tasks import ForkingRunner, TaskFailed
from driver.unwritable import full_folder

__all__ = ["main", "make_runner"]

KIB = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
TAIL = 20_000
SAID = 40_000
MESSAGE = 1000


class Said(logging.Handler):
    """Keeps the end of what mrjob logs: with the hadoop runner, of what `hadoop jar` says."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque()
        self._size = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, and drop the oldest ones above 40 kB."""
        self._lines.append(record.getMessage()[-SAID:])
        self._size += len(self._lines[-1]) + 1
        while self._size > SAID:
            self._size -= len(self._lines.popleft()) + 1

    @property
    def text(self) -> str:
        """Return the lines that are left."""
        return "\n".join(self._lines)


class _InlineRunner(InlineMRJobRunner):
    """Runs tasks in this process; sorts with the sort program, for mrjob's own sorts in memory."""

    OPT_NAMES = InlineMRJobRunner.OPT_NAMES | {"sort_bin"}
    _sort_input_func = LocalMRJobRunner._sort_input_func
    _sort_bin = LocalMRJobRunner._sort_bin


HERE = {"inline": _InlineRunner, "local": ForkingRunner}


def make_runner(job: MRJob) -> Any:
    """Return a job's runner; on this machine one whose tasks have what this process imported."""
    if kind := HERE.get(job.options.runner):
        job._runner_class = lambda: kind
        # tasks have the library: it need not be packed and unpacked
        job.dirs = list
    runner = job.make_runner()
    runner.job_class = type(job)
    return runner


def _task_log(runner: Any, error: BaseException) -> str:
    """Return the end of what the failed task wrote to its stderr."""
    try:
        path = runner._task_stderr_path(error.task_type, error.step_num, error.task_num)  # type: ignore[attr-defined]
        return Path(path).read_bytes()[-TAIL:].decode("utf-8", "replace")
    except (AttributeError, OSError):
        return ""


def _run(spec: dict[str, Any]) -> dict[str, Any]:
    runner, said = None, Said()
    logging.getLogger("mrjob").addHandler(said)
    try:
        job_class = getattr(importlib.import_module(spec["module"]), spec["class"])
        with make_runner(job_class(spec["args"])) as runner:
            runner.shared = True
            with _watched():
                runner.run()
            counters = _sums(runner.counters())
            return {"counters": counters, "cost": asdict(_cost(runner, counters))}
    except BaseException as error:
        log = _task_log(runner, error)
        told = isinstance(error, _FullError)
        message = None if told else python_error(log)
        told = told or isinstance(error, TaskFailed)
        message = message or (str(error) if told else f"{type(error).__name__}: {error}")[:MESSAGE]
        return {"error": message, "detail": f"{traceback.format_exc()}\n{log or said.text}"}


class _FullError(Exception):
    """A job has failed for want of space; the message names the folder."""


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Look for the cause of an error before the job's files are removed, and its disk is free."""
    try:
        yield
    except Exception as error:
        if full := full_folder([os.environ["TMPDIR"]]):
            raise _FullError(full) from error
        raise


def _sums(steps: list[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    """Return the counters of all steps together, by group and name."""
    sums: dict[str, dict[str, int]] = {}
    for step in steps:
        for group, values in step.items():
            for name, count in values.items():
                found = sums.setdefault(group, {})
                found[name] = found.get(name, 0) + count
    return sums


def _cost(runner: Any, counters: dict[str, dict[str, int]]) -> Cost:
    """Return what Hadoop counted, or what this process and its tasks took."""
    if runner.alias not in HERE:
        return cost_on_hadoop(counters) or Cost()
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in spent)
    shuffled = getattr(runner, "shuffled_bytes", 0)
    return Cost(round(seconds, 3), max(one.ru_maxrss for one in spent) * KIB, shuffled)


def main(spec_path: Path, outcome: IO[bytes]) -> int:
    """Run the job of a specification and write its outcome; return 0 if it succeeded."""
    spec = json.loads(spec_path.read_text(encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    if spec["prepare"]:
        importlib.import_module(spec["prepare"]).install()
    document = _run(spec)
    outcome.write(json.dumps(document).encode())
    return 1 if "error" in document else 0
