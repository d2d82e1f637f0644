"""Processes of jobs, and of their local tasks, that are forked: nothing is imported again.

Such a process has the streams, environment, folder and session that it would have, runs the same
code and ends in the same way, and can be killed. Only Python's start and its imports are saved.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import mrjob.local
from threadpoolctl import threadpool_limits

import mr_jobs
from mapsight.job import MapsightJob

__all__ = ["forked_jobs", "forked_tasks"]

MODULE = "driver.job_process"
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class _Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A child that goes on from here instead of with another program."""

    def __init__(self, args: Sequence[str], live: Callable[[Sequence[str]], int], **how: Any):
        self._live, self._leads = live, how.get("start_new_session", False)
        super().__init__(args, **how)

    def _execute_child(self, args, _program, _before, _close, kept, cwd, env, *rest: Any):
        pipes = rest[3:9]
        streams = [pipes[0], pipes[3], pipes[5]]
        self.pid = os.fork()
        if self.pid == 0:
            self._be(args, streams, kept, cwd, env)
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def _be(self, args: Sequence[str], streams: list[int], kept: Any, cwd: Any, env: Any) -> None:
        """Be the child, to its end."""
        status = 1
        try:
            gc.freeze()
            if self._leads:
                os.setsid()
            _take_descriptors(streams, kept)
            os.environ.clear()
            os.environ.update(env)
            os.chdir(cwd or ".")
            _begin_anew()
            status = self._live(args)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)


def _take_descriptors(streams: list[int], kept: Sequence[int]) -> None:
    """Have the three streams and what is passed on; other numbers stay taken, by nothing."""
    for number, source in enumerate(streams):
        if source >= 0:
            os.dup2(source, number)
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in [path.name for path in Path("/dev/fd").iterdir()]:
        if int(name) > 2 and int(name) not in kept:
            os.dup2(nothing, int(name))


def _begin_anew() -> None:
    """Have streams, signals, logs and the temporary folder of a Python that has just started."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        how = {"encoding": "utf-8", "closefd": False}
        setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", **how))
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    tempfile.tempdir = None
    if number := os.environ.get("OMP_NUM_THREADS"):
        threadpool_limits(int(number))  # libraries read it when they start
    for logger in (logging.getLogger(), logging.getLogger("mrjob")):
        logger.handlers.clear()


def _live_as_job(args: Sequence[str]) -> int:
    """Run a job as `python -m driver.job_process` does; its exit status."""
    from driver import job_process

    sys.argv = list(args[args.index(MODULE) :])
    # tasks have the library: it need not be packed and unpacked
    with forked_tasks(), mock.patch.object(MapsightJob, "dirs", lambda _: []):
        return job_process.main()


def _call_task(args: Sequence[str], **how: Any) -> None:
    """Run a task of a local job as mrjob does, which checks how it ends."""
    if args[0] != sys.executable or not args[1].endswith(".py"):
        subprocess.check_call(args, **how)
        return
    if status := _Forked(args, _live_as_task, **how).wait():
        raise subprocess.CalledProcessError(status, args)


def _live_as_task(args: Sequence[str]) -> int:
    """Run a script as `python SCRIPT ARGUMENTS` does; its exit status."""
    sys.argv = list(args[1:])
    try:
        runpy.run_path(args[1], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _start(args: Sequence[str], **how: Any) -> subprocess.Popen:  # type: ignore[type-arg]
    return _Forked(args, _live_as_job, **how) if MODULE in args else subprocess.Popen(args, **how)


@contextmanager
def forked_jobs() -> Iterator[None]:
    """Have the driver fork the processes of its jobs, whose modules are imported before."""
    from driver.pipeline import launch

    for found in pkgutil.walk_packages(mr_jobs.__path__, "mr_jobs."):
        importlib.import_module(found.name)

    changed = SimpleNamespace(**{**vars(subprocess), "Popen": _start})
    with mock.patch.object(launch, "subprocess", changed):
        yield


@contextmanager
def forked_tasks() -> Iterator[None]:
    """Have mrjob fork the tasks of local jobs that this process runs itself."""
    with mock.patch.object(mrjob.local, "check_call", _call_task):
        yield
