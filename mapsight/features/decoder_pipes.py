"""A child process and its pipes, as its parent has them; what goes through these."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mapsight.python_child import ROOT, python_path

__all__ = ["PATIENCE", "REPLY", "REQUEST", "Child", "forked", "started", "write_all"]

REQUEST = struct.Struct(">QII")
REPLY = struct.Struct(">II")
LONGEST_REPLY = 2**26
START_SECONDS = 60.0
PATIENCE = 5.0
PIPE_BYTES = 1 << 20
"""What a pipe is to hold: a whole picture or crop, so that nobody waits in the middle of one."""

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB", "BLIS")
}
_POLL_SECONDS = 0.01
_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)  # Linux, and there not in every Python


class Child:
    """A process, and its pipes: it has greeted.

    Args:
        start: called with the two descriptors that are to be its input and output, and
            one for what it says; returns its number.

    Raises:
        OSError: it does not start.
    """

    def __init__(self, start: Callable[[int, int, int], int]) -> None:
        theirs_in, ours_in = _pipe()
        ours_out, theirs_out = _pipe()
        self._stdin, self._stdout = os.fdopen(ours_in, "wb", 0), os.fdopen(ours_out, "rb", 0)
        with tempfile.TemporaryFile() as said:
            descriptors = theirs_in, theirs_out, _above_standard(said.fileno())
            try:
                self.pid = start(*descriptors)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            os.set_blocking(ours_in, False)
            os.set_blocking(ours_out, False)
            try:
                self.receive(time.monotonic() + START_SECONDS)
            except (EOFError, ValueError, TimeoutError):
                how = self.end(PATIENCE)
                said.seek(0)
                words = said.read().decode("utf-8", "replace")
                raise OSError(f"{how}: {words.strip()[-1000:]}") from None

    def send(self, data: bytes, side: int, resize: int, deadline: float) -> None:
        """Hand over a picture. What goes wrong here is found out on receiving."""
        with contextlib.suppress(BrokenPipeError, TimeoutError):
            write_all(self._stdin.fileno(), (REQUEST.pack(len(data), side, resize), data), deadline)

    def receive(self, deadline: float) -> tuple[dict[str, Any], bytearray]:
        """Return a header and a crop. TimeoutError; EOFError or ValueError of a broken child."""
        _wait(self._stdout.fileno(), select.POLLIN, deadline)
        deadline = max(deadline, time.monotonic() + PATIENCE)  # a late caller, a full pipe
        text, crop = REPLY.unpack(self._read(REPLY.size, deadline))
        if max(text, crop) > LONGEST_REPLY:
            raise ValueError(f"a reply of {text} + {crop} bytes")
        return json.loads(self._read(text, deadline)), self._read(crop, deadline)

    def _read(self, size: int, deadline: float) -> bytearray:
        data, source = bytearray(size), self._stdout.fileno()
        view = memoryview(data)
        while view:
            try:
                count = os.readv(source, [view])
            except BlockingIOError:
                _wait(source, select.POLLIN, deadline)
                continue
            if not count:
                raise EOFError
            view = view[count:]
        return data

    def end(self, patience: float = 0.0) -> str:
        """Stop and reap it; how it had ended, as the name of a signal or a status."""
        deadline = time.monotonic() + patience
        while (status := self._status(os.WNOHANG)) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if status is None:
            os.kill(self.pid, signal.SIGKILL)
            status = self._status()
        self._stdin.close()
        self._stdout.close()
        code = os.waitstatus_to_exitcode(status or 0)
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    def _status(self, options: int = 0) -> int | None:
        """How it ended; None while it has not."""
        try:
            ended, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # somebody else has waited for it
            return 0
        return status if ended else None


def started(command: Sequence[str]) -> Callable[[int, int, int], int]:
    """Return what starts a program as a `Child`; it finds this package, and all that we find."""

    def start(source: int, sink: int, said: int) -> int:
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": python_path(ROOT, *sys.path)}
        moves = [(os.POSIX_SPAWN_DUP2, old, new) for new, old in enumerate((source, sink, said))]
        return os.posix_spawn(command[0], list(command), environment, file_actions=moves)

    return start


def forked(work: Callable[[], object]) -> Callable[[int, int, int], int]:
    """Return what makes a copy of this process a `Child`, which does some work and ends.

    It takes a hundredth of the time of a new Python. Nothing of what is open here is open there.
    """

    def start(source: int, sink: int, said: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            for new, old in enumerate((source, sink, said)):
                os.dup2(old, new)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            work()
            status = 0
        finally:
            os._exit(status)

    return start


def write_all(descriptor: int, parts: Iterable[Any], deadline: float) -> None:
    """Write buffers one after the other, as few times as it takes. TimeoutError; OSError."""
    views = [memoryview(part) for part in parts]
    while views:
        try:
            count = os.writev(descriptor, views)
        except BlockingIOError:
            _wait(descriptor, select.POLLOUT, deadline)
            continue
        while views and count >= len(views[0]):
            count -= len(views.pop(0))
        if views:
            views[0] = views[0][count:]


def _pipe() -> tuple[int, int]:
    """Return a pipe, larger than usual where the system allows it."""
    source, sink = map(_moved_up, os.pipe())
    with contextlib.suppress(OSError):  # no Linux, or the user's pipes hold too much together
        fcntl.fcntl(sink, _F_SETPIPE_SZ, PIPE_BYTES)
    return source, sink


def _moved_up(descriptor: int) -> int:
    above = _above_standard(descriptor)
    os.close(descriptor)
    return above


def _above_standard(descriptor: int) -> int:
    """Return a copy of a descriptor that is none of 0 to 2, which a child has uses for."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Until the descriptor is ready; TimeoutError after the deadline."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
