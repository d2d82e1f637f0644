"""Draw the charts of a report at once, in as many processes as there are cores."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mapsight.python_child import end_with

__all__ = ["Drawing", "draw_charts", "drawing"]

PATIENCE_SECONDS = 5.0
Drawing = Callable[[], bytes]
"""A chart that is to be drawn, as an SVG."""


def draw_charts(folder: Path, charts: Mapping[str, Drawing]) -> None:
    """Write NAME.svg for each chart, as `drawing` does."""
    with drawing(folder, charts):
        pass


@contextlib.contextmanager
def drawing(folder: Path, charts: Mapping[str, Drawing]) -> Iterator[None]:
    """Write NAME.svg for each chart, while this process does something else, and then together.

    Processes of this one draw the next chart that nobody draws yet. What one of them leaves
    undone, because it failed, was ended or takes very long, is drawn here, where an exception is
    seen. (A fork of a process with threads may find a lock held that nobody opens.)

    Args:
        folder: made if need be.
        charts: up to 255.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {folder / f"{name}.svg": draw for name, draw in charts.items()}
    for path in paths:
        path.unlink(missing_ok=True)
    cores = len(os.sched_getaffinity(0))
    with contextlib.ExitStack() as ends:
        turns = _turns(len(paths))
        ends.callback(os.close, turns)
        for _ in range(min(cores, len(paths)) - 1):
            ends.push(_ended(_forked(turns, paths)))
        yield
        _draw_in_turn(turns, paths)
    for path, draw in paths.items():
        if not path.exists():
            _draw(path, draw)


def _turns(number: int) -> int:
    """Return a pipe from which each number below `number` is read once, as a byte."""
    turns, end = os.pipe()
    os.write(end, bytes(range(number)))
    os.close(end)
    return turns


def _forked(turns: int, paths: Mapping[Path, Drawing]) -> int:
    """Start a process that draws in turn; return its id."""
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        try:
            end_with(parent)
            _draw_in_turn(turns, paths)
        finally:  # nothing of the parent's is closed, written or removed here
            os._exit(0)
    return process


def _ended(process: int) -> Callable[..., None]:
    """Return what waits for a process, and ends it where this one fails or has waited long."""
    began = time.monotonic()

    def end(kind: type[BaseException] | None, *_: object) -> None:
        now = time.monotonic()
        latest = now if kind else now + max(PATIENCE_SECONDS, 2 * (now - began))
        while os.waitpid(process, os.WNOHANG) == (0, 0):
            if time.monotonic() >= latest:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return
            time.sleep(0.005)

    return end


def _draw_in_turn(turns: int, paths: Mapping[Path, Drawing]) -> None:
    charts = list(paths.items())
    while turn := os.read(turns, 1):
        _draw(*charts[turn[0]])


def _draw(path: Path, draw: Drawing) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(draw())
    part.replace(path)
