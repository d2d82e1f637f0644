"""Watching the memory of a program and of everything it starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil


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
            kind, size = _kind(child), high_water(child.pid)
            peaks[kind] = max(peaks.get(kind, 0), size)
        try:
            process.wait(every)
        except subprocess.TimeoutExpired:
            continue
    peaks["task"] = peaks.get("mapper", 0) + peaks.get("decoder", 0)
    return peaks


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kind(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:
        return "driver"
    if "mapsight.features.decoder_process" in words:
        return "decoder"
    return next((kind for kind in ("mapper", "reducer") if f"--{kind}" in words), "driver")
