"""The sums from which a head is solved: exact, in one pass, in any order.

Embeddings are int16 and weights whole numbers. A block of BLOCK pictures is summed in
float64 (|w x x| < 2**14 x 2**15 x 2**15 x 2**8 = 2**52, so exactly) and carried into int64.
"""

from __future__ import annotations

import base64
import itertools
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapsight.labels.examples import Example
from mapsight.labels.head import DRAWING, PHOTO, SEEN_BITS, seen_place
from mapsight.records import OTHER

__all__ = ["ONE", "FitPlan", "FitSums", "Goal", "plan_fit", "sums_of"]

BLOCK = 256
ONE = 1 << 10
"""The target 1 in fixed point."""
MOST_WEIGHT = 1 << 14
LEAST_EXAMPLES = 5
GRAMS = ("class", "style", "plain")
GRAM_ROWS = 128


@dataclass(frozen=True)
class FitPlan:
    """What is fitted: (label, style, n) of each class, and n of photos and drawings."""

    classes: Sequence[tuple[str, str, int]]
    styles: tuple[int, int]

    @property
    def scale(self) -> int:
        """Return the scale: n examples weigh scale / sqrt(n) each, and sums stay below 2**62."""
        total = sum(math.sqrt(n) for _, _, n in self.classes) or 1.0
        return int(min(MOST_WEIGHT, 2 ** math.floor(math.log2(2**32 / total))))

    def weight(self, n: int) -> int:
        """Return the weight of an example of a class of n: scale / sqrt(n), at least 1."""
        return max(round(self.scale / math.sqrt(n)), 1)

    def goal(self, example: Example) -> Goal | None:
        """Return what the class head should say of it; None if it cannot tell.

        Labels that are there get 1. Of a picture of which only absences are known, each
        other class gets its share of the examples.
        """
        y = np.zeros(len(self.classes))
        if example.present is None:
            if not example.absent:
                return None
            left = [0 if c[0] in example.absent else c[2] for c in self.classes]
            if not any(left):
                return None
            y[:] = np.rint(np.array(left) * (ONE / sum(left)))
            return Goal(y, min(self.weight(n) for _, _, n in self.classes))
        mine = [self._class_of(label, example.style) for label in example.present]
        found = [number for number in mine if number is not None]
        if len(found) < len(mine):
            return None
        y[found] = ONE
        return Goal(y, max(self.weight(self.classes[number][2]) for number in found))

    def _class_of(self, label: str, style: str) -> int | None:
        of = {s: i for i, (name, s, _) in enumerate(self.classes) if name == label}
        return of.get(style if style in of else PHOTO, of.get(""))


@dataclass(frozen=True)
class Goal:
    """(C,) float64 targets in units of 1 / ONE, and the weight of the example."""

    y: np.ndarray
    weight: int


def plan_fit(counts: Mapping[tuple[str, ...], int], labels: Sequence[str]) -> FitPlan:
    """Return the classes that have enough examples to be fitted.

    A label has a class for photos (also of unknown style) and one for drawings where each
    has LEAST_EXAMPLES, else one in all, else none.

    Args:
        counts: of `count_examples`.
        labels: in the order of the classes; `other` comes last.
    """
    classes: list[tuple[str, str, int]] = []
    for label in [*labels, OTHER]:
        of = {s: counts.get(("class", "train", label, s), 0) for s in (PHOTO, DRAWING, "")}
        photos, total = of[PHOTO] + of[""], sum(of.values())
        if min(photos, of[DRAWING]) >= LEAST_EXAMPLES:
            classes += [(label, PHOTO, photos), (label, DRAWING, of[DRAWING])]
        elif total >= LEAST_EXAMPLES:
            classes.append((label, "", total))
    styles = [counts.get(("style", "train", style), 0) for style in (PHOTO, DRAWING)]
    return FitPlan(classes, (styles[0], styles[1]))


