"""Watching the memory of a program and of everything it starts."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mapsight.features.decoder_child import NAME


def high_water(pid: int) -> int:
    """The most bytes a living process has had in memory (Linux: VmHWM)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def watch(process: subprocess.Popen, every: float = 0.02) -> dict[str, int]:
    """Peak bytes by kind of process until `process` ends.

    Kinds: `mapper` and `reducer` tasks, `decoder` children, and `driver` (the
    rest). `task` is the largest sum of a mapper and its decoder.
    """
    peaks: dict[str, int] = {}
    while process.poll() is None:
        for child in _descendants(process.pid):
            kind, size = _kind(child), high_water(child)
            peaks[kind] = max(peaks.get(kind, 0), size)
        try:
            process.wait(every)
        except subprocess.TimeoutExpired:
            continue
    peaks["task"] = peaks.get("mapper", 0) + peaks.get("decoder", 0)
    return peaks


def _descendants(pid: int) -> Iterator[int]:
    """Process ids, that of the root first."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from _descendants(int(child))


def _kind(pid: int) -> str:
    """By its name, which forked tasks and decoders have, or by its command line."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().split()[0]
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "driver"
    if name in ("mapper", "reducer", NAME):
        return name
    return next((kind for kind in ("mapper", "reducer") if f"--{kind}" in words), "driver")
