"""What a stage has done so far, for people who wait."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TextIO

__all__ = ["Progress"]

COUNTER = re.compile(rb"reporter:counter:(images|progress),(read|packed|answered|rejected),(\d+)")
TASK_LOGS = "*/step/*/mapper/*/stderr"
LINE_SECONDS = 30.0
MOST_BYTES = 8 << 20  # of a log that are read at a time
BAR = (
    "{desc}: {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}"
    " [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
)


class Progress:
    """A bar on a terminal; elsewhere a line now and then.

    Reads the counters that tasks report on their stderr under the runner's
    temporary folder, only what is new since the last look.
    """

    def __init__(self, stage: str, total: int | None, stream: TextIO | None = None) -> None:
        """`total` is the number of pictures; None for a stage that does not tell."""
        self.stage, self.total = stage, total
        self.done = self.rejected = 0
        self._stream = stream or sys.stderr
        self._offsets: dict[Path, int] = {}
        self._started = self._said = time.monotonic()
        self._bar = None
        if self._stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                desc=stage,
                unit=" pictures",
                file=self._stream,
                leave=False,
                dynamic_ncols=True,
                bar_format=BAR if total else "{desc}: {elapsed}{postfix}",
            )

    def update(self, scratch: Path) -> None:
        """Look at what the tasks of a job have reported since the last time."""
        before = self._standing()
        self._look(scratch)
        if self._bar is not None:
            self._bar.set_postfix_str(self._note(), refresh=False)
            self._bar.update(self.done - self._bar.n)
            self._bar.refresh()
        elif self._standing() != before:
            self._say_now_and_then()

    def _standing(self) -> object:
        """Return what is worth a line when it changes."""
        return self.done, self.rejected

    def _note(self) -> str:
        """Return what stands at the end of the bar."""
        return f"{self.rejected} rejected" if self.total else ""

    def _look(self, scratch: Path) -> None:
        for path in scratch.glob(TASK_LOGS) if self.total else ():
            self._read(path)

    def _read(self, path: Path) -> None:
        for _, name, count in COUNTER.findall(self._new_lines(path)):
            if name == b"rejected":
                self.rejected += int(count)
            else:
                self.done += int(count)

    def _new_lines(self, path: Path) -> bytes:
        """Return the complete lines that a file has got since the last time."""
        try:
            with path.open("rb") as log:
                log.seek(self._offsets.get(path, 0))
                text = log.read(MOST_BYTES)
        except OSError:
            return b""
        end = text.rfind(b"\n") + 1
        if not end and len(text) == MOST_BYTES:  # no line is as long
            end = MOST_BYTES
        self._offsets[path] = self._offsets.get(path, 0) + end
        return text[:end]

    def _say_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        self._say(f"{self.stage}: {self._sentence(self.done / (now - self._started))}")

    def _sentence(self, rate: float) -> str:
        left = (self.total or 0) - self.done
        return (
            f"{self.done:,} of {self.total or 0:,} pictures, {rate:.0f}/s, "
            f"{self.rejected:,} rejected, about {left / max(rate, 1e-9):.0f} s left"
        )

    def _say(self, line: str) -> None:
        """Write a line; above the bar where there is one."""
        if self._bar is not None:
            self._bar.write(line, file=self._stream)
        else:
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
