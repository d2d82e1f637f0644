"""Reading the rows of an index from where they lie: blocks of a file, some at once."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator

import pyarrow as pa

from mapsight.index.rows import Block, batch_in
from mapsight.storage.uri import read_ranges

__all__ = ["read_blocks"]

AHEAD_BYTES = 16 << 20
"""Of blocks that a file is asked for at once."""


def read_blocks(blocks: Iterable[Block]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of each of some blocks, in this order.

    Memory: AHEAD_BYTES, or a block if it has more.

    Raises:
        ValueError: its bytes are not those that were written; names the file.
    """
    for some in _together(blocks):
        ranges = [(block.offset, block.offset + block.bytes) for block in some]
        read = read_ranges(some[0].file, ranges)
        for block in some:
            yield _rows(block, read.pop(0))


def _together(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Yield blocks that follow each other and are in one file, of AHEAD_BYTES together."""
    for _, of_file in itertools.groupby(blocks, key=lambda block: block.file):
        some: list[Block] = []
        size = 0
        for block in of_file:
            if some and size + block.bytes > AHEAD_BYTES:
                yield some
                some, size = [], 0
            some.append(block)
            size += block.bytes
        yield some


def _rows(block: Block, data: bytes) -> pa.RecordBatch:
    if hashlib.sha256(data).hexdigest() != block.sha256:
        end = block.offset + block.bytes
        raise ValueError(f"{block.file}: bytes {block.offset} to {end} have changed")
    return batch_in(data)
