"""Running a job as a process group of its own, which ends with the driver."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from driver.errors import Failure
from driver.pipeline.cost import Cost
from driver.pipeline.job_server import start_job
from driver.pipeline.jobs import Job
from driver.pipeline.progress import Progress
from driver.unwritable import full_folder, stands
from mapsight.files import write_whole

__all__ = ["launch"]

POLL_SECONDS = 0.3
SHORTLY = 0.02
PATIENCE = 60.0
TELLING = (0, 1)
"""Of a job's process that has told its outcome."""
Counters = dict[str, dict[str, int]]


def launch(
    job: Job,
    arguments: Sequence[str],
    scratch: Path,
    progress: Progress,
    prepare: str = "",
    stopping: threading.Event | None = None,
) -> tuple[Counters, Cost]:
    """Run a job to its end; return its counters by group and name, and what it took.

    Args:
        arguments: of the job, runner and inputs included.
        scratch: a folder for its temporary files.
        progress: told what the tasks count while they run.
        prepare: the module whose `install` readies mrjob for the cluster that it runs on.
        stopping: when this is set, the job is to end.

    Raises:
        Failure: the job failed, was killed, or was to end.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    spec = scratch / "spec.json"
    with (scratch / "log").open("wb") as log, _Outcome() as outcome:
        document = {
            "module": job.module,
            "class": job.name,
            "args": list(arguments),
            "prepare": prepare,
        }
        write_whole(spec, json.dumps(document).encode())
        process = start_job(
            str(spec),
            log.fileno(),
            outcome.descriptor,
            str(Path.cwd() if stands() else scratch),
            TMPDIR=str(scratch),
        )
        try:
            while not process.wait(POLL_SECONDS):
                progress.update(scratch)
                if stopping and stopping.is_set():
                    raise Failure(f"{job.path}: stopped")
            progress.update(scratch)
        finally:
            process.end()
        assert process.returncode is not None
        text = outcome.text(PATIENCE if process.returncode in TELLING else POLL_SECONDS * 10)
    return _counted(job, process.returncode, text, scratch)


class _Outcome:
    """A pipe for what a job's process says at its end, which a full disk does not keep from us."""

    def __enter__(self) -> _Outcome:
        self._read, self.descriptor = os.pipe()
        self._pieces: list[bytes] = []
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()
        return self

    def _collect(self) -> None:
        while piece := os.read(self._read, 1 << 16):
            self._pieces.append(piece)

    def text(self, seconds: float) -> bytes:
        """Return all of it, once the process has ended: soon, but on a busy machine not at once.

        Args:
            seconds: to wait for the end of a document, or for all who could write to have ended.
        """
        os.close(self.descriptor)
        self.descriptor = -1
        end = time.monotonic() + seconds
        while self._thread.is_alive() and time.monotonic() < end and not self._is_whole():
            self._thread.join(SHORTLY)
        return b"".join(self._pieces)

    def _is_whole(self) -> bool:
        try:
            json.loads(b"".join(self._pieces))
        except ValueError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self._thread.join(POLL_SECONDS * 10)
        if not self._thread.is_alive():
            os.close(self._read)


def _counted(job: Job, returncode: int, outcome: bytes, scratch: Path) -> tuple[Counters, Cost]:
    """Return what a job has counted, and what it took.

    Raises:
        Failure: it has not come to its end; the message says why.
    """
    try:
        document = json.loads(outcome) if returncode in TELLING else {}
    except ValueError:
        document = {}
    if "counters" in document:
        return document["counters"], Cost(**document["cost"])
    if "error" in document:
        raise Failure(f"{job.path}: {document['error']}", document["detail"])
    detail = (scratch / "log").read_bytes()[-20_000:].decode("utf-8", "replace")
    how = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with {returncode}"
    if full := full_folder([scratch]):
        raise Failure(f"{job.path}: {full}", detail)
    raise Failure(f"{job.path}: the job {how}; finished stages are kept, run again", detail)
