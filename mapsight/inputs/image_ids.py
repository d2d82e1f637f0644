"""Ids of pictures: given, taken from a file's name, or a hash of where it came from."""

from __future__ import annotations

import hashlib
import re

__all__ = ["HEX_ID", "image_id_of", "is_named", "safe_id", "source_id"]

HEX_ID = re.compile(r"[0-9a-fA-F]{16}")
SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def image_id_of(source: str, name: str | None = None) -> str:
    """Return the id of a picture: its 16-hex file stem, else a hash of its source.

    >>> image_id_of("pictures/00966a975d566c45.jpg")
    '00966a975d566c45'
    >>> image_id_of("pictures/cat.jpg") == hashlib.sha256(b"pictures/cat.jpg").hexdigest()[:16]
    True
    """
    file = (source if name is None else name).rstrip("/").rpartition("/")[2]
    stem, _, ending = file.rpartition(".")
    stem = stem if stem and ending else file
    return stem.lower() if HEX_ID.fullmatch(stem) else source_id(source)


def source_id(source: str) -> str:
    """Return the id of a picture of which only its source is known: a hash."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()[:16]


def is_named(image_id: str, source: str) -> bool:
    """Return whether an id is the name of a file that a source ends in, and no hash.

    >>> is_named("00966a975d566c45", "pictures/00966A975d566c45.jpg")
    True
    """
    named = HEX_ID.fullmatch(image_id) and image_id in source.lower()
    return bool(named) and image_id != source_id(source)


def safe_id(text: str) -> bool:
    """Return whether a given id can be a key: short, printable, sorted the same by every tool."""
    return bool(SAFE_ID.fullmatch(text))
