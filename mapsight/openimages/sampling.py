"""The first n of a stream of image ids, in an order as good as random and always the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["IdFilter", "Smallest", "hashed", "id_of", "numbers_in", "numbers_of"]

FILTER_BITS = 27  # 16 MiB: of 1.7 million ids that are not in it, it lets about 10 pass
DIGITS = np.full(256, 255, np.uint8)
DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
DIGITS[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


def numbers_in(text: bytes) -> np.ndarray:
    """Return the (n,) uint64 numbers that n ids of 16 hex digits stand for, one after the other.

    >>> numbers_in(b"000000000000000a00000000000000FF").tolist()
    [10, 255]

    Raises:
        ValueError: a character is no hex digit, or there are not 16 of them to an id.
    """
    if len(text) % 16:
        raise ValueError(f"{len(text)} characters, expected 16 for each id")
    digits = DIGITS[np.frombuffer(text, np.uint8)].reshape(-1, 8, 2)
    if digits.size and digits.max() > 15:
        raise ValueError("an id has a character that is no hex digit")
    octets = (digits[..., 0] << 4) | digits[..., 1]
    return octets.view(">u8").reshape(-1).astype(np.uint64)


def numbers_of(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (numbers, places) of the cells of a binary column that are ids of 16 hex digits."""
    valid = pc.fill_null(pc.match_substring_regex(column, "^[0-9a-fA-F]{16}$"), False)
    ids = column.filter(valid).cast(pa.binary(16))
    text = ids.buffers()[1].to_pybytes() if len(ids) else b""
    numbers = numbers_in(text[16 * ids.offset : 16 * (ids.offset + len(ids))])
    return numbers, np.flatnonzero(valid.to_numpy(zero_copy_only=False))


def id_of(number: int) -> str:
    """Return the image_id that a number stands for.

    >>> id_of(255)
    '00000000000000ff'
    """
    return f"{int(number):016x}"


def hashed(numbers: np.ndarray) -> np.ndarray:
    """Return the place of each id in the order of the sample: (n,) uint64 to (n,) uint64.

    The finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable
    Pseudorandom Number Generators", 2014). It is one to one, so there are no ties.
    """
    mixed = np.asarray(numbers, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class Smallest:
    """The `size` different ids that come first in the order of `hashed`.

    They do not depend on the order or the portions in which ids are added, and
    those of a smaller size are the first of a larger one. Memory: 32 bytes for
    each of `size`, and what is added at once.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a sample of {size}, expected 1 or more")
        self.size = size
        self.numbers = np.empty(0, np.uint64)
        self._places = np.empty(0, np.uint64)

    @property
    def full(self) -> bool:
        """Return whether there may have been more."""
        return len(self.numbers) == self.size

    def add(self, numbers: np.ndarray) -> None:
        """Take in (n,) uint64 ids."""
        places = hashed(numbers)
        if self.full:
            near = places < self._places[-1]
            numbers, places = numbers[near], places[near]
        if not len(places):
            return
        every = np.concatenate([self._places, places])
        self._places, at = np.unique(every, return_index=True)
        self._places, at = self._places[: self.size], at[: self.size]
        self.numbers = np.concatenate([self.numbers, numbers])[at]


class IdFilter:
    """A Bloom filter of ids (B. Bloom, 1970) with four probes: 16 MiB however many they are.

    It never denies an id that was added, and seldom admits another.
    """

    def __init__(self, bits: int = FILTER_BITS) -> None:
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << (bits - 3), np.uint8)

    def add(self, numbers: np.ndarray) -> None:
        """Take in (n,) uint64 ids."""
        for octets, masks in self._probes(numbers):
            np.bitwise_or.at(self._bits, octets, masks)

    def admits(self, numbers: np.ndarray) -> np.ndarray:
        """Return (n,) bool: which ids may have been added."""
        probes = [(self._bits[octets] & masks) != 0 for octets, masks in self._probes(numbers)]
        return np.logical_and.reduce(probes)

    def _probes(self, numbers: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        found, probes = numbers, []
        for _ in range(4):
            found = hashed(found)
            bit = found >> self._shift
            octets, masks = bit >> np.uint64(3), np.uint64(1) << (bit & np.uint64(7))
            probes.append((octets.astype(np.intp), masks.astype(np.uint8)))
        return probes
