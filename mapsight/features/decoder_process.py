"""Decoding in a child process: a picture that kills or hangs it costs one record.

The child lives as long as the `Decoder` and takes one picture at a time, by
pipe: 8 bytes of length, 4 of the crop's side and the encoded picture in; two
lengths of 4 bytes, a JSON header and the bytes of the crop out (all big-endian).
It is limited in memory (RLIMIT_DATA) and in time per picture, says nothing on its
parent's standard streams, and does not outlive its parent.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mapsight.features.decode import PictureError, decode
from mapsight.features.decoder_pipes import (
    PATIENCE,
    REPLY,
    REQUEST,
    Child,
    forked,
    started,
    write_all,
)
from mapsight.features.measures import measure
from mapsight.features.preprocess import central_crop
from mapsight.python_child import module_command

__all__ = ["NAME", "Decoded", "Decoder", "DecoderError", "answer", "main"]

NAME = "decoder"
"""The child's, as `ps` and `top` show it on Linux."""

Key = TypeVar("Key")

_STARTS = 5
_FIRST_STARTS = 2  # one child may be killed from outside while it starts
_PAUSE_SECONDS = 0.2
_OWN_BYTES = 54 * 2**20
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


class DecoderError(RuntimeError):
    """The child cannot be started: no picture is to blame."""


@dataclass(frozen=True)
class Decoded:
    """`fields` as `measures.measure` gives them; `crop` is (side, side, 3) uint8."""

    fields: dict[str, Any]
    crop: np.ndarray


