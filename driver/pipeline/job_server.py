"""The driver's side of the process from which its jobs are forked."""

from __future__ import annotations

import array
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from mapsight.python_child import clean_environment, kill_group, module_command

__all__ = ["JobProcess", "close_job_server", "start_job", "start_job_server"]

SERVER = "driver.processes.server"
LOST = -signal.SIGKILL
"""How a job ended of which nothing is known: the process that had forked it was killed."""


class JobProcess:
    """A job that was started: the leader of a process group of its own, which ends with it."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers = answers
        self._text = b""
        self.returncode: int | None = None

    @property
    def pid(self) -> int:
        """Return its process id, which is that of its group; 0 before it has one."""
        return int(self._text.partition(b"\n")[0] or 0)

    def wait(self, seconds: float) -> bool:
        """Return whether it has ended, after at most so many seconds."""
        if self.returncode is None:
            self._answers.settimeout(seconds)
            with contextlib.suppress(TimeoutError, BlockingIOError):
                while self._take():
                    pass
        return self.returncode is not None

    def _take(self) -> bool:
        """Take what is said of it; whether there is more to come."""
        piece = self._answers.recv(64)
        self._text += piece
        lines = self._text.split(b"\n")[:-1]
        if len(lines) > 1:
            self.returncode = int(lines[1])
        elif not piece:
            self._kill()
            self.returncode = LOST
        return self.returncode is None

    def _kill(self) -> None:
        """Kill its group: whoever did that for us has gone."""
        if self.pid:
            kill_group(self.pid)

    def end(self) -> None:
        """Kill it and its group, if it still runs, and wait until it has gone."""
        if self.returncode is None:
            with contextlib.suppress(OSError):
                self._answers.shutdown(socket.SHUT_WR)
            while not self.wait(10.0):
                self._kill()
        self._answers.close()


class _Server:
    """The process that forks them, started with the first job; another if it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(self) -> socket.socket:
        with self._lock:
            if self._process and self._process.poll() is None and self._socket:
                return self._socket
            self._close()
            ours, theirs = socket.socketpair()
            self._process = subprocess.Popen(
                module_command(SERVER),
                stdin=theirs.fileno(),
                env=_environment(),
                start_new_session=True,
            )
            theirs.close()
            self._socket = ours
            return ours

    def request(self, document: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Send a request; see driver/processes/server.py."""
        data = json.dumps(document).encode()
        head = len(data).to_bytes(4, "big")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        server = self.start()
        with self._lock:
            server.sendmsg([head], rights)
            server.sendall(data)

    def close(self) -> None:
        """End it, and all jobs."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._socket:
            self._socket.close()
        if self._process:
            self._process.wait()
        self._socket = self._process = None


_server = _Server()
start_job_server, close_job_server = _server.start, _server.close


def start_job(spec: str, log: int, outcome: int, folder: str, **variables: str) -> JobProcess:
    """Start the job of a specification.

    Args:
        log: a descriptor for its standard output and error.
        outcome: one to which it writes how it ended.
        folder: to work in.
        variables: of its environment, beside those of this process.
    """
    environment = {**_environment(), **variables}
    ours, theirs = socket.socketpair()
    request = {"spec": spec, "environment": environment, "folder": folder}
    try:
        try:
            _server.request(request, [log, outcome, theirs.fileno()])
        except OSError:  # it has just been killed
            _server.request(request, [log, outcome, theirs.fileno()])
    finally:
        theirs.close()
    return JobProcess(ours)


def _environment() -> dict[str, str]:
    return {
        **clean_environment(),
        "PYTHONUNBUFFERED": "1",
        # mrjob imports distutils: without this, setuptools comes along, 0.3 s a task
        **({"SETUPTOOLS_USE_DISTUTILS": "stdlib"} if sys.version_info < (3, 12) else {}),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # pyarrow's allocator has a thread otherwise, and who forks must have none
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
