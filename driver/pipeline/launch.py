"""Running a job as a process group of its own, which ends with the driver."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from driver.errors import Failure
from driver.pipeline.jobs import Job
from driver.pipeline.progress import Progress
from driver.unwritable import full_folder, stands
from mapsight.files import write_whole
from mapsight.python_child import clean_environment, module_command

__all__ = ["launch"]

POLL_SECONDS = 0.3
Counters = dict[str, dict[str, int]]


def launch(
    job: Job,
    arguments: Sequence[str],
    scratch: Path,
    progress: Progress,
    prepare: str = "",
) -> Counters:
    """Run a job to its end; return its counters by group and name.

    Args:
        arguments: of the job, runner and inputs included.
        scratch: a folder for its temporary files.
        progress: told what the tasks count while they run.
        prepare: the module whose `install` readies mrjob for the cluster that it runs on.

    Raises:
        Failure: the job failed, or was killed.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    spec = scratch / "spec.json"
    with (scratch / "log").open("wb") as log, _Outcome() as outcome:
        document = {
            "module": job.module,
            "class": job.name,
            "args": list(arguments),
            "prepare": prepare,
            "outcome": outcome.place,
        }
        write_whole(spec, json.dumps(document).encode())
        process = subprocess.Popen(
            module_command("driver.job_process", str(spec)),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(scratch),
            cwd=None if stands() else scratch,
            pass_fds=[outcome.descriptor],
            start_new_session=True,
        )
        try:
            _wait(process, scratch, progress)
        finally:
            _end_group(process)
        text = outcome.text()
    return _counters(job, process.returncode, text, scratch)


class _Outcome:
    """A pipe for what a job's process says at its end, which a full disk does not keep from us."""

    def __enter__(self) -> _Outcome:
        self._read, self.descriptor = os.pipe()
        self.place = f"/dev/fd/{self.descriptor}"
        self._pieces: list[bytes] = []
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()
        return self

    def _collect(self) -> None:
        while piece := os.read(self._read, 1 << 16):
            self._pieces.append(piece)

    def text(self) -> bytes:
        """Return all of it, once the process has ended."""
        os.close(self.descriptor)
        self.descriptor = -1
        self._thread.join(POLL_SECONDS * 10)
        return b"".join(self._pieces)

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self._thread.join(POLL_SECONDS * 10)
        if not self._thread.is_alive():
            os.close(self._read)


def _environment(scratch: Path) -> dict[str, str]:
    return {
        **clean_environment(),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",
        # mrjob imports distutils: without this, setuptools comes along, 0.3 s a task
        **({"SETUPTOOLS_USE_DISTUTILS": "stdlib"} if sys.version_info < (3, 12) else {}),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _wait(process: subprocess.Popen[bytes], scratch: Path, progress: Progress) -> None:
    while True:
        try:
            process.wait(POLL_SECONDS)
            progress.update(scratch)
            return
        except subprocess.TimeoutExpired:
            progress.update(scratch)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _counters(job: Job, returncode: int, outcome: bytes, scratch: Path) -> Counters:
    """Return what a job has counted.

    Raises:
        Failure: it has not come to its end; the message says why.
    """
    try:
        document = json.loads(outcome) if returncode in (0, 1) else {}
    except ValueError:
        document = {}
    if "counters" in document:
        return document["counters"]
    if "error" in document:
        raise Failure(f"{job.path}: {document['error']}", document["detail"])
    detail = (scratch / "log").read_bytes()[-20_000:].decode("utf-8", "replace")
    how = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with {returncode}"
    if full := full_folder([scratch]):
        raise Failure(f"{job.path}: {full}", detail)
    raise Failure(f"{job.path}: the job {how}; finished stages are kept, run again", detail)
