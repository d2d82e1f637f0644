"""The process from which jobs are forked: nothing is imported twice in a run.

    python -m driver.processes.server

Standard input is a socket of the driver. A request is 4 bytes of length (big-endian) and a JSON
document as `Request` has it; with it come three descriptors: the job's standard output and error,
where it writes its outcome, and a socket on which the driver is told, a line each, the process id
of the job and how it ended (an exit status, or a signal as a negative number). Each job is the
leader of a process group and a session of its own. The group is killed when the job ends, when the
driver closes that socket, and when the driver ends; this process ends with the driver.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from driver.processes.child import fork, use_environment, use_streams
from mapsight.python_child import kill_group

__all__ = ["Request", "main"]

BEFORE_TASKS = ("mrjob.inline", "mrjob.local", "pyarrow.parquet", "ai_edge_litert.interpreter")
"""What jobs and libraries import only when they need it, as nearly all tasks do."""
DESCRIPTORS = 3


class Request(TypedDict):
    """A job: its specification (see driver/processes/job.py), environment and working folder."""

    spec: str
    environment: dict[str, str]
    folder: str


@dataclass(frozen=True)
class _Running:
    """A job that runs, and the socket on which the driver waits for its end."""

    pid: int
    socket: socket.socket

    def end(self) -> None:
        """Kill its process group."""
        kill_group(self.pid)

    def report(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.socket.sendall(b"%d\n" % number)


class Server:
    """Forks jobs until the driver has gone; it has no thread but this one."""

    def __init__(self, driver: socket.socket) -> None:
        self._driver = driver
        self._running: list[_Running] = []
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Take requests until the driver has gone; then end what still runs."""
        while True:
            sockets = {job.socket: job for job in self._running}
            watched: list[Any] = [self._driver, self._woken, *sockets]
            ready, _, _ = select.select(watched, [], [])
            for job in (sockets[one] for one in ready if one in sockets):
                job.end()  # the driver says nothing on it: it has closed it
                self._running.remove(job)
                job.socket.close()
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, 1 << 16)
            self._report_ended()
            if self._driver in ready and not self._take_request():
                break
        for job in self._running:
            job.end()

    def _report_ended(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for job in [job for job in self._running if job.pid == pid]:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # tasks may have stayed
                job.report(os.waitstatus_to_exitcode(status))
                job.socket.close()
                self._running.remove(job)

    def _take_request(self) -> bool:
        """Start the job of the next request; False if the driver has gone."""
        head, descriptors, _, _ = socket.recv_fds(self._driver, 4, DESCRIPTORS)
        if len(head) < 4:
            return False
        data, size = b"", int.from_bytes(head, "big")
        while len(data) < size:
            if not (piece := self._driver.recv(size - len(data))):
                return False
            data += piece
        log, outcome, answers = descriptors
        request: Request = json.loads(data)
        spoken = socket.socket(fileno=answers)
        pid = fork(lambda: self._be_job(request, log, outcome, spoken), "mapsight job")
        job = _Running(pid, spoken)
        job.report(pid)
        self._running.append(job)
        os.close(log)
        os.close(outcome)
        return True

    def _be_job(self, request: Request, log: int, outcome: int, answers: socket.socket) -> int:
        from driver.processes import job

        os.setsid()
        signal.set_wakeup_fd(-1)
        use_streams(os.open(os.devnull, os.O_RDONLY), log, log)
        for each in (self._driver, answers, *(one.socket for one in self._running)):
            each.close()
        for number in (self._wake, self._woken, log):
            os.close(number)
        use_environment(request["environment"], request["folder"])
        with os.fdopen(outcome, "wb") as file:
            return job.main(Path(request["spec"]), file)


def _import_what_jobs_need() -> None:
    """Import all that jobs import, those too that they import only in a task."""
    import mr_jobs

    names = {*BEFORE_TASKS}
    for path in sorted(Path(mr_jobs.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
        names.add(f"mr_jobs.{path.stem}")
    for name in sorted(names):
        with contextlib.suppress(ImportError):  # the job that needs it will say so
            importlib.import_module(name)


def main() -> None:
    """Serve the driver whose socket is standard input."""
    driver = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _import_what_jobs_need()
    gc.collect()
    gc.freeze()
    Server(driver).serve()


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)
