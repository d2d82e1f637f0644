"""Duplicates: rows of pictures, copies byte for byte, and near pairs within a bucket.

Two pictures are near duplicates if their dHashes differ in few bits (Hamming distance)
and their embeddings point the same way (cosine). Hashes that differ in at most three bits
agree in one of four bands of 16 (pigeonhole): pictures that share a band meet in a bucket,
and only those are compared (banding: Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, chapter 3; blocks of simhashes: Manku et al., WWW 2007).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mapsight.index.cosines import cosines, exact_type
from mapsight.labels.ranking import sort_key
from mapsight.records import decode_embedding, decode_vector, encode_vector, is_picture

__all__ = [
    "BANDS",
    "BYTES",
    "MOST_BITS",
    "Row",
    "Window",
    "bands_of",
    "bits_apart",
    "dhash_of",
    "few_bits",
    "image_id_of",
    "near_pairs",
    "node_of",
    "row_of",
]

Row = Sequence[Any]
"""A picture: `[node, sha256, dhash, vector, ppi, width, height, bytes, source, shard, row]`."""

NODE, SHA256, DHASH, VECTOR = range(4)
BYTES = "i1"
"""The dtype of a row's vector, as `decode_vector` takes it."""
BANDS, BAND_DIGITS = 4, 4
KEY_DIGITS = 32  # of two numbers that sort as text
MOST_BITS = BANDS - 1
"""The largest Hamming distance at which two hashes must share a band."""

BLOCK, STEP = 2048, 64


def node_of(image_id: str, ppi: float, size: int = 0) -> str:
    """Return a picture's name in the graph of duplicates: of two names the lesser is to be kept.

    That is the one with more pixels an inch, then with more bytes: of equal sizes it has
    lost least.

    >>> node_of("b", 20.0) < node_of("c", 10.0, 9) < node_of("a", 10.0) < node_of("b", 10.0)
    True
    """
    keys = (sort_key(value, descending=True) for value in (ppi, float(size)))
    return f"{''.join(keys)}:{image_id}"


def image_id_of(node: str) -> str:
    """Return the picture that `node_of` named."""
    return node[KEY_DIGITS + 1 :]


def row_of(image_id: str, record: Mapping[str, Any]) -> Row | None:
    """Return what is needed of a feature record; None of a rejected picture or an orphan."""
    if not is_picture(record):
        return None
    names = ("ppi", "width", "height", "bytes", "source")
    vector = encode_vector(as_bytes(decode_embedding(record["embedding"])))
    facts = [record[name] for name in names] + [record.get(name) for name in ("shard", "row")]
    node = node_of(image_id, record["ppi"], record["bytes"])
    return [node, record["sha256"], record["dhash"], vector, *facts]


def as_bytes(embedding: np.ndarray) -> np.ndarray:
    """Return (d,) int16 as int8, the largest component becoming 127: half the bytes."""
    largest = max(int(np.abs(embedding.astype(np.int32)).max(initial=0)), 1)
    return np.rint(embedding * 127.0 / largest).astype(np.int8)


def bands_of(row: Row) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield (bucket, entry) for each band of a row's dHash.

    A bucket is `[band, its four hex digits]`. An entry is the row with the hash turned so
    that the band comes first: sorted, entries alike beyond the band lie side by side.
    """
    for band in range(BANDS):
        at = band * BAND_DIGITS
        turned = row[DHASH][at:] + row[DHASH][:at]
        yield [band, turned[:BAND_DIGITS]], [turned[BAND_DIGITS:], *row]


def dhash_of(row: Row) -> int:
    """Return a row's dHash as a number."""
    return int(row[DHASH], 16)


def bits_apart(one: Row, other: Row) -> int:
    """Return the Hamming distance of two rows' dHashes, 0 to 64."""
    return bin(dhash_of(one) ^ dhash_of(other)).count("1")


def few_bits(x: np.ndarray, most: int) -> np.ndarray:
    """Return a mask of where at most `most` bits are set.

    Args:
        x: uint64, any shape. `x & (x - 1)` clears the lowest bit that is set.
    """
    for _ in range(most):
        x = x & (x - np.uint64(1))
    return x == 0


