from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import struct
import termios

from driver.pipeline.stage import StageReport
from driver.pipeline.stage_display import StageDisplay

NAMES = ["plan", "extract", "explore", "merge"]


def report(name: str, *, skipped: bool = False) -> StageReport:
    return StageReport(name, 12.34, skipped, {})


def run(display: StageDisplay) -> None:
    with display:
        display.start("plan")
        display.end(report("plan", skipped=True))
        display.start("extract")
        display.start("explore")
        display.end(report("explore"))


def read_all(master: int) -> bytes:
    """Return what was written to a terminal that is closed now; Linux says so by an error."""
    pieces = []
    with contextlib.suppress(OSError):
        while piece := os.read(master, 1 << 16):
            pieces.append(piece)
    os.close(master)
    return b"".join(pieces)


def test_a_terminal_shows_what_is_done_what_runs_and_what_is_to_come():
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with os.fdopen(slave, "w") as terminal:
        run(StageDisplay(NAMES, terminal))
    shown = read_all(master).decode()
    assert "stage 1 of 4: plan; to come: extract, explore, merge" in shown
    assert " 1 of 4  plan         unchanged" in shown
    assert "stage 2-3 of 4: extract, explore; to come: merge" in shown
    assert " 2 of 4  explore         12.3 s" in shown
    assert "stage 3 of 4: extract; to come: merge" in shown


def test_elsewhere_nothing_is_shown():
    stream = io.StringIO()
    run(StageDisplay(NAMES, stream))
    assert stream.getvalue() == ""
