"""From scores to probabilities, by histograms of a validation pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mapsight.labels.examples import Example
from mapsight.labels.head import DRAWING, Head, margin

__all__ = ["BINS", "Tally", "calibration_error", "logistic", "tuned"]

BINS = 64
"""Bins to a score of 1."""
WIDEST = 4
STEPS = 50


class Tally:
    """Counts over validation pictures. Memory: 2 × 2 × 8 × BINS + strengths counts."""

    def __init__(self, head: Head, tried: np.ndarray) -> None:
        """`tried` is (lambdas, C, d) int32, the class weights of other strengths."""
        self.counts: Counter[tuple[str, int, int]] = Counter()
        self._head = head
        self._heads = [
            Head(head.classes, w, head.style_weights, head.mean, head.components, head.seen)
            for w in tried
        ]

    def add(self, x: np.ndarray, example: Example) -> None:
        """Count one validation picture, (d,) int16."""
        if example.present is not None:
            scores = self._head.scores(x[None])[0]
            right = self._head.labels[int(scores.argmax())] in example.present
            self.counts["label", _bin(margin(scores)), right] += 1
            for number, head in enumerate(self._heads):
                best = head.labels[int(head.scores(x[None])[0].argmax())]
                self.counts["lambda", number, best in example.present] += 1
        if example.style and self._head.style_weights.size:
            score = self._head.style_score(x)
            self.counts["style", _bin(score), example.style == DRAWING] += 1


def _bin(score: float) -> int:
    return math.floor(min(max(score, -WIDEST), WIDEST) * BINS)


def logistic(scores: np.ndarray, wrong: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return (slope, intercept) of P(right) = 1 / (1 + exp(-(slope · score + intercept))).

    Platt's method (1999) with his smoothed targets, by Newton's method with halved steps
    (Lin, Lin and Weng 2007); six decimals.

    Args:
        scores, wrong, right: (n,) a score, and how many with it were wrong and right.
    """
    high, low = (right.sum() + 1) / (right.sum() + 2), 1 / (wrong.sum() + 2)
    n, hits = wrong + right, right * high + wrong * low
    x = np.stack([scores, np.ones_like(scores)], 1)
    found = np.array([0.0, math.log((right.sum() + 1) / (wrong.sum() + 1))])

    def loss(at: np.ndarray) -> float:
        z = x @ at
        return float((n * np.logaddexp(0, z) - hits * z).sum())

    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ found, -500, 500)))
        slope = x.T @ (n * p - hits)
        bend = (x * (n * p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(2)
        step, size = np.linalg.solve(bend, slope), 1.0
        while loss(found - size * step) > loss(found) and size > 1e-6:
            size /= 2
        found = found - size * step
        if np.abs(size * step).max() < 1e-9:
            break
    return round(float(found[0]), 6), round(float(found[1]), 6)


def tuned(counts: Mapping[tuple[str, int, int], int], lambdas: Sequence[float]) -> dict[str, Any]:
    """Return what a validation pass tells: calibration, how good it is, accuracy by strength.

    Args:
        counts: the sums of all `Tally.counts`.
        lambdas: the strengths that were tried.
    """
    facts: dict[str, Any] = {"calibration": {}, "validation": {}}
    for kind in ("label", "style"):
        bins = sorted({number for name, number, _ in counts if name == kind})
        if not bins:
            continue
        wrong, right = (
            np.array([counts.get((kind, number, hit), 0) for number in bins], float)
            for hit in (0, 1)
        )
        middle = (np.array(bins) + 0.5) / BINS
        fitted = logistic(middle, wrong, right)
        facts["calibration"][kind] = fitted
        p = 1 / (1 + np.exp(-(fitted[0] * middle + fitted[1])))
        error = calibration_error(p, wrong, right)
        facts["validation"][kind] = {"n": int((wrong + right).sum()), "calibration_error": error}
    facts["validation"]["accuracy_by_lambda"] = [
        {"lambda": lam, "n": no + yes, "correct": yes}
        for number, lam in enumerate(lambdas)
        for no, yes in [[counts.get(("lambda", number, hit), 0) for hit in (0, 1)]]
    ]
    return facts


def calibration_error(p: np.ndarray, wrong: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al. 2015): mean gap of score and share.

    Args:
        p, wrong, right: (n,) a probability, and how many with it were wrong and right.
        bins: of equal width.
    """
    of = np.minimum((p * bins).astype(int), bins - 1)
    n = wrong + right
    gaps = [abs((n * p - right)[of == b].sum()) for b in range(bins)]
    return round(float(sum(gaps) / max(n.sum(), 1)), 6)
