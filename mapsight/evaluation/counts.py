"""What is counted of predictions, to say how good they are and for which pictures.

Like `mapsight.evaluation.accuracy.tally`, but by split, style, size and score, for the head
beside the model's own classes, and with the pictures that are worth looking at.
"""

from __future__ import annotations

import bisect
import hashlib
import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mapsight.evaluation.accuracy import ppi_bin
from mapsight.labels.head import DRAWING
from mapsight.labels.ranking import EVERYTHING
from mapsight.records import OTHER

__all__ = [
    "ANY",
    "BYTES_BINS",
    "EXAMPLES",
    "RELIABILITY_BINS",
    "SCORE_BINS",
    "Evaluation",
    "bytes_bin",
    "merge_examples",
]

BYTES_BINS = 8
"""Bins of file size to a factor of two."""
SCORE_BINS = 128
"""Bins of label scores to a score of 1."""
LOWEST, HIGHEST = -1.0, 2.0
"""Label scores beyond these count as these."""
RELIABILITY_BINS = 10
"""Bins of probabilities, of equal width."""
MICRO = 1_000_000
"""Probabilities have six decimals, so that sums of them are whole numbers of 1 / MICRO."""

EXAMPLES = {"suspects": 60, "confused": 3, "flagged": 6, "best": 24, "worst": 12, "unsure": 12}
"""How many pictures are kept under a key of that kind."""
CONFIDENT = 0.5
"""A label given with less is no reason to suspect what people verified."""

ANY = "any"
"""Of flags, in the key of the number of pictures that have one or more."""
RIGHT, WRONG, UNKNOWN = "right", "wrong", "-"


