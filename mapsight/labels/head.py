"""A class head: what was learned of labels and styles, in fixed point.

All arrays are whole numbers and embeddings are int16, so that scores are exact in
float64 (below 2**53) whatever the order of summation.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.npz import read_npz
from mapsight.records import OTHER
from mapsight.text import plain

__all__ = [
    "DRAWING",
    "FIXED",
    "NEW_WEIGHT",
    "PHOTO",
    "UNIT",
    "Head",
    "head_text",
    "load_head",
    "margin",
    "save_head",
    "seen_place",
    "sigmoid",
    "tried_text",
]

PHOTO, DRAWING = "photo", "drawing"
FIXED = 1 << 20
"""Learned numbers are multiples of 1 / FIXED."""
UNIT = 32767
"""The length of an embedding as it is stored."""
NEW_WEIGHT, EARLIER_WEIGHT = 1.0, 0.6
"""Of label scores beside an embedding in new features: the most that int16 holds, and the best of
those tried (docs/decisions.md); of heads that do not say it, as their indexes have it."""
SEEN_BITS = 23
MOST_BYTES = 256 << 20
"""Of all arrays: 12,000 classes of 1,024 numbers, with components, take 60 MB."""
ARRAYS = ("weights", "style_weights", "mean", "components", "seen")


@dataclass(frozen=True)
class Head:
    """What `fit` learns.

    Args:
        classes: (label, style) of each class; style "" where a label has one class.
        weights: (C, d) int32, of the score of each class.
        style_weights: (d,) int32, of the style: the higher, the more of a drawing; or empty.
        mean: (d,) int32, of the embeddings of unit length.
        components: (p, d) int32, the principal directions, that of most variance first.
        seen: bitmap (uint8) of hashes of the pictures it was fitted on.
        about: facts in JSON: targets, calibration, counts, where it comes from.
    """

    classes: Sequence[tuple[str, str]]
    weights: np.ndarray
    style_weights: np.ndarray
    mean: np.ndarray
    components: np.ndarray
    seen: np.ndarray
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def labels(self) -> list[str]:
        """Return its labels, each once, in the order of its classes."""
        return list(dict.fromkeys(label for label, _ in self.classes))

    @cached_property
    def _columns(self) -> list[list[int]]:
        """The numbers of the classes of each label."""
        return [
            [i for i, (name, _) in enumerate(self.classes) if name == label]
            for label in self.labels
        ]

    @cached_property
    def _real_weights(self) -> np.ndarray:
        """(d, C) float64, once for all pictures."""
        return np.ascontiguousarray(self.weights.T, np.float64)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return (n, labels) float64 with integer values: of each label the best of its classes.

        Args:
            x: (n, d) int16 embeddings. A score of 1 is FIXED × UNIT.
        """
        raw = x.astype(np.float64) @ self._real_weights
        return np.stack([raw[:, columns].max(axis=1) for columns in self._columns], axis=1)

    def answer(self, x: np.ndarray) -> tuple[str, float, dict[str, float]]:
        """Return (label, probability, score of every label) of one embedding (d,)."""
        scores = self.scores(x[None])[0]
        best = int(scores.argmax())
        named = {
            label: round(score / (FIXED * UNIT), 6)
            for label, score in zip(self.labels, scores.tolist(), strict=True)
        }
        return self.labels[best], self._probability("label", margin(scores)), named

    def style(self, x: np.ndarray) -> tuple[str, float] | None:
        """Return (photo or drawing, probability that it is a drawing).

        None if it was not fitted.
        """
        if not self.style_weights.size:
            return None
        drawing = self._probability("style", self.style_score(x))
        return DRAWING if drawing > 0.5 else PHOTO, drawing

    def style_score(self, x: np.ndarray) -> float:
        """Return the fit to 1 for a drawing and -1 for a photo: a whole number over a constant."""
        return float(x.astype(np.float64) @ self.style_weights.astype(np.float64)) / (FIXED * UNIT)

    def _probability(self, name: str, score: float) -> float:
        slope, intercept = self.about.get("calibration", {}).get(name, (4.0, 0.0))
        return round(sigmoid(slope * score + intercept), 6)

    @property
    def score_weight(self) -> float:
        """Return the length of its label scores in new features, 0 to 1."""
        return self.about.get("score_weight", EARLIER_WEIGHT)

    def new_features(self, x: np.ndarray) -> np.ndarray:
        """Return embeddings (n, d) int16 joined with their label scores: (n, d + labels) int16.

        Both are of unit length, the scores times `score_weight`, in units of 1 / UNIT.
        """
        scores, weight = self.scores(x), self.score_weight * UNIT
        norms = np.sqrt((scores**2).sum(axis=1, keepdims=True))
        told = np.divide(scores * weight, norms, out=scores * 0, where=norms > 0)
        return np.concatenate([x, np.rint(told).astype(np.int16)], axis=1)

    @property
    def knows_its_pictures(self) -> bool:
        """Return whether `seen` has hashes as they are now; those before weights are older."""
        return not self.seen.any() or "score_weight" in self.about

    def has_seen(self, dhash: str) -> bool:
        """Return whether a picture of this dHash (16 hex digits) may be one it was fitted on.

        Wrongly so with a probability of about n / 2**SEEN_BITS for n pictures.
        """
        place = seen_place(dhash)
        return bool(self.seen.size and self.seen[place >> 3] >> (place & 7) & 1)


