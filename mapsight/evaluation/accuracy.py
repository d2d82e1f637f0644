"""Counting what was predicted against what people verified."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mapsight.records import OTHER

__all__ = ["ALL", "accuracy_row", "accuracy_rows", "confusion_rows", "tally", "wilson"]

ALL = "all"
Z95 = 1.959963984540054


def wilson(correct: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927), 95 % by default.

    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]

    Raises:
        ValueError: `n` is not positive or `correct` lies outside 0..n.
    """
    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"need 0 <= correct <= n and n > 0, got {correct} of {n}")
    share, z2 = correct / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if correct == 0 else centre - half
    high = 1.0 if correct == n else centre + half
    return low, high


def tally(prediction: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the keys under which one prediction record counts 1.

    `label`, `class` and `ppi` count every picture; `truth`, `top5`, `any` and
    `any5` the verified ones (each verified label of a picture counts); `absent`
    those verified not to show a label.
    """
    label = prediction["label"]
    # a picture that a head was fitted on tells nothing of it
    is_judged = prediction["split"] == "test" and not prediction.get("unlabelled")
    known = prediction if is_judged else {"truth": None, "absent": []}
    yield "label", label
    has_classes = "top_label" in prediction
    if has_classes:
        yield "class", prediction["top_mid"], prediction["top_label"]
    yield "ppi", str(ppi_bin(prediction["ppi"]))
    for target in known["absent"]:
        yield "absent", target, "predicted" if target == label else "not"
    present = known["truth"]
    if present is not None:
        yield "any", "right" if label in present else "wrong"
        found = set(prediction["top5_labels"])
        if has_classes:
            yield "any5", "right" if found & set(present) else "wrong"
        for truth in present:
            yield "truth", truth, label
            if has_classes:
                yield "top5", truth, "right" if truth in found else "wrong"


def ppi_bin(ppi: float) -> int:
    """Return the number of the histogram bin of a PPI: sixteen bins to a factor of two."""
    return math.floor(math.log2(max(ppi, 1e-6)) * 16)


def bin_edge(number: int) -> float:
    """Return where a histogram bin begins."""
    return round(2 ** (number / 16), 4)


def accuracy_row(label: str, correct: int, n: int) -> dict[str, Any]:
    """Return a row of accuracy.csv; without pictures the shares are None."""
    low, high = wilson(correct, n) if n else (None, None)
    return {
        "label": label,
        "n": n,
        "correct": correct,
        "accuracy": round(correct / n, 6) if n else None,
        "low": None if low is None else round(low, 6),
        "high": None if high is None else round(high, 6),
    }


def accuracy_rows(
    counts: Mapping[tuple[str, ...], int], labels: Sequence[str], *, top5: bool = False
) -> list[dict[str, Any]]:
    """Return the accuracy of each label and of all verified pictures.

    Args:
        counts: sums of `tally`.
        labels: the labels in order, `other` last.
        top5: count a picture as right if any of its top 5 classes has the label.
    """
    n: Counter[str] = Counter()
    right: Counter[str] = Counter()
    kind, total = ("top5", "any5") if top5 else ("truth", "any")
    for key, count in counts.items():
        if key[0] == kind:
            n[key[1]] += count
            right[key[1]] += count if key[2] == ("right" if top5 else key[1]) else 0
        elif key[0] == total:
            n[ALL] += count
            right[ALL] += count if key[1] == "right" else 0
    return [accuracy_row(label, right[label], n[label]) for label in [*labels, ALL]]


def confusion_rows(
    counts: Mapping[tuple[str, ...], int], labels: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the confusion matrix, a row a verified label, a column a predicted one."""
    return [
        {"truth": truth, **{label: counts.get(("truth", truth, label), 0) for label in labels}}
        for truth in labels
    ]


def label_rows(
    counts: Mapping[tuple[str, ...], int], targets: Mapping[str, str], pictures: int
) -> list[dict[str, Any]]:
    """Return the rows of labels.csv: the targets in the order given, then `other`."""
    mids = {**targets, OTHER: ""}
    return [
        share_row({"label": label, "mid": mid}, counts.get(("label", label), 0), pictures)
        for label, mid in mids.items()
    ]


def class_rows(counts: Mapping[tuple[str, ...], int], pictures: int) -> list[dict[str, Any]]:
    """Return the rows of classes.csv: the finest classes seen, most frequent first."""
    classes = [(count, key[2], key[1]) for key, count in counts.items() if key[0] == "class"]
    classes.sort(key=lambda row: (-row[0], row[1], row[2]))
    return [
        share_row({"mid": mid, "label": label}, count, pictures) for count, label, mid in classes
    ]


def share_row(row: dict[str, Any], count: int, pictures: int) -> dict[str, Any]:
    """Return `row` with a count and its share of all pictures."""
    return row | {"pictures": count, "share": round(count / pictures, 6) if pictures else 0.0}
