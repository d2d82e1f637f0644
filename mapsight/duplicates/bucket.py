"""Pairs of copies within a bucket: pictures with an equal band of their hash, or like embeddings.

Two pictures may be copies if in one of the views their hashes share a band and differ in few bits
(Hamming distance), or their embeddings point the same way (cosine); they are if their tiles are
alike (`mapsight.duplicates.likeness`, `crops`). Pictures that share a band meet in a bucket, and
only those are compared; of four bands, hashes that differ in at most three bits must share one, and
those that differ in more may (banding: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
chapter 3; blocks of simhashes: Manku et al., WWW 2007). Pictures with like embeddings meet at the
pivots next to them, and each is looked at beside the LOOKED most alike of those before it.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mapsight.duplicates.crops import are_parts
from mapsight.duplicates.likeness import LEAST_LIKENESS, alike, best_view, detail_of
from mapsight.duplicates.rows import Row, tile_in, vector_in
from mapsight.duplicates.tiles import view
from mapsight.index.cosines import cosines, exact_type

__all__ = ["BLOCK", "Cells", "HashBuckets", "Window", "few_bits", "nearest", "pairs_in"]

BLOCK, STEP, CHUNK = 2048, 64, 64
LOOKED = 16
"""Of millions of pictures thousands are alike in embedding: a look at each pair would take longer
than all else."""

Entry = Sequence[Any]


def few_bits(x: np.ndarray, most: int) -> np.ndarray:
    """Return a mask of where at most `most` bits are set.

    Args:
        x: uint64, any shape. `x & (x - 1)` clears the lowest bit that is set.
    """
    for _ in range(most):
        x = x & (x - np.uint64(1))
    return x == 0


def nearest(scores: np.ndarray, most: int, least: float) -> np.ndarray:
    """Return a mask of the `most` highest scores of each row, with ties, that are `least` or more.

    Args:
        scores: (n, m).
    """
    if scores.shape[1] <= most:
        return scores >= least
    last = np.partition(scores, -most, axis=1)[:, -most, None]
    return scores >= np.maximum(last, least)


class Lazy:
    """A row of numbers for each entry of a window, made when it is first needed.

    Memory: two blocks of them.
    """

    def __init__(self, make: Callable[[Entry], np.ndarray], most: int) -> None:
        self._make, self._most = make, most
        self._values: np.ndarray | None = None
        self._made = np.zeros(most, bool)

    def slide(self, old: int, kept: int) -> None:
        """Let go of the first `old`; `kept` stay."""
        self._made[:kept] = self._made[old : old + kept]
        self._made[kept:] = False
        if self._values is not None and old:
            self._values[:kept] = self._values[old : old + kept]

    def of(self, entries: Sequence[Entry], numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of entries with these places."""
        for number in np.unique(numbers[~self._made[numbers]]):
            value = self._make(entries[number])
            if self._values is None:
                self._values = np.zeros((self._most, *value.shape), value.dtype)
            self._values[number] = value
        self._made[numbers] = True
        assert self._values is not None
        return self._values[numbers]