class Window:
    """The latest pictures of a bucket, each with the number of the group it is known to be in.

    Memory: two blocks of BLOCK pictures, whatever the bucket.
    """

    def __init__(self, most: int, least: float, block: int) -> None:
        self._most, self._least, self._block = most, least, block
        self._rows: list[Row] = []
        self._hashes = np.empty(0, np.uint64)
        self._groups = np.empty(0, np.int64)
        self._vectors: np.ndarray | None = None
        self._decoded = np.zeros(2 * block, bool)
        self._seen = 0

    def pairs(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
        """Yield pairs that join groups, of the next block of pictures with those in the window."""
        self._slide(rows)
        count = len(self._rows)
        for start in range(count - len(rows), count, STEP):
            stop = min(start + STEP, count)
            # one for each group first: in a crowd of the like this leaves nothing to compare
            yield from self._join(start, stop, self._leaders(stop))
            yield from self._join(start, stop, np.arange(stop))

    def _slide(self, rows: Sequence[Row]) -> None:
        """Let go of all but the last block, and take the next."""
        old = max(len(self._rows) - self._block, 0)
        kept = len(self._rows) - old
        self._rows = [*self._rows[old:], *rows]
        hashes = np.array([dhash_of(row) for row in rows], np.uint64)
        self._hashes = np.concatenate([self._hashes[old:], hashes])
        new = np.arange(self._seen, self._seen + len(rows))
        self._groups = np.concatenate([self._groups[old:], new])
        self._seen += len(rows)
        self._decoded[:kept] = self._decoded[old : old + kept]
        self._decoded[kept:] = False
        if self._vectors is not None and old:
            self._vectors[:kept] = self._vectors[old : old + kept]

    def _leaders(self, stop: int) -> np.ndarray:
        """The first picture of each group of several."""
        _, first, count = np.unique(self._groups[:stop], return_index=True, return_counts=True)
        return first[count > 1]

    def _join(self, start: int, stop: int, others: np.ndarray) -> Iterator[tuple[Row, Row]]:
        """Join the groups of pictures start to stop with those of others that are near."""
        groups, rows = self._groups, np.arange(start, stop)
        maybe = few_bits(self._hashes[rows, None] ^ self._hashes[others], self._most)
        maybe &= groups[rows, None] != groups[others]
        rows, others = rows[maybe.any(1)], others[maybe.any(0)]
        if not len(rows):
            return
        maybe = maybe[np.ix_(maybe.any(1), maybe.any(0))]
        near = maybe & (cosines(self._matrix(rows), self._matrix(others)) >= self._least)
        for i, j in zip(*np.nonzero(near), strict=True):
            one, other = rows[i], others[j]
            if groups[one] != groups[other]:
                groups[groups == groups[one]] = groups[other]
                yield self._rows[one], self._rows[other]

    def _matrix(self, numbers: np.ndarray) -> np.ndarray:
        """Vectors of pictures, decoded when they are first needed: few buckets need any."""
        for number in numbers[~self._decoded[numbers]]:
            vector = decode_vector(self._rows[number][VECTOR], BYTES)
            if self._vectors is None:
                shape = (2 * self._block, len(vector))
                self._vectors = np.zeros(shape, exact_type(len(vector)))
            self._vectors[number] = vector
        self._decoded[numbers] = True
        assert self._vectors is not None
        return self._vectors[numbers]


def near_pairs(
    rows: Iterable[Row], most: int, least: float, block: int = BLOCK
) -> Iterator[tuple[Row, Row] | None]:
    """Yield pairs of near duplicates in a bucket, enough to join all that hang together.

    Every picture is compared with all others of its block of `block` pictures and of the
    block before: a bucket of two blocks wholly. Of pairs that would close a circle none is
    given: at most as many as pictures, also where all are alike.

    Args:
        rows: sorted, so that pictures likely to be alike lie side by side.
        most: Hamming distance.
        least: cosine.

    Yields:
        Pairs, and None once if the bucket was too large to compare all with all.
    """
    rows = iter(rows)
    first = list(itertools.islice(rows, 2))
    if len(first) < 2:
        return
    window = None
    rows = itertools.chain(first, rows)
    for number in itertools.count():
        part = list(itertools.islice(rows, block))
        if not part:
            return
        if number == 2:
            yield None
        window = window or Window(most, least, block)
        yield from window.pairs(part)
