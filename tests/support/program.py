"""The command line, called in this process, or run in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO
from unittest import mock

from tests.support.paths import ROOT
from tests.support.reports import charts_drawn_once

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
KEPT = ("driver.pipeline.", "mapsight.report.pages")
"""Where digests of the program's code and its templates are kept, which do not change meanwhile."""


class Program:
    """Runs the command line as people do; `seconds` guard against hanging."""

    seconds = 300

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def arguments(self, *arguments: str) -> list[str]:
        """Add the small model to those of a run."""
        small = ["--alpha", "0.25", "--resolution", "128"]
        model = small if not arguments or arguments[0].startswith("-") else []
        return [*arguments, *model]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "driver" / "run.py"), *self.arguments(*arguments)]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=self.seconds,
        )

    def ok(self, *arguments: str) -> str:
        """Run what must succeed; its standard output."""
        done = self(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it in a process of its own and go on."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that runs the tests in the background has it ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def ended(run: subprocess.Popen[str], seconds: float = Program.seconds) -> str:
    """Wait for a program that was started and must succeed; its standard output."""
    said, errors = run.communicate(timeout=seconds)
    assert run.returncode == 0, errors
    return said


class CalledProgram(Program):
    """Calls the command line in this process, which has imported everything already.

    Not for what is of a process: signals, a closed stream, PYTHONPATH, memory, Java.
    """

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        given = self.arguments(*arguments)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            with self._as_alone(), _written_to(out, 1), _written_to(errors, 2):
                status = _called(given)
            return subprocess.CompletedProcess(given, status, _text(out), _text(errors))

    @contextmanager
    def _as_alone(self) -> Iterator[None]:
        """Have the folder, environment and module state of a process that has just begun."""
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        before = Path.cwd()
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment, clear=True))
            stack.enter_context(mock.patch.object(tempfile, "tempdir", None))
            for name in ("stdout", "stderr"):
                stack.enter_context(mock.patch.object(sys, name, getattr(sys, name)))
            stack.enter_context(charts_drawn_once())
            os.chdir(self.folder)
            try:
                yield
            finally:
                os.chdir(before)
                for number, handler in handlers.items():
                    signal.signal(number, handler)
                _forget()


def _called(arguments: list[str]) -> int:
    from driver import run, streams

    streams.mend_streams()
    try:
        status = run.main(arguments)
        if status == 130:
            raise KeyboardInterrupt  # whoever ends the tests does not mean the command alone
        return status
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _forget() -> None:
    """Clear what modules remember from call to call, but of the program itself."""
    from driver import unwritable

    unwritable._watched.clear()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] not in ("driver", "mapsight") or name.startswith(KEPT):
            continue
        for value in list(vars(module).values()):
            if callable(clear := getattr(value, "cache_clear", None)):
                clear()


@contextmanager
def _written_to(file: IO[bytes], descriptor: int) -> Iterator[None]:
    """Have a standard stream go to a file, that of children too."""
    before = os.dup(descriptor)
    os.dup2(file.fileno(), descriptor)
    try:
        yield
    finally:
        os.dup2(before, descriptor)
        os.close(before)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
