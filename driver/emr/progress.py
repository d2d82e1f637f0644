"""What a step on EMR has done so far, for people who wait."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TextIO

from driver.pipeline.progress import Progress

__all__ = ["EmrProgress"]

STATE = re.compile(rb"^mrjob\.emr:   (PENDING \(cluster is [^\n]*\)|RUNNING for [\d:]+)", re.M)
PERCENT = re.compile(rb"^mrjob\.emr: map (\d+)% reduce (\d+)%", re.M)


class EmrProgress(Progress):
    """As `Progress`, of a job that EMR runs: its state, and percentages twenty seconds old.

    How many pictures are done is not known before the end.
    """

    def __init__(self, stage: str, total: int | None, stream: TextIO | None = None) -> None:
        super().__init__(stage, total, stream)
        self._state = ""

    def _look(self, scratch: Path) -> None:
        text = self._new_lines(scratch / "log")
        for state in STATE.findall(text)[-1:]:
            self._state = state.decode("utf-8", "replace").split(" for ")[0].lower()
        for maps, reduces in PERCENT.findall(text)[-1:]:
            self._state = f"map {int(maps)} %, reduce {int(reduces)} %"
            if self.total:
                self.done = max(self.done, self.total * int(maps) // 100)

    def _standing(self) -> object:
        return self._state

    def _note(self) -> str:
        return self._state

    def _sentence(self, rate: float) -> str:
        return self._state
