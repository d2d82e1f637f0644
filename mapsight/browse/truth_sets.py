"""Sets of labels that people verified, of which each is one name of a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.browse.layout import TRUTH_MARK

__all__ = ["TruthSets"]

CHUNK = 1 << 16


class TruthSets:
    """Which labels are in which sets. Memory: 16 bytes a label of a set.

    Args:
        names: of the column `truth`, null for code 0: (n,) string.
    """

    def __init__(self, names: pa.Array) -> None:
        lists = pc.split_pattern(names.slice(1), TRUTH_MARK)
        coded = lists.flatten().dictionary_encode()
        self.labels: list[str] = coded.dictionary.to_pylist()
        self._n = len(names)
        self._sets = pc.list_parent_indices(lists).to_numpy() + 1
        self._codes = coded.indices.to_numpy()

    def with_any(self, wanted: Collection[str]) -> np.ndarray:
        """Return which sets have one of some labels: (n,) bool."""
        is_wanted = np.array([label in wanted for label in self.labels], bool)
        table = np.zeros(self._n, bool)
        table[self._sets[is_wanted[self._codes]]] = True
        return table

    def counts(self, counts: np.ndarray) -> np.ndarray:
        """Return how many pictures have each of `labels`, of (n,) pictures of each set."""
        return np.bincount(self._codes, counts[self._sets], len(self.labels)).astype(np.int64)

    def groups(self, group: np.ndarray, sets: np.ndarray) -> np.ndarray:
        """Return how many groups have each of `labels`.

        Args:
            group: (m,) numbers. sets: (m,) codes of sets that are in them.
        """
        starts = np.searchsorted(self._sets, sets)
        sizes = np.searchsorted(self._sets, sets, "right") - starts
        ends = np.cumsum(sizes)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)
        n = len(self.labels)
        pairs = np.repeat(group.astype(np.int64), sizes) * n + self._codes[places]
        return np.bincount(np.unique(pairs) % max(n, 1), minlength=n)

    def contradict(self, truth: np.ndarray, labels: Sequence[str], label: np.ndarray) -> np.ndarray:
        """Return which pictures have a label that is not in their set: (m,) uint8.

        Args:
            truth: codes of sets. labels: names of the codes from 1 on in `label`. Memory: a chunk.
        """
        number = {name: code for code, name in enumerate(labels, 1)}
        codes = np.array([number.get(name, 0) for name in self.labels], np.int64)[self._codes]
        n = len(labels) + 1
        right = np.sort(self._sets * n + codes)
        found = np.zeros(len(truth), np.uint8)
        for first in range(0, len(truth), CHUNK):
            some = slice(first, first + CHUNK)
            pairs = truth[some].astype(np.int64) * n + label[some]
            places = np.searchsorted(right, pairs)
            there = np.append(right, -1)[places] == pairs
            found[some] = (truth[some] > 0) & (label[some] > 0) & ~there
        return found
