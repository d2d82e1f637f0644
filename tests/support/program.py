"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT


class Program:
    """Runs the command line as people do; `seconds` guard against hanging."""

    seconds = 300

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def command(self, *arguments: str) -> list[str]:
        small = ["--alpha", "0.25", "--resolution", "128"]
        model = small if not arguments or arguments[0].startswith("-") else []
        return [sys.executable, str(ROOT / "driver" / "run.py"), *arguments, *model]

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
        """Start it and go on."""
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
