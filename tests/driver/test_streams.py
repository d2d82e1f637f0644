"""Standard streams that are closed, full or broken, and a current folder that was deleted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PLAN = "plan --images 1000"
LOST = "standard output is closed: what was to be written there is lost"
FULL = "standard output: No space left on device"


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which $M is the program."""
    program = f"{sys.executable} {ROOT / 'driver' / 'run.py'}"
    return subprocess.run(
        ["sh", "-c", command.replace("$M", program)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (f"$M {PLAN} >&-", 1, LOST),
        (f"$M {PLAN} <&- >&-", 1, LOST),
        (f"$M {PLAN} >/dev/full", 1, FULL),
        (f"$M {PLAN} 2>&-", 0, ""),
        (f"$M {PLAN} 2>/dev/full", 0, ""),
        (f"$M {PLAN} <&- 2>&-", 0, ""),
        ("$M status --workspace nowhere >&-", 1, "nowhere: no workspace is there"),
        ("$M status --workspace nowhere <&- 2>&-", 1, ""),
    ],
)
def test_whatever_streams_are_the_status_is_right(tmp_path, command, status, message):
    done = shell(tmp_path, command)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert done.stderr.count("\n") == (1 if message else 0) and message in done.stderr


def test_a_letter_that_the_terminal_lacks_is_an_escape(tmp_path):
    done = shell(tmp_path, f"PYTHONIOENCODING=ascii $M {PLAN}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["status", "search x", "--images p", "report"])
def test_in_a_deleted_folder_that_is_said(tmp_path, command):
    done = shell(tmp_path, f"mkdir gone; cd gone; rmdir ../gone; $M {command}")
    assert done.returncode == 2
    assert "./workspace: the current folder was deleted: go to another" in done.stderr


def test_a_run_does_its_work_without_streams(mapsight, pictures, tmp_path):
    command = mapsight.command("--images", "pictures", "--no-index")
    line = " ".join([*command, ">&- 2>&- <&-"])
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=mapsight.environment, timeout=300)
    assert done.returncode == 0
    assert (tmp_path / "workspace/results/predictions.parquet").is_file()
    gone = tmp_path / "gone"
    search = mapsight.command("search", f"{pictures}/{0:016x}.jpg", "--workspace")
    line = f"cd {gone}; rmdir {gone}; {' '.join(search)} {tmp_path}/workspace"
    gone.mkdir()
    done = subprocess.run(["sh", "-c", line], env=mapsight.environment, capture_output=True)
    assert (done.returncode, b"0000000000000000" in done.stdout) == (0, True), done.stderr
