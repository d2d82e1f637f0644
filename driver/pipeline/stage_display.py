"""On a terminal: which stages are done, which run, and which are to come."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from typing import Any, TextIO

from driver.pipeline.stage import StageReport

__all__ = ["StageDisplay"]


class StageDisplay:
    """A line for each stage that has ended, and below them one on the others; elsewhere nothing."""

    def __init__(self, names: Sequence[str], stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._names = list(names)
        self._running: list[str] = []
        self._ended: list[str] = []
        self._lock = threading.Lock()
        self._bar: Any = None
        if self._stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(bar_format="{desc}", leave=False, file=self._stream)

    def __enter__(self) -> StageDisplay:
        return self

    def start(self, name: str) -> None:
        """Say that a stage runs from now on."""
        with self._lock:
            self._running.append(name)
            self._show()

    def end(self, report: StageReport) -> None:
        """Say how a stage has ended."""
        with self._lock:
            self._running.remove(report.name)
            self._ended.append(report.name)
            if self._bar is not None:
                how = "unchanged" if report.skipped else f"{report.seconds:,.1f} s"
                number = f"{len(self._ended):>2} of {len(self._names)}"
                self._bar.write(f"{number}  {report.name:<11}{how:>11}", file=self._stream)
            self._show()

    def _show(self) -> None:
        if self._bar is None:
            return
        numbers = "-".join(str(len(self._ended) + n) for n in sorted({1, len(self._running) or 1}))
        begun = {*self._running, *self._ended}
        to_come = [name for name in self._names if name not in begun]
        text = f"stage {numbers} of {len(self._names)}: {', '.join(self._running)}"
        text += f"; to come: {', '.join(to_come)}" if to_come else ""
        self._bar.set_description_str(text[: shutil.get_terminal_size().columns - 1])

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
