"""A key found in a part that is sorted by key, without reading all of it."""

from __future__ import annotations

import itertools
import json
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from mapsight.results.predictions import GZIP, lines_of
from mapsight.storage.uri import resolve

__all__ = ["find_sorted"]

BLOCK = 1 << 16
"""Bytes of a part that are looked through; of how many steps there are, the log of its blocks."""
END = b"\xff"
"""Comes after every key: these are JSON."""


def find_sorted(part: str, key: str) -> list[Any]:
    """Return the values of a key in a part that reducers have left sorted by their keys.

    Some 20 blocks are read of 10 GB; a compressed part is read up to the key. Memory: a block.
    """
    wanted = json.dumps(key).encode()
    lines = lines_of(part) if part.endswith(GZIP) else _lines_near(part, wanted)
    upto = itertools.takewhile(lambda line: line[0] <= wanted, lines)
    return [json.loads(value) for one, value in upto if one == wanted]


def _lines_near(part: str, wanted: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) from a little before the first that has the key, or would."""
    file_system, path = resolve(part)
    with file_system.open(path, "rb", block_size=BLOCK) as file:
        blocks = range(0, file_system.size(path), BLOCK)
        first = bisect_left(blocks, wanted, key=lambda place: _key_from(file, place))
        _go_to_line(file, blocks[first - 1] if first else 0)
        for line in file:
            key, _, value = line.partition(b"\t")
            yield key, value


def _key_from(file: Any, place: int) -> bytes:
    """Return the key of the first line that begins at a place or after it."""
    _go_to_line(file, place)
    return file.readline().partition(b"\t")[0] or END


def _go_to_line(file: Any, place: int) -> None:
    """Move to where the first line begins that does so at a place or after it."""
    file.seek(max(0, place - 1))
    if place:
        file.readline()
