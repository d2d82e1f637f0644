"""Decoding in a child process: a picture that kills or hangs it costs one record.

The child lives as long as the `Decoder` and takes one picture at a time, by
pipe: 8 bytes of length, 4 of the crop's side, 4 of what a picture's shorter side
becomes before that, and the encoded picture in; two lengths of 4 bytes, a JSON
header and the bytes of the crop out (all big-endian).
It is limited in memory (RLIMIT_DATA) and in time per picture, says nothing on its
parent's standard streams, and does not outlive its parent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from mapsight.features.decode import PictureError
from mapsight.features.decoder_child import Decoded, answer, serve
from mapsight.features.decoder_pipes import (
    PATIENCE,
    Child,
    forked,
    started,
)
from mapsight.python_child import module_command

__all__ = ["Decoder", "DecoderError"]

"""The child's, as `ps` and `top` show it on Linux."""

Key = TypeVar("Key")

_STARTS = 5
_FIRST_STARTS = 2  # one child may be killed from outside while it starts
_PAUSE_SECONDS = 0.2


class DecoderError(RuntimeError):
    """The child cannot be started: no picture is to blame."""


class Decoder:
    """Decodes, measures and crops pictures in a child process.

    The child starts with the first picture, or on entering the context. One
    that is killed from outside is replaced and asked again: a picture is
    `decoder_crashed` when two children died on it.

    Args:
        side: pixels, of the crop; may be set later.
        resize: pixels, of a picture's shorter side before it is cropped; 0 for MobileNet's; may be
            set later.
        seconds: allowed per picture.
        memory: bytes the child may allocate, its own 54 MB included; a picture
            of more than a quarter of that in encoded form is `too_many_bytes`.
        command: the child, instead of `python -m mapsight.features.decoder_child`; gets its
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
        resize: int = 0,
    ) -> None:
        self.resize = resize
        self.side, self.seconds, self.memory = side, seconds, memory
        self._fork = fork and sys.platform == "linux"
        self.command = list(command or module_command("mapsight.features.decoder_child"))
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
            child.send(data, self.side, self.resize, self._deadline)

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
                return self._decoded(header, crop)
        except TimeoutError:
            self._stop()
            return PictureError("decoder_timeout", f"more than {self.seconds:g} s")
        except (EOFError, ValueError):
            how = self._stop(PATIENCE)
            return PictureError("decoder_timeout" if how == "SIGALRM" else "decoder_crashed", how)
        if header["error"] == "out_of_memory":
            self._stop()
        return PictureError(header["error"], header["detail"])

    def _decoded(self, fields: dict[str, Any], data: bytearray) -> Decoded:
        shape = (self.side, self.side, 3)
        return Decoded(fields, np.frombuffer(data, np.uint8).reshape(shape))

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
                return Child(forked(lambda: serve(settings, answer)) if copied else start)
            except OSError as error:
                trouble = error
        raise DecoderError(f"the decoder does not start: {trouble}") from trouble
