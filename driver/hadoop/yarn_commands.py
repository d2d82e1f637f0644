"""What the web services of YARN refuse without a ticket, by the commands of Hadoop."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Timer

from driver.hadoop.yarn_web import NoAnswer
from mapsight.storage.hadoop_conf import hadoop_command

__all__ = ["applications", "kill", "logs", "nodes"]

SECONDS = 60
MOST_BYTES = 32 << 20
CHUNK = 1 << 16
COLUMNS = 9


def _yarn() -> str:
    hadoop = hadoop_command()
    beside = Path(hadoop).parent / "yarn" if hadoop else Path()
    command = str(beside) if hadoop and os.access(beside, os.X_OK) else shutil.which("yarn")
    if not command:
        raise NoAnswer("no yarn command beside hadoop or on PATH")
    return command


def _run(*arguments: str) -> str:
    """Return what `yarn` prints, at most 32 MiB.

    Raises:
        NoAnswer: no such command, it failed, or took longer than a minute.
    """
    process = subprocess.Popen(
        [_yarn(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # the command is a script, and Java its child
    timer = Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        text = process.stdout.read(MOST_BYTES) if process.stdout else b""
        if len(text) < MOST_BYTES:
            process.wait()  # it has said all
    finally:
        timer.cancel()
        _end(process)
    if process.returncode and len(text) < MOST_BYTES:
        raise NoAnswer(f"yarn {' '.join(arguments)} ended with {process.returncode}")
    return text.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command: it may have more to say than is read, or nobody waits."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def applications(tag: str, states: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
    """Return id, name, state, final status and tracking URL of the applications with a tag."""
    text = _run("application", "-list", "-appTags", tag.lower(), "-appStates", ",".join(states))
    rows = (line.split("\t") for line in text.splitlines() if line.strip().startswith("applic"))
    cells = ([cell.strip() for cell in row] for row in rows)
    # between them: type, user, queue, progress
    return [(c[0], c[1], c[5], c[6], c[8]) for c in cells if len(c) == COLUMNS]


def nodes() -> int:
    """Return how many nodes run."""
    total = re.search(r"Total Nodes: ?(\d+)", _run("node", "-list", "-states", "RUNNING"))
    return int(total[1]) if total else 0


def kill(application: str) -> None:
    """End an application."""
    _run("application", "-kill", application)


def logs(application: str, container: str | None, name: str, size: int) -> str:
    """Return the last `size` bytes of a log of a container, or of all of an application."""
    where = ["-containerId", container] if container else []
    bounds = ["-log_files", name, "-size", f"-{size}"]
    return _run("logs", "-applicationId", application, *where, *bounds)
