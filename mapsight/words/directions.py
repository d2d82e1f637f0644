"""Classes as directions in feature space, and how sure a model is that a picture shows them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from mapsight.features.last_layer import LastLayer
from mapsight.labels.head import UNIT

__all__ = ["MOST_VECTORS", "Directions"]

MOST_VECTORS = 16
"""Of a query: of more classes, those that are alike share one."""
FIXED = 1 << 20
ROUNDS = 3


class Directions:
    """What the last layer of a model makes of embeddings of unit length.

    Sums are of whole numbers below 2**53, so that no order changes them. Memory: 16 bytes a weight.

    Args:
        layer: weights (C, d).
    """

    def __init__(self, layer: LastLayer) -> None:
        self._weights = np.rint(layer.weights.astype(np.float64) * FIXED)
        self._bias = layer.bias.astype(np.float64)
        self._scale = layer.length / (FIXED * UNIT)

    @property
    def d(self) -> int:
        """Return how many numbers an embedding has."""
        return self._weights.shape[1]

    @cached_property
    def _units(self) -> np.ndarray:
        """(C, d) float64 of length 1: weights less their mean, which is of no class."""
        away = self._weights - self._weights.mean(axis=0)
        return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)

    def vectors(self, classes: Sequence[int], most: int = MOST_VECTORS) -> np.ndarray:
        """Return the directions of some classes: (n, d) int16 of length UNIT, `most` at most."""
        units = self._units[list(classes)]
        chosen = units if len(units) <= most else _shared(units, most)
        return np.rint(chosen * UNIT).astype(np.int16)

    def log_odds(self, x: np.ndarray, classes: Sequence[int]) -> np.ndarray:
        """Return the logarithm of how much likelier some classes are than all others: (n,) float64.

        Args:
            x: (n, d) int16, embeddings of length UNIT.
            classes: of which pictures show one.
        """
        logits = (x.astype(np.float64) @ self._weights.T) * self._scale + self._bias
        wanted = np.zeros(len(self._bias), bool)
        wanted[list(classes)] = True
        odds = _log_sum(logits[:, wanted]) - _log_sum(logits[:, ~wanted])
        return np.round(odds, 9)


def _log_sum(logits: np.ndarray) -> np.ndarray:
    """Return log(sum(exp(logits))) of each row, which of no logits is that of a very small sum."""
    if not logits.shape[1]:
        return np.full(len(logits), -1e3)
    most = logits.max(axis=1)
    return most + np.log(np.exp(logits - most[:, None]).sum(axis=1))


def _shared(units: np.ndarray, most: int) -> np.ndarray:
    """Return (most, d) directions at most that are near all of some: the means of those alike.

    They begin with the one nearest the middle, each next one the farthest from all before.
    """
    nearest = units @ units.mean(axis=0)
    chosen = [int(nearest.argmax())]
    near = units @ units[chosen[0]]
    while len(chosen) < most:
        chosen.append(int(near.argmin()))
        near = np.maximum(near, units @ units[chosen[-1]])
    centres = units[chosen]
    for _ in range(ROUNDS):
        of = (units @ centres.T).argmax(axis=1)
        sums = np.stack([units[of == number].sum(axis=0) for number in np.unique(of)])
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return centres
