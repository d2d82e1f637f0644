"""Processes of the cluster: started, recognised, ended.

A process is known by its id and the clock tick it started at, since ids are used again.
Reads /proc, as Hadoop itself does where it watches the memory of containers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import ClusterError

__all__ = ["Process", "end", "family", "kill_all", "marked", "start", "told", "wait_for_end"]

POLL_SECONDS = 0.05
PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process: its id, and when it started in ticks since the machine did."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it runs; one that ended and was not waited for does not."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return _started(self.pid) == self.started

    @property
    def rss(self) -> int:
        """Resident bytes; 0 when it has ended."""
        with contextlib.suppress(OSError):
            pages = int((PROC / str(self.pid) / "statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        return 0

    def signal(self, number: int) -> None:
        """Send a signal, if it is still the same process."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none when it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _started(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def _known(pids: Iterable[int]) -> set[Process]:
    pairs = ((pid, _started(pid)) for pid in pids)
    return {Process(pid, started) for pid, started in pairs if started is not None}


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def start(command: Sequence[str], environment: Mapping[str, str], output: Path) -> Process:
    """Start a program that outlives this one; what it says goes to the end of a file."""
    with output.open("ab") as file:
        popen = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=output.parent,
            start_new_session=True,
        )
    popen.returncode = 0  # it is not for Popen to wait for, or to warn of
    return Process(popen.pid, _started(popen.pid) or 0)


def wait_for_end(pid: int) -> None:
    """Wait for a process that need not be a child of this one."""
    for process in _known([pid]):
        while process.alive:
            time.sleep(20 * POLL_SECONDS)


def family(pid: int) -> set[Process]:
    """A process, its children, theirs, and so on."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        if fields := _stat(other):
            children.setdefault(int(fields[1]), []).append(other)
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return _known(found)


def marked(*marks: bytes) -> set[Process]:
    """The processes in whose environment a variable starts like one of `marks`."""

    def has_mark(pid: int) -> bool:
        return any(variable.startswith(marks) for variable in _words(pid, "environ"))

    return _known(filter(has_mark, _pids()))


def told(argument: bytes) -> set[Process]:
    """The processes that have a word in their command line."""
    return _known(pid for pid in _pids() if argument in _words(pid, "cmdline"))


def _words(pid: int, file: str) -> list[bytes]:
    try:
        return (PROC / str(pid) / file).read_bytes().split(b"\0")
    except OSError:  # gone, or another user's
        return []


def end(processes: Iterable[Process], seconds: float) -> None:
    """Ask processes to end, wait, and kill what has not ended by then."""
    processes = list(processes)
    for process in processes:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(process.alive for process in processes) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    kill_all(lambda: processes)


def kill_all(find: Callable[[], Iterable[Process]], seconds: float = 20.0) -> None:
    """Kill what `find` finds until it finds nothing: what is dying may still start something.

    Raises:
        ClusterError: something did not die.
    """
    deadline = time.monotonic() + seconds
    while alive := [process for process in find() if process.alive]:
        if time.monotonic() > deadline:
            raise ClusterError(f"process {alive[0].pid} does not end")
        for process in alive:
            process.signal(signal.SIGKILL)
        time.sleep(POLL_SECONDS)