def seen_place(dhash: str) -> int:
    """Return the bit of a dHash in the bitmap: Fibonacci hashing (Knuth, vol. 3, 6.4)."""
    return (int(dhash, 16) * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> (64 - SEEN_BITS)


def margin(scores: np.ndarray) -> float:
    """Return by how much the best of some label scores leads, in units of 1; 1 if it is alone."""
    if len(scores) < 2:
        return 1.0
    second, first = np.partition(scores, -2)[-2:].tolist()
    return (first - second) / (FIXED * UNIT)


def sigmoid(value: float) -> float:
    """Return the logistic function, without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


def save_head(head: Head, path: Path) -> None:
    """Write a head as .npz, the same bytes for the same head."""
    path.write_bytes(_npz(head))


def _npz(head: Head) -> bytes:
    about = {**head.about, "classes": [list(one) for one in head.classes]}
    text = json.dumps(about, indent=1, sort_keys=True).encode()
    arrays = {name: getattr(head, name) for name in ARRAYS}
    file = io.BytesIO()
    np.savez_compressed(file, about=np.frombuffer(text, np.uint8), **arrays)
    return file.getvalue()


def head_text(head: Head) -> str:
    """Return the .npz of a head in base64, for a record."""
    return base64.b64encode(_npz(head)).decode("ascii")


def tried_text(weights: np.ndarray) -> str:
    """Return the .npy of an array in base64, for a record."""
    file = io.BytesIO()
    np.save(file, weights, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode("ascii")


def load_head(path: str | Path) -> Head:
    """Read a head; nothing in the file is executed.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not a head, or its parts do not belong together; names the file.
    """
    try:
        file = read_npz(path, ("about", *ARRAYS), MOST_BYTES)
        about = json.loads(file.pop("about").tobytes())
        classes = _classes(about.pop("classes"))
        head = Head(classes=classes, about=about, **file)
    except RecursionError:
        raise ValueError(f"{path}: not a class head (nested too deeply)") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a class head ({plain(str(error))})") from None
    if not (isinstance(head.score_weight, float) and 0 <= head.score_weight <= 1):
        raise ValueError(f"{path}: not a class head (its scores weigh not 0.0 to 1.0)")
    wrong = _misfit(head)
    if wrong is not None:
        raise ValueError(f"{path}: not a class head (an array of {wrong.dtype} {wrong.shape})")
    return head


def _classes(pairs: Any) -> list[tuple[str, str]]:
    """(label, style) of each class.

    Raises:
        ValueError, TypeError: they are something else.
    """
    classes = [(label, style) for label, style in pairs]
    if not all(isinstance(text, str) for pair in classes for text in pair):
        raise ValueError("a label or style that is no text")
    return classes


def _misfit(head: Head) -> np.ndarray | None:
    """An array of the wrong kind or shape, if there is one."""
    d = head.weights.shape[-1]
    shapes: dict[str, list[tuple[int, ...]]] = {
        "weights": [(len(head.classes), d)],
        "style_weights": [(d,), (0,)],
        "mean": [(d,)],
        "components": [(len(head.components), d)],
    }
    for name, allowed in shapes.items():
        array: np.ndarray = getattr(head, name)
        if array.dtype != np.int32 or array.shape not in allowed:
            return array
    good = head.seen.dtype == np.uint8 and head.seen.size in (0, 1 << (SEEN_BITS - 3))
    return None if good else head.seen


def with_facts(head: Head, **facts: Any) -> Head:
    """Return the head with more facts about it."""
    return replace(head, about={**head.about, **facts})


def targets_of(head: Head) -> dict[str, str]:
    """Return MID by label, in the order in which they were asked for; `other` is none."""
    return {k: v for k, v in head.about.get("targets", ()) if k != OTHER}
