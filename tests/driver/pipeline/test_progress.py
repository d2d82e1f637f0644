from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import struct
import termios
from pathlib import Path

import pytest

from driver.pipeline import progress as module
from driver.pipeline.progress import Progress


class Clock:
    """Time that passes when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def report(scratch: Path, task: int, text: bytes, phase: str = "mapper") -> None:
    folder = scratch / f"job.me.123/step/000/{phase}/{task:05d}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stderr").open("ab") as log:
        log.write(text)


def counted(name: str, count: int) -> bytes:
    group = "progress" if name == "rejected" else "images"
    return f"reporter:counter:{group},{name},{count}\n".encode()


def test_counts_of_several_tasks_are_added(tmp_path):
    progress = Progress("extract", 100, io.StringIO())
    for task in range(3):
        report(tmp_path, task, counted("read", 16) + counted("rejected", task))
    progress.update(tmp_path)
    assert (progress.done, progress.rejected) == (48, 3)


def test_packed_files_count_as_done(tmp_path):
    progress = Progress("pack", 100, io.StringIO())
    report(tmp_path, 0, counted("packed", 32) + counted("packed", 5))
    progress.update(tmp_path)
    assert progress.done == 37


def test_only_what_is_new_is_counted(tmp_path):
    progress = Progress("extract", 100, io.StringIO())
    for expected in (16, 32, 48):
        report(tmp_path, 0, counted("read", 16))
        progress.update(tmp_path)
        progress.update(tmp_path)
        assert progress.done == expected


def test_a_line_counts_when_it_is_complete(tmp_path):
    progress = Progress("extract", 100, io.StringIO())
    line = counted("read", 16)
    for end in range(1, len(line) + 1):
        report(tmp_path, 0, line[end - 1 : end])
        progress.update(tmp_path)
        assert progress.done == (16 if end == len(line) else 0)


def test_other_counters_phases_and_noise_do_not_count(tmp_path):
    progress = Progress("extract", 100, io.StringIO())
    report(
        tmp_path, 0, b"reporter:counter:images,extracted,9\nreporter:status:x\n\xff\xfe read,3\n"
    )
    report(tmp_path, 0, counted("read", 5), phase="reducer")
    progress.update(tmp_path)
    assert (progress.done, progress.rejected) == (0, 0)


def test_no_tasks_no_count(tmp_path):
    progress = Progress("extract", 100, io.StringIO())
    progress.update(tmp_path / "none")
    progress.close()
    assert progress.done == 0


def test_without_a_terminal_a_line_now_and_then(tmp_path, clock):
    stream = io.StringIO()
    progress = Progress("extract", 4000, stream)
    for _ in range(20):
        clock.now += 10
        report(tmp_path, 0, counted("read", 100) + counted("rejected", 1))
        progress.update(tmp_path)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 6  # 200 seconds, a line every 30
    assert lines[0] == "extract: 300 of 4,000 pictures, 10/s, 3 rejected, about 370 s left"
    assert lines[5].startswith("extract: 1,800 of 4,000 pictures, 10/s, 18 rejected")


def test_nothing_new_nothing_said(tmp_path, clock):
    stream = io.StringIO()
    progress = Progress("extract", 4000, stream)
    clock.now += 1000
    progress.update(tmp_path)
    assert stream.getvalue() == ""


def on_a_terminal(scratch: Path, total: int | None) -> str:
    """What a terminal shows of a stage."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with os.fdopen(theirs, "w") as terminal:
        progress = Progress("extract", total, terminal)
        progress.update(scratch)
        progress.close()
    shown = b""
    # what was written comes in parts; then, the other end being closed, an error
    with os.fdopen(ours, "rb", 0) as screen, contextlib.suppress(OSError):
        while part := screen.read(65536):
            shown += part
    return shown.decode()


def test_on_a_terminal_a_bar(tmp_path):
    report(tmp_path, 0, counted("read", 25) + counted("rejected", 2))
    shown = on_a_terminal(tmp_path, 100)
    assert "extract:  25% |" in shown
    assert "25/100" in shown
    assert "2 rejected" in shown


def test_a_stage_that_does_not_tell_shows_the_time(tmp_path):
    shown = on_a_terminal(tmp_path, None)
    assert "extract: 00:00" in shown
    assert "%" not in shown
