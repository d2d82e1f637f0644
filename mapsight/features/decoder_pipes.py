"""A child process and its pipes, as its parent has them; what goes through these."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Any, cast

from mapsight.python_child import ROOT, python_path

__all__ = ["PATIENCE", "REPLY", "REQUEST", "Child"]

REQUEST = struct.Struct(">Q")
REPLY = struct.Struct(">II")
LONGEST_REPLY = 2**26
START_SECONDS = 60.0
PATIENCE = 5.0
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB", "BLIS")
}


class Child:
    """The process and its pipes. OSError if it does not start."""

    def __init__(self, command: Sequence[str]) -> None:
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                bufsize=0,
                # it finds this package and all that its parent finds
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": python_path(ROOT, *sys.path)},
            )
            self._stdin = cast(IO[bytes], self._process.stdin).fileno()
            self._stdout = cast(IO[bytes], self._process.stdout).fileno()
            os.set_blocking(self._stdin, False)
            try:
                self.receive(time.monotonic() + START_SECONDS)
            except (EOFError, ValueError, TimeoutError):
                how = self.end(PATIENCE)
                said.seek(0)
                words = said.read().decode("utf-8", "replace")
                raise OSError(f"{how}: {words.strip()[-1000:]}") from None

    def send(self, data: bytes, deadline: float) -> None:
        """Hand over a picture. What goes wrong here is found out on receiving."""
        with contextlib.suppress(BrokenPipeError, TimeoutError):
            for part in (REQUEST.pack(len(data)), data):
                view = memoryview(part)
                while view:
                    _wait(self._stdin, select.POLLOUT, deadline)
                    view = view[os.write(self._stdin, view) :]

    def receive(self, deadline: float) -> tuple[dict[str, Any], bytearray]:
        """Return a header and a crop. TimeoutError; EOFError or ValueError of a broken child."""
        _wait(self._stdout, select.POLLIN, deadline)
        deadline = max(deadline, time.monotonic() + PATIENCE)  # a late caller, a full pipe
        text, crop = REPLY.unpack(self._read(REPLY.size, deadline))
        if max(text, crop) > LONGEST_REPLY:
            raise ValueError(f"a reply of {text} + {crop} bytes")
        return json.loads(self._read(text, deadline)), self._read(crop, deadline)

    def _read(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            _wait(self._stdout, select.POLLIN, deadline)
            count = os.readv(self._stdout, [view])
            if not count:
                raise EOFError
            view = view[count:]
        return data

    def end(self, patience: float = 0.0) -> str:
        """Stop and reap it; how it had ended, as the name of a signal or a status."""
        with self._process as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
            process.kill()
        code = process.returncode
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Until the descriptor is ready; TimeoutError after the deadline."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