class Window(ABC):
    """The latest pictures of a bucket, each with the number of the group it is known to be in.

    Memory: two blocks of pictures, whatever the bucket.

    Args:
        block: pictures that are compared all with all, and with the block before.
    """

    def __init__(self, block: int) -> None:
        self._block = block
        self._entries: list[Entry] = []
        self._groups = np.empty(0, np.int64)
        self._seen = 0
        self._columns: list[Lazy] = []

    @abstractmethod
    def row(self, entry: Entry) -> Row:
        """Return the picture of an entry."""

    @abstractmethod
    def maybe(self, ones: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
        """Return a mask of the pairs to look at: entries in rows, others in columns.

        Args:
            new: mask of the pairs that would join two groups.
        """

    @abstractmethod
    def alike(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return a mask of the pairs (entries at equal places of both) that are copies."""

    def column(self, make: Callable[[Entry], np.ndarray]) -> Lazy:
        """Return a column of numbers that slides with the window."""
        self._columns.append(Lazy(make, 2 * self._block))
        return self._columns[-1]

    def pairs(self, entries: Sequence[Entry]) -> Iterator[tuple[Row, Row]]:
        """Yield pairs that join groups, of the next block of pictures with those in the window."""
        self._slide(entries)
        count = len(self._entries)
        for start in range(count - len(entries), count, STEP):
            stop = min(start + STEP, count)
            # one for each group first: in a crowd of the like this leaves nothing to compare
            yield from self._join(start, stop, self._leaders(stop))
            yield from self._join(start, stop, np.arange(stop))

    def _slide(self, entries: Sequence[Entry]) -> None:
        """Let go of all but the last block, and take the next."""
        old = max(len(self._entries) - self._block, 0)
        kept = len(self._entries) - old
        self._entries = [*self._entries[old:], *entries]
        new = np.arange(self._seen, self._seen + len(entries))
        self._groups = np.concatenate([self._groups[old:], new])
        self._seen += len(entries)
        for column in self._columns:
            column.slide(old, kept)

    def _leaders(self, stop: int) -> np.ndarray:
        """The first picture of each group of several."""
        _, first, count = np.unique(self._groups[:stop], return_index=True, return_counts=True)
        return first[count > 1]

    def _join(self, start: int, stop: int, others: np.ndarray) -> Iterator[tuple[Row, Row]]:
        """Join the groups of pictures start to stop with those of others that are copies."""
        groups, ones = self._groups, np.arange(start, stop)
        if not len(others):
            return
        new = (groups[ones, None] != groups[others]) & (ones[:, None] > others)
        places = np.argwhere(self.maybe(ones, others, new))
        for at in range(0, len(places), CHUNK):
            one, other = ones[places[at : at + CHUNK, 0]], others[places[at : at + CHUNK, 1]]
            apart = groups[one] != groups[other]
            one, other = one[apart], other[apart]
            if len(one):
                alike = self.alike(one, other)
                yield from self._joined(one[alike], other[alike])

    def _joined(self, ones: np.ndarray, others: np.ndarray) -> Iterator[tuple[Row, Row]]:
        groups = self._groups
        for one, other in zip(ones, others, strict=True):
            if groups[one] != groups[other]:
                groups[groups == groups[one]] = groups[other]
                yield self.row(self._entries[one]), self.row(self._entries[other])


class HashBuckets(Window):
    """A bucket of entries `[hash, view, *row]`, whose hashes and tiles are of that view.

    Args:
        most: bits in which hashes may differ.
    """

    def __init__(self, most: int, block: int) -> None:
        super().__init__(block)
        self._most = most
        self._hashes = self.column(lambda entry: np.array(int(entry[0], 16), np.uint64))
        self._details = self.column(lambda entry: detail_of(view(tile_in(entry[2:]), entry[1]))[0])

    def row(self, entry: Entry) -> Row:
        """See Window."""
        return entry[2:]

    def maybe(self, ones: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
        """See Window."""
        x, y = (self._hashes.of(self._entries, places) for places in (ones, others))
        return new & few_bits(x[:, None] ^ y, self._most)

    def alike(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """See Window."""
        x, y = (self._details.of(self._entries, places) for places in (ones, others))
        return alike(x, y, LEAST_LIKENESS)


class Cells(Window):
    """A bucket of rows whose embeddings are next to the same pivot.

    Args:
        least: cosine.
    """

    def __init__(self, least: float, block: int) -> None:
        super().__init__(block)
        self._least = least
        self._vectors = self.column(_vector)
        self._tiles = self.column(tile_in)

    def row(self, entry: Entry) -> Row:
        """See Window."""
        return entry

    def maybe(self, ones: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
        """See Window."""
        x, y = (self._vectors.of(self._entries, places) for places in (ones, others))
        return nearest(np.where(new, cosines(x, y), -np.inf), LOOKED, self._least)

    def alike(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """See Window."""
        return copies(*(self._tiles.of(self._entries, places) for places in (ones, others)))


def copies(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which of n pairs of tiles show the same picture, or one a part of the other."""
    same = best_view(detail_of(ones), detail_of(others)) >= 0
    for whole, part in ((ones, others), (others, ones)):
        left = np.flatnonzero(~same)
        same[left] = are_parts(whole[left], part[left])
    return same


def _vector(entry: Entry) -> np.ndarray:
    vector = vector_in(entry)
    return vector.astype(exact_type(len(vector)))


def pairs_in(
    window: Window, entries: Iterable[Entry], block: int = BLOCK
) -> Iterator[tuple[Row, Row] | None]:
    """Yield pairs of copies in a bucket, enough to join all that hang together.

    Every picture is compared with all others of its block of `block` pictures and of the
    block before: a bucket of two blocks wholly. Of pairs that would close a circle none is
    given: at most as many as pictures, also where all are alike.

    Args:
        window: an empty one.
        entries: sorted, so that pictures likely to be alike lie side by side.

    Yields:
        Pairs, and None once if the bucket was too large to compare all with all.
    """
    entries = iter(entries)
    first = list(itertools.islice(entries, 2))
    if len(first) < 2:
        return
    entries = itertools.chain(first, entries)
    for number in itertools.count():
        part = list(itertools.islice(entries, block))
        if not part:
            return
        if number == 2:
            yield None
        yield from window.pairs(part)