class Evaluation:
    """Sums and examples over predictions; the same in whatever order and split they come.

    Memory: labels² × 3 and labels × 48 examples, labels × 2 splits × 2 × 384 bins of scores, and
    for each of 3 splits and 3 styles 23 sums a label and 500 bins of size, whatever the number of
    pictures.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.examples: dict[tuple[str, ...], list[list[Any]]] = {}

    def add(self, image_id: str, prediction: Mapping[str, Any]) -> None:
        """Count one prediction record (docs/records.md has the keys)."""
        if prediction.get("unlabelled"):
            return
        if prediction["truth"] is not None:
            self._add_groups(prediction)
        if prediction["split"] != "train":
            self._add_labels(prediction)
            self._add_probabilities(prediction)
        self._add_examples(image_id, prediction)
        self._add_flags(image_id, prediction)
        self._add_shown(image_id, prediction)

    def _add_groups(self, prediction: Mapping[str, Any]) -> None:
        split, style = prediction["split"], prediction.get("style_truth", "")
        head, model = prediction["label"], prediction.get("model_label")
        truth = prediction["truth"]

        def count(kind: str, value: str, present: list[str]) -> None:
            # a head knows the pictures it was fitted on
            by_head = UNKNOWN if split == "train" else _hit(head, present)
            key = ("group", split, kind, value, style, by_head, _hit(model, present))
            self.counts[key] += 1

        count("all", "", truth)
        for measure, number in _sizes(prediction):
            count(measure, str(number), truth)
        for label in truth:
            count("label", label, [label])
            self._add_moments(prediction, label, style)

    def _add_moments(self, prediction: Mapping[str, Any], label: str, style: str) -> None:
        """Sums from which a trend over size within a label and style follows."""
        split, model = prediction["split"], prediction.get("model_label")
        for measure, x in _sizes(prediction):
            key = ("size", split, measure, label, style)
            self.counts[(*key, "n")] += 1
            self.counts[(*key, "x")] += x
            self.counts[(*key, "xx")] += x * x
            for who, given in (("label", prediction["label"]), ("model", model)):
                if given == label:
                    self.counts[(*key, who)] += 1
                    self.counts[(*key, f"{who} x")] += x

    def _add_labels(self, prediction: Mapping[str, Any]) -> None:
        """Labels given, and scores of every label, where people know whether it is there."""
        split, truth = prediction["split"], prediction["truth"]
        absent = set(prediction["absent"])
        for who, label in (
            ("label", prediction["label"]),
            ("model", prediction.get("model_label")),
        ):
            if label is not None and (truth is not None or label in absent):
                self.counts["given", split, who, label, _hit(label, truth or ())] += 1
        for label, score in prediction.get("scores", {}).items():
            if truth is not None or label in absent:
                self.counts[
                    "scored", split, label, _score_bin(score), _hit(label, truth or ())
                ] += 1

    def _add_probabilities(self, prediction: Mapping[str, Any]) -> None:
        split, truth = prediction["split"], prediction["truth"]
        if truth is not None:
            self._add_probability(split, "label", prediction["score"], prediction["label"] in truth)
        drawn = prediction.get("style_truth")
        if drawn and "style" in prediction:
            self._add_probability(split, "style", prediction["style_score"], drawn == DRAWING)
            self.counts["style", split, drawn, prediction["style"]] += 1

    def _add_probability(self, split: str, kind: str, p: float, right: bool) -> None:
        number = str(min(int(p * RELIABILITY_BINS), RELIABILITY_BINS - 1))
        self.counts["probability", split, kind, number, RIGHT if right else WRONG] += 1
        self.counts["probability", split, kind, number, "sum"] += round(p * MICRO)

    def _add_examples(self, image_id: str, prediction: Mapping[str, Any]) -> None:
        label, score = prediction["label"], prediction["score"]
        truth, denied = prediction["truth"], label in prediction["absent"]
        missed = truth is not None and label not in truth
        # classes that ImageNet lacks are `other` to the model, which is no reason to suspect
        told = "model_label" in prediction or label != OTHER
        if (denied or missed) and told and score >= CONFIDENT:
            self._keep(("suspects",), [0 if denied else 1, -score, image_id])
        if missed and prediction["split"] == "test":
            for present in truth:
                self._keep(("confused", present, label), [-score, image_id])

    def _add_flags(self, image_id: str, prediction: Mapping[str, Any]) -> None:
        """Count flags, and keep an even sample of the pictures of each."""
        names = prediction.get("flags", ())
        place = hashlib.sha256(image_id.encode()).hexdigest()[:12] if names else ""
        for name in names:
            self.counts["flag", name] += 1
            self._keep(("flagged", name), [place, image_id])
        if names:
            self.counts["flag", ANY] += 1

    def _add_shown(self, image_id: str, prediction: Mapping[str, Any]) -> None:
        """Keep the best, the worst and the least sure of each label, and of all pictures."""
        if "quality" not in prediction:
            return
        quality, told = prediction["quality"], [image_id, prediction["dhash"]]
        for group in (prediction["label"], EVERYTHING):
            self._keep(("best", group), [-quality, *told])
            self._keep(("worst", group), [quality, *told])
            self._keep(("unsure", group), [prediction["score"], *told])

    def _keep(self, key: tuple[str, ...], row: list[Any]) -> None:
        rows = self.examples.setdefault(key, [])
        if len(rows) == EXAMPLES[key[0]] and row > rows[-1]:
            return
        bisect.insort(rows, row)
        del rows[EXAMPLES[key[0]] :]

    def items(self) -> Iterable[tuple[tuple[str, ...], Any]]:
        """Yield (key, count or examples), sorted."""
        yield from sorted(self.counts.items())
        yield from sorted(self.examples.items())


def merge_examples(kind: str, parts: Iterable[Iterable[list[Any]]]) -> list[list[Any]]:
    """Return the examples of one key from those of several tasks."""
    return heapq.nsmallest(EXAMPLES[kind], itertools.chain.from_iterable(parts))


def _sizes(prediction: Mapping[str, Any]) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("ppi", ppi_bin(prediction["ppi"])), ("bytes", bytes_bin(prediction["bytes"]))


def bytes_bin(size: int) -> int:
    """Return the number of the bin of a file size, BYTES_BINS to a factor of two.

    >>> bytes_bin(1), bytes_bin(1 << 10)
    (0, 80)
    """
    return math.floor(math.log2(max(size, 1)) * BYTES_BINS)


def _score_bin(score: float) -> str:
    return str(math.floor(min(max(score, LOWEST), HIGHEST) * SCORE_BINS))


def _hit(label: str | None, present: Iterable[str]) -> str:
    if label is None:
        return UNKNOWN
    return RIGHT if label in present else WRONG