class FitSums:
    """The sums over training examples. Memory: 3 Gram matrices (24 MiB at d = 1024), a block.

    `gram[name]` is the (d, d) int64 sum of w x xᵀ, `cross[name]` that of w y xᵀ, (C, d) for
    "class", (1, d) else; `energy[name]` of w y². "plain" has w = y = 1: the sum of x.
    """

    def __init__(self, plan: FitPlan, d: int) -> None:
        """`d` is the length of an embedding."""
        self.plan, self.d = plan, d
        rows = {"class": len(plan.classes), "style": 1, "plain": 1}
        self.gram = {name: np.zeros((d, d), np.int64) for name in GRAMS}
        self.cross = {name: np.zeros((rows[name], d), np.int64) for name in GRAMS}
        self.energy = {name: np.zeros(rows[name], np.int64) for name in GRAMS}
        self.n = dict.fromkeys(GRAMS, 0)
        self.seen = np.zeros(1 << (SEEN_BITS - 3), np.uint8)
        self._block: dict[str, list[tuple[np.ndarray, Any, int]]] = {name: [] for name in GRAMS}

    def add(self, x: np.ndarray, example: Example) -> bool:
        """Count one training example, (d,) int16; whether it serves the class head."""
        place = seen_place(example.dhash)
        self.seen[place >> 3] |= 1 << (place & 7)
        goal = self.plan.goal(example) if self.plan.classes else None
        if goal:
            self._push("class", x, goal.y, goal.weight)
        if example.style and all(self.plan.styles):
            drawing = example.style == DRAWING
            y = np.array([ONE if drawing else -ONE], np.float64)
            self._push("style", x, y, self._style_weight(drawing))
        self._push("plain", x, np.ones(1), 1)
        return goal is not None

    def _style_weight(self, drawing: bool) -> int:
        return max(round(self.plan.scale / math.sqrt(self.plan.styles[drawing])), 1)

    def _push(self, name: str, x: np.ndarray, y: np.ndarray, weight: int) -> None:
        self._block[name].append((x, y, weight))
        if len(self._block[name]) == BLOCK:
            self._carry(name)

    def _carry(self, name: str) -> None:
        block, self._block[name] = self._block[name], []
        if not block:
            return
        x = np.stack([one[0] for one in block]).astype(np.float64)
        y = np.stack([one[1] for one in block])
        w = np.array([one[2] for one in block], np.float64)[:, None]
        self.gram[name] += (x.T @ (w * x)).astype(np.int64)
        self.cross[name] += ((w * y).T @ x).astype(np.int64)
        self.energy[name] += (w * y * y).sum(axis=0).astype(np.int64)
        self.n[name] += len(block)

    def rows(self) -> Iterator[list[Any]]:
        """Yield the sums as rows [name, number, text or n], in parts of some 0.5 MB."""
        for name in GRAMS:
            self._carry(name)
            if self.n[name]:
                yield ["n", name, self.n[name]]
                yield ["energy", name, _text(self.energy[name])]
                yield from (
                    [f"cross {i}", name, _text(row)] for i, row in enumerate(self.cross[name])
                )
                for start in range(0, self.d, GRAM_ROWS):
                    part = self.gram[name][start : start + GRAM_ROWS]
                    upper = np.concatenate([row[start + i :] for i, row in enumerate(part)])
                    yield [f"gram {start}", name, _text(upper)]
        yield ["seen", "", _text(self.seen)]

    def add_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add what another task's `rows` gave."""
        for what, name, value in rows:
            kind, _, number = what.partition(" ")
            if kind == "n":
                self.n[name] += value
            elif kind == "energy":
                self.energy[name] += _array(value, np.int64)
            elif kind == "cross":
                self.cross[name][int(number)] += _array(value, np.int64)
            elif kind == "gram":
                self._add_gram(name, int(number), _array(value, np.int64))
            else:
                self.seen |= _array(value, np.uint8)

    def _add_gram(self, name: str, start: int, upper: np.ndarray) -> None:
        place = 0
        for i in range(start, min(start + GRAM_ROWS, self.d)):
            row = upper[place : place + self.d - i]
            self.gram[name][i, i:] += row
            self.gram[name][i + 1 :, i] += row[1:]
            place += self.d - i


def sums_of(rows: Iterable[tuple[int, Sequence[Any]]], plan: FitPlan) -> FitSums:
    """Return the sums of all tasks.

    Args:
        rows: (d, a row that `FitSums.rows` gave), at least one.
    """
    rows = iter(rows)
    d, first = next(rows)
    sums = FitSums(plan, d)
    sums.add_rows(itertools.chain([first], (row for _, row in rows)))
    return sums


def _text(array: np.ndarray) -> str:
    """Little-endian bytes, zlib, base64."""
    little = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little.tobytes(), 1)).decode("ascii")


def _array(text: str, kind: type) -> np.ndarray:
    little = np.dtype(kind).newbyteorder("<")
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), little).astype(kind)
