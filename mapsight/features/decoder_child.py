"""The child that decodes: limited in memory (RLIMIT_DATA) and in time per picture.

    python -m mapsight.features.decoder_child SETTINGS

It answers what its pipes bring (see decoder_process.py), says nothing on its parent's standard
streams, and does not outlive its parent.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.features.decode import PictureError, decode
from mapsight.features.decoder_pipes import PATIENCE, REPLY, REQUEST, write_all
from mapsight.features.measures import measure
from mapsight.features.preprocess import central_crop
from mapsight.python_child import end_with, name_process

__all__ = ["NAME", "Decoded", "answer", "main", "serve"]

NAME = "decoder"
_OWN_BYTES = 54 * 2**20


@dataclass(frozen=True)
class Decoded:
    """`fields` as `measures.measure` gives them; `crop` is (side, side, 3) uint8."""

    fields: dict[str, Any]
    crop: np.ndarray


Work = Callable[[bytes, int, int], Decoded | PictureError]


def answer(data: bytes, side: int, resize: int = 0) -> Decoded | PictureError:
    """Do what the child does with a picture."""
    try:
        picture = decode(data)
        return Decoded(measure(picture), central_crop(picture.image, side, resize))
    except PictureError as error:
        return error
    except MemoryError:
        return PictureError("out_of_memory", "measuring needs more memory than allowed")


def main(work: Work = answer) -> None:
    """Be the child: greet, then answer every picture until its input ends."""
    serve(json.loads(sys.argv[-1]), work)


def serve(settings: Mapping[str, Any], work: Work) -> None:
    """Do that with these settings: seconds and bytes of memory, parent, whether to end with it."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.dup(1)
    gc.freeze()  # what a copy has from its parent is the parent's to look through
    _settle(**settings)
    _reply(sink, {})
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        size, side, resize = REQUEST.unpack(head)
        data = source.read(size)
        signal.setitimer(signal.ITIMER_REAL, settings["seconds"] + PATIENCE)
        result = work(data, side, resize)
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
    name_process(NAME)
    if bound:
        end_with(parent)


def _data_bytes() -> int:
    """What RLIMIT_DATA counts of this process now; 0 where the system does not say it."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main()
