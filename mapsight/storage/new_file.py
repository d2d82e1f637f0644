"""Files that tasks write beside their output: each attempt to a name of its own."""

from __future__ import annotations

import os
from typing import Any

from mapsight.storage.uri import resolve

__all__ = ["new_file"]


def new_file(folder: str, prefix: str, ending: str) -> tuple[str, Any]:
    """Return (name, file open for writing) of a new file in a folder or URI, made if need be.

    Its name is new for every attempt: what another one left is never overwritten.
    """
    name = f"{prefix}-{os.getpid()}-{os.urandom(4).hex()}{ending}"
    file_system, path = resolve(f"{folder.rstrip('/')}/{name}")
    file_system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    return name, file_system.open(path, "wb")
