"""What a file is that holds many pictures, by its name or by its first bytes."""

from __future__ import annotations

import re
from typing import Any

from mapsight.storage.passed_over import is_picture_name

__all__ = ["is_tar", "kind_of"]

TAR = re.compile(r"\.(tar(\.(gz|bz2|xz|zst))?|tgz|tbz2?|txz|tzst)$", re.I)
MANY = re.compile(r"(\.(parquet|parq|pqt?|gz|bz2|xz|zst)$|(^|/)part-[^/]*$)", re.I)
HEAD = 512
USTAR = slice(257, 262)


def is_tar(name: str) -> bool:
    """Return whether a name is that of a tar archive, compressed or not."""
    return bool(TAR.search(name))


def kind_of(file_system: Any, path: str, source: str, *, near: bool) -> str:
    """Return `picture`, `parquet` or `tar`, whatever the ending.

    Args:
        near: opening a file costs little; elsewhere only those are looked into whose
            names are unusual for pictures.
    """
    if is_tar(source):
        return "tar"
    if is_picture_name(source) or not (near or MANY.search(source)):
        return "picture"
    try:
        with file_system.open(path, "rb") as file:
            return _by_bytes(file)
    except (OSError, ValueError):
        return "picture"


def _by_bytes(file: Any) -> str:
    head = file.read(HEAD)
    if head[:4] == b"PAR1":
        return "parquet"
    if head[USTAR] == b"ustar":
        return "tar"
    if head[:3] in (b"\x1f\x8b\x08", b"BZh", b"\xfd7z", b"\x28\xb5\x2f"):
        from mapsight.inputs.decompress import ByteStream

        file.seek(0)
        return "tar" if ByteStream(file).read(HEAD)[USTAR] == b"ustar" else "picture"
    return "picture"
