"""What a job on YARN has done so far, for people who wait."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TextIO

from driver.hadoop.yarn import Application, JobProgress, Yarn
from driver.hadoop.yarn_web import NoAnswer
from driver.pipeline.progress import Progress

__all__ = ["YarnProgress"]

POLL_SECONDS = 2.0
URL = re.compile(rb"The url to track the job: (\S*/(application_\d+_\d+)\S*)")
PERCENT = re.compile(rb"map (\d+)% reduce (\d+)%")
DONE = ("read", "packed", "answered")


class YarnProgress(Progress):
    """As `Progress`, of a job whose tasks are on other machines.

    The log of `hadoop jar` says which application it is, and how many per cent
    are done; the master of the job is asked for the rest, every two seconds.
    """

    def __init__(
        self, stage: str, total: int | None, yarn: Yarn, tag: str, stream: TextIO | None = None
    ) -> None:
        """`tag` is that of the application, by which it is found while it waits."""
        super().__init__(stage, total, stream)
        self._yarn, self._tag = yarn.quick(), tag
        self._application: Application | None = None
        self._job: JobProgress | None = None
        self._tasks = ""
        self._asked = -POLL_SECONDS

    def _look(self, scratch: Path) -> None:
        self._read(scratch / "log")
        now = time.monotonic()
        if self._application and now - self._asked >= POLL_SECONDS:
            self._ask(self._application)
            self._asked = now

    def _read(self, path: Path) -> None:
        text = self._new_lines(path)
        for url, application in URL.findall(text):
            submitted = Application(application.decode(), tracking_url=url.decode())
            self._application, self._job, self._tasks = submitted, None, ""
            self._say(f"{self.stage}: {submitted.id} {submitted.tracking_url}")
        for maps, reduces in PERCENT.findall(text)[-1:] if self._job is None else ():
            self._tasks = f"map {int(maps)} %, reduce {int(reduces)} %"

    def _ask(self, application: Application) -> None:
        job = self._yarn.progress(application)
        if job is None:
            if not self._tasks and self._waits():
                self._tasks = "waits for its turn in YARN"
            return
        self._job = job
        self._tasks = f"maps {job.maps_done}/{job.maps}, reduces {job.reduces_done}/{job.reduces}"
        if job.failed_attempts:
            self._tasks += f", {job.failed_attempts} failed attempts"
        images, reported = job.counters.get("images", {}), job.counters.get("progress", {})
        # what a lost attempt had counted is taken back; a bar does not go back
        self.done = max(self.done, sum(images.get(name, 0) for name in DONE))
        self.rejected = max(self.rejected, reported.get("rejected", 0))

    def _waits(self) -> bool:
        try:
            applications = self._yarn.applications(self._tag)
        except NoAnswer:
            return False
        return any(application.state == "ACCEPTED" for application in applications)

    def _standing(self) -> object:
        return self.done, self.rejected, self._tasks

    def _note(self) -> str:
        return ", ".join(filter(None, [super()._note(), self._tasks]))

    def _sentence(self, rate: float) -> str:
        pictures = super()._sentence(rate) if self.total and self.done else ""
        return "; ".join(filter(None, [pictures, self._tasks]))
