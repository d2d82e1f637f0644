"""Programs run on given cores, timed, or watched for memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.memory import watch

__all__ = ["Command", "ProgramError", "busy", "peak_memory", "timed"]

PATIENCE = 3600.0


class ProgramError(RuntimeError):
    """A program ended badly; the message is the last of what it said."""


@dataclass(frozen=True)
class Command:
    """Words of a command line, the cores it may use, and its environment."""

    words: Sequence[str]
    cores: frozenset[int]
    environment: Mapping[str, str]


@contextlib.contextmanager
def busy(cores: Iterable[int]) -> Iterator[None]:
    """Keep a process on each of some cores that does nothing but take time."""
    code = "while True: pass"
    command = [sys.executable, "-S", "-c", code]
    running = [_start(Command(command, frozenset({core}), {}), None) for core in cores]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def timed(commands: Sequence[Command]) -> float:
    """Seconds until all of some programs, started at once, have ended.

    Raises:
        ProgramError: one of them ended with another status than 0.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        running = [_start(command, said) for command in commands]
        codes = [process.wait(PATIENCE) for process in running]
        seconds = time.perf_counter() - started
        _check(codes, said)
    return seconds


def peak_memory(commands: Sequence[Command]) -> dict[str, int]:
    """Peak bytes of programs started at once.

    `total`: of all processes together, memory they share counted once (PSS,
    looked at four times a second); the rest is by kind of process, as
    `tests.memory.watch` has it, of the first command.
    """
    with tempfile.TemporaryFile() as said:
        running = [_start(command, said) for command in commands]
        peaks = {"total": 0}
        watcher = threading.Thread(target=_watch_total, args=(running, peaks))
        watcher.start()
        kinds = watch(running[0], every=0.25)
        watcher.join()
        _check([process.wait(PATIENCE) for process in running], said)
    return {**kinds, **peaks}


def _start(command: Command, said: object) -> subprocess.Popen:
    return subprocess.Popen(
        command.words,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        env=dict(command.environment),
        preexec_fn=lambda: os.sched_setaffinity(0, command.cores),
    )


def _check(codes: Sequence[int], said: object) -> None:
    if not any(codes):
        return
    said.seek(0)
    lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if "Error" in line or "error" in line] or [*lines, "no message"]
    raise ProgramError(f"exit status {max(codes, key=abs)}: {told[-1][:300]}")


def _watch_total(running: Sequence[subprocess.Popen], peaks: dict[str, int]) -> None:
    while any(process.poll() is None for process in running):
        total = sum(_pss(pid) for process in running for pid in _family(process.pid))
        peaks["total"] = max(peaks["total"], total)
        time.sleep(0.25)


def _family(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _pss(pid: int) -> int:
    """A process's share of memory in bytes, 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
