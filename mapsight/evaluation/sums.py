"""The counts of `mapsight.evaluation.counts`, summed so that tables can look them up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mapsight.evaluation.accuracy import ALL
from mapsight.evaluation.counts import MICRO, RIGHT, UNKNOWN, WRONG

__all__ = ["ANY", "Bin", "Counts", "Hits", "Sums"]

Counts = Mapping[tuple[str, ...], int]
ANY = ""
"""Any style."""


class Hits(NamedTuple):
    """Pictures of a group: how many, right, and right by the model's own classes of how many."""

    n: int = 0
    right: int = 0
    by_model: int = 0
    model_n: int = 0
    only_right: int = 0
    only_model: int = 0

    def __add__(self, other: Hits) -> Hits:  # type: ignore[override]
        return Hits(*(a + b for a, b in zip(self, other, strict=True)))


class Bin(NamedTuple):
    """A bin of probabilities: pictures that were right and wrong, and the sum of all."""

    right: int
    wrong: int
    total: float


class Sums:
    """Sums by group, label and bin. Memory: as `counts`."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self._groups: defaultdict[tuple[str, ...], Hits] = defaultdict(Hits)
        self._scored: defaultdict[tuple[str, str], dict[int, list[int]]] = defaultdict(dict)
        self._values: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        self._sizes: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for key, count in counts.items():
            if key[0] == "group":
                self._add_group(key, count)
            elif key[0] == "scored":
                _, split, label, number, hit = key
                bins = self._scored[split, label].setdefault(int(number), [0, 0])
                bins[hit != RIGHT] += count
            elif key[0] == "size":
                for where in (key[1], ALL):
                    self._sizes[(where, *key[2:5])][key[5]] += count

    def _add_group(self, key: tuple[str, ...], count: int) -> None:
        _, split, kind, value, style, by_head, by_model = key
        hits = Hits(
            count,
            count * (by_head == RIGHT),
            count * (by_model == RIGHT),
            count * (by_model != UNKNOWN),
            count * ((by_head, by_model) == (RIGHT, WRONG)),
            count * ((by_head, by_model) == (WRONG, RIGHT)),
        )
        for where in (split, ALL):
            for look in {style, ANY}:
                self._groups[where, kind, value, look] += hits
                self._values[where, kind, look].add(value)

    def hits(self, split: str, kind: str, value: str = "", style: str = ANY) -> Hits:
        """Return the sums of a group; the split ALL also has pictures the head was fitted on."""
        return self._groups.get((split, kind, value, style), Hits())

    def bins(self, split: str, kind: str, style: str = ANY) -> dict[int, Hits]:
        """Return the sums of every bin of a size, ascending."""
        numbers = sorted(map(int, self._values.get((split, kind, style), ())))
        return {number: self.hits(split, kind, str(number), style) for number in numbers}

    def scored(self, split: str, label: str) -> dict[int, list[int]]:
        """Return [pictures that show the label, that do not] by bin of its score."""
        return self._scored.get((split, label), {})

    def strata(
        self, split: str, measure: str, who: str
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield (n, Σx, Σx², right, Σx of the right ones) by label and style, x a bin of size."""
        for key, sums in sorted(self._sizes.items()):
            if key[:2] == (split, measure):
                yield sums["n"], sums["x"], sums["xx"], sums[who], sums[f"{who} x"]

    def given(self, split: str, who: str, label: str) -> tuple[int, int]:
        """Return (rightly, wrongly): how often the label was given where people know.

        `who` as counted.
        """
        right, wrong = (self.counts.get(("given", split, who, label, x), 0) for x in (RIGHT, WRONG))
        return right, wrong

    def style(self, split: str, truth: str, found: str) -> int:
        """Return the pictures of a verified style that were found to be of a style."""
        return self.counts.get(("style", split, truth, found), 0)

    def probability(self, split: str, kind: str, number: int) -> Bin:
        """Return what is in a bin of probabilities of `label` or `style`."""
        key = ("probability", split, kind, str(number))
        right, wrong, total = (self.counts.get((*key, x), 0) for x in (RIGHT, WRONG, "sum"))
        return Bin(right, wrong, total / MICRO)
