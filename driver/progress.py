"""What a stage has done so far, for people who wait."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

__all__ = ["Progress"]

COUNTER = re.compile(rb"reporter:counter:(images|progress),(read|packed|answered|rejected),(\d+)")
TASK_LOGS = "*/step/*/mapper/*/stderr"
LINE_SECONDS = 30.0
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
            self._bar = tqdm(
                total=total,
                desc=stage,
                unit=" pictures",
                file=self._stream,
                leave=False,
                dynamic_ncols=True,
                bar_format=BAR if total else "{desc}: {elapsed}",
            )

    def update(self, scratch: Path) -> None:
        """Look at what the tasks of a job have reported since the last time."""
        done, rejected = self.done, self.rejected
        for path in scratch.glob(TASK_LOGS) if self.total else ():
            self._read(path)
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self.rejected} rejected", refresh=False)
            self._bar.update(self.done - done)
            self._bar.refresh()
        elif (self.done, self.rejected) != (done, rejected):
            self._say_now_and_then()

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as log:
                log.seek(self._offsets.get(path, 0))
                text = log.read()
        except OSError:
            return
        end = text.rfind(b"\n") + 1
        self._offsets[path] = self._offsets.get(path, 0) + end
        for _, name, count in COUNTER.findall(text[:end]):
            if name == b"rejected":
                self.rejected += int(count)
            else:
                self.done += int(count)

    def _say_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        rate = self.done / (now - self._started)
        left = (self.total or 0) - self.done
        self._stream.write(
            f"{self.stage}: {self.done:,} of {self.total or 0:,} pictures, {rate:.0f}/s, "
            f"{self.rejected:,} rejected, about {left / max(rate, 1e-9):.0f} s left\n"
        )
        self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