class Decoder:
    """Decodes, measures and crops pictures in a child process.

    The child starts with the first picture, or on entering the context. One
    that is killed from outside is replaced and asked again: a picture is
    `decoder_crashed` when two children died on it.

    Args:
        side: pixels, of the crop; may be set later.
        seconds: allowed per picture.
        memory: bytes the child may allocate, its own 54 MB included; a picture
            of more than a quarter of that in encoded form is `too_many_bytes`.
        command: the child, instead of `python -m mapsight.features.decoder_process`; gets its
            settings as last argument and is to call `main`.
        fork: whether the first child is a copy of this process, which costs 0.2 s less
            than a new Python; for a process that has not begun its work. Linux only.

    `starts` counts the children; above 1, some had to be replaced.

    Raises:
        DecoderError: the first child does not start in two attempts, or a
            replacement in five.
    """

    def __init__(
        self,
        side: int = 224,
        seconds: float = 30.0,
        memory: int = 400 * 2**20,
        command: Sequence[str] | None = None,
        *,
        fork: bool = False,
    ) -> None:
        self.side, self.seconds, self.memory = side, seconds, memory
        self._fork = fork and sys.platform == "linux"
        self.command = list(command or module_command("mapsight.features.decoder_process"))
        self.starts = 0
        self._child: Child | None = None
        self._pending: bytes | None = None
        self._deadline = 0.0

    def __enter__(self) -> Decoder:
        self._running()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one; the next picture starts another."""
        self._stop()
        self._pending = None

    def _stop(self, patience: float = 0.0) -> str:
        child, self._child = self._child, None
        return child.end(patience) if child else ""

    def decode(self, data: bytes) -> Decoded | PictureError:
        """Decode one picture; errors are returned, not raised."""
        return next(self.decode_all([(None, data)]))[1]

    def decode_all(
        self, pairs: Iterable[tuple[Key, bytes]]
    ) -> Iterator[tuple[Key, Decoded | PictureError]]:
        """Decode every picture in order, the next one while the caller uses this one."""
        if self._pending is not None:  # an earlier caller left before its answer came
            self.close()
        waiting: list[Key] = []
        for key, data in pairs:
            result = self._collect() if waiting else None
            self._submit(data)
            if result is not None:
                yield waiting.pop(), result
            waiting.append(key)
        if waiting:
            yield waiting.pop(), self._collect()

    def _submit(self, data: bytes) -> None:
        self._pending = data
        child = self._running()  # whose start is none of the picture's time
        self._deadline = time.monotonic() + self.seconds
        if len(data) <= self.memory // 4:
            child.send(data, self.side, self._deadline)

    def _collect(self) -> Decoded | PictureError:
        data, limit = self._pending or b"", self.memory // 4
        if len(data) > limit:
            self._pending = None
            return PictureError("too_many_bytes", f"{len(data)} bytes, over {limit}")
        result = self._receive()
        if isinstance(result, PictureError) and result.code == "decoder_crashed":
            self._submit(data)
            result = self._receive()
        self._pending = None
        return result

    def _receive(self) -> Decoded | PictureError:
        try:
            header, crop = self._running().receive(self._deadline)
            if "error" not in header:
                shape = (self.side, self.side, 3)
                return Decoded(header, np.frombuffer(crop, np.uint8).reshape(shape))
        except TimeoutError:
            self._stop()
            return PictureError("decoder_timeout", f"more than {self.seconds:g} s")
        except (EOFError, ValueError):
            how = self._stop(PATIENCE)
            return PictureError("decoder_timeout" if how == "SIGALRM" else "decoder_crashed", how)
        if header["error"] == "out_of_memory":
            self._stop()
        return PictureError(header["error"], header["detail"])

    def _running(self) -> Child:
        if self._child is None:
            self._child = self._started(_STARTS if self.starts else _FIRST_STARTS)
            self.starts += 1
        return self._child

    def _started(self, attempts: int) -> Child:
        settings = {
            "seconds": self.seconds,
            "memory": self.memory,
            "parent": os.getpid(),
            # the kernel tells of the end of the thread that started the child
            "bound": threading.current_thread() is threading.main_thread(),
        }
        # later ones are new programs: by then this one has read files, and has threads
        copied = self._fork and not self.starts
        start = started([*self.command, json.dumps(settings)])
        for attempt in range(attempts):
            time.sleep(_PAUSE_SECONDS * attempt)
            try:
                return Child(forked(lambda: _serve(settings, answer)) if copied else start)
            except OSError as error:
                trouble = error
        raise DecoderError(f"the decoder does not start: {trouble}") from trouble


def answer(data: bytes, side: int) -> Decoded | PictureError:
    """Do what the child does with a picture."""
    try:
        picture = decode(data)
        return Decoded(measure(picture), central_crop(picture.image, side))
    except PictureError as error:
        return error
    except MemoryError:
        return PictureError("out_of_memory", "measuring needs more memory than allowed")


def main(work: Callable[[bytes, int], Decoded | PictureError] = answer) -> None:
    """Be the child: greet, then answer every picture until its input ends."""
    _serve(json.loads(sys.argv[-1]), work)


def _serve(
    settings: Mapping[str, Any], work: Callable[[bytes, int], Decoded | PictureError]
) -> None:
    source, sink = os.fdopen(os.dup(0), "rb"), os.dup(1)
    gc.freeze()  # what a copy has from its parent is the parent's to look through
    _settle(**settings)
    _reply(sink, {})
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        size, side = REQUEST.unpack(head)
        data = source.read(size)
        signal.setitimer(signal.ITIMER_REAL, settings["seconds"] + PATIENCE)
        result = work(data, side)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if isinstance(result, Decoded):
            _reply(sink, result.fields, result.crop.tobytes())
        else:
            _reply(sink, {"error": result.code, "detail": result.detail})


def _reply(sink: int, header: dict[str, Any], crop: bytes = b"") -> None:
    text = json.dumps(header).encode()
    write_all(sink, (REPLY.pack(len(text), len(crop)), text, crop), math.inf)


def _settle(*, memory: int, parent: int, bound: bool, **_: object) -> None:
    """Limit this process, and tie its life to its parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = memory + max(0, _data_bytes() - _OWN_BYTES)
    with contextlib.suppress(OSError, ValueError):  # not every system has such a limit
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    if sys.platform == "linux":
        import ctypes

        system = ctypes.CDLL(None)
        system.prctl(_PR_SET_NAME, NAME.encode())
        if bound:
            system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                sys.exit("the parent is gone")


def _data_bytes() -> int:
    """What RLIMIT_DATA counts of this process now; 0 where the system does not say it."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main()
