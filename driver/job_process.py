"""The process in which one job runs, so that it can be ended whole.

    python -m driver.job_process SPEC.json

SPEC.json names the job's module and class, its arguments, the module that readies mrjob
for its cluster, and where the outcome goes. Standard input is a lifeline: when it closes,
because the driver has ended however it did, this process ends with everything it started.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from mrjob.inline import InlineMRJobRunner
from mrjob.local import LocalMRJobRunner

from driver.nodes.failures import python_error
from driver.unwritable import full_folder

__all__ = ["main"]

TAIL = 20_000
SAID = 40_000
MESSAGE = 1000
POLL_SECONDS = 0.1


def _hold_lifeline() -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _run_in_threads(self: LocalMRJobRunner, funcs: Any, num_processes: int | None = None) -> None:
    """Run tasks in threads: each is a process already.

    mrjob's pool of processes waits for ever when one of them is killed.
    """
    with ThreadPoolExecutor(self._num_cores()) as pool:
        futures = [pool.submit(func) for func in funcs]
        done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        while waiting:
            # a thread may just have been starting the next task
            _end_children()
            waiting = wait(waiting, POLL_SECONDS).not_done
        for future in done:
            future.result()


def _end_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


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


def _improve_runners() -> None:
    LocalMRJobRunner._run_multiple = _run_in_threads
    # inline sorts in memory; the sort program does not
    InlineMRJobRunner._sort_input_func = LocalMRJobRunner._sort_input_func
    InlineMRJobRunner._sort_bin = LocalMRJobRunner._sort_bin
    InlineMRJobRunner.OPT_NAMES = InlineMRJobRunner.OPT_NAMES | {"sort_bin"}


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
        with job_class(spec["args"]).make_runner() as runner:
            with _watched():
                runner.run()
            return {"counters": _sums(runner.counters())}
    except BaseException as error:
        log = _task_log(runner, error)
        message = str(error) if isinstance(error, _FullError) else python_error(log)
        message = message or f"{type(error).__name__}: {error}"[:MESSAGE]
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


def main() -> int:
    """Run the job of the spec; return 0 if it succeeded."""
    _hold_lifeline()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec_path = Path(sys.argv[1])
    spec = json.loads(spec_path.read_text(encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    _improve_runners()
    if spec["prepare"]:
        importlib.import_module(spec["prepare"]).install()
    outcome = _run(spec)
    Path(spec["outcome"]).write_text(json.dumps(outcome), encoding="utf-8")
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    return 1 if "error" in outcome else 0


if __name__ == "__main__":
    status = main()
    # a task thread that hangs must not keep the process alive
    os._exit(status)
