"""Tables of how good predictions are, from the sums of `mapsight.evaluation.sums`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mapsight.evaluation.accuracy import ALL, wilson
from mapsight.evaluation.counts import RELIABILITY_BINS
from mapsight.evaluation.sums import ANY, Hits, Sums
from mapsight.labels.head import DRAWING, PHOTO

__all__ = [
    "EVALUATION",
    "GROUPS",
    "RELIABILITY",
    "STRENGTHS",
    "average_precision",
    "calibration_error",
    "evaluation_rows",
    "group_row",
    "group_rows",
    "mcnemar",
    "reliability_rows",
    "share",
    "strength_rows",
]

Row = dict[str, Any]

_SHARE = ("correct", "accuracy", "low", "high")
_MODEL = tuple(f"model_{name}" for name in _SHARE)
EVALUATION = (
    *("split", "label", "n", *_SHARE),
    *("given", "precision", "recall", "f1", "average_precision", "average_precision_error"),
    *(*_MODEL, "model_given", "model_precision", "model_f1"),
)
GROUPS = ("split", "group", "value", "from", "to", "style", "n", *_SHARE, *_MODEL)
RELIABILITY = (
    *("kind", "split", "from", "to", "n", "mean_score"),
    *("right", "share", "low", "high"),
)
STRENGTHS = ("lambda", "gcv", "degrees_of_freedom", "n", *_SHARE)
MEANS = ("precision", "recall", "f1", "average_precision", "model_precision", "model_f1")
STYLE_HEAD = "style head"


def share(correct: int, n: int, prefix: str = "") -> Row:
    """Return `correct`, its share of `n` and the Wilson interval.

    None but for `correct` without any.
    """
    low, high = wilson(correct, n) if n else (None, None)
    values = (correct, _rounded(correct / n if n else None), _rounded(low), _rounded(high))
    return {f"{prefix}{name}": value for name, value in zip(_SHARE, values, strict=True)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def evaluation_rows(sums: Sums, labels: Sequence[str], split: str) -> list[Row]:
    """Return rows of evaluation.csv: each label, then all with the means over labels that occur."""
    rows = [_label_row(sums, label, split) for label in labels]
    seen = [row for row in rows if row["n"]]
    means = {name: _mean([row.get(name) for row in seen]) for name in MEANS}
    return [*rows, {"split": split, "label": ALL, **_both(sums.hits(split, "all"))} | means]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 6) if known else None


def _both(hits: Hits) -> Row:
    """Accuracy, and that of the model's own classes where a head stands beside them."""
    row = {"n": hits.n, **share(hits.right, hits.n)}
    return row | (share(hits.by_model, hits.model_n, "model_") if hits.model_n else {})


def _label_row(sums: Sums, label: str, split: str) -> Row:
    hits = sums.hits(split, "label", label)
    row = {"split": split, "label": label, **_both(hits)}
    row |= {"recall": row["accuracy"], **_precision(sums, label, split, hits, "label")}
    scored = sums.scored(split, label)
    if hits.n and scored:
        found, error = average_precision(scored)
        row |= {"average_precision": round(found, 6), "average_precision_error": round(error, 6)}
    return row | (_precision(sums, label, split, hits, "model") if hits.model_n else {})


def _precision(sums: Sums, label: str, split: str, hits: Hits, who: str) -> Row:
    """How often the label was given, precision and F1; 0 where it never was."""
    right, wrong = sums.given(split, who, label)
    given = right + wrong
    precision = right / given if given else 0.0 if hits.n else None
    f1 = 2 * right / (hits.n + given) if hits.n else None
    prefix = "" if who == "label" else "model_"
    names = (f"{prefix}given", f"{prefix}precision", f"{prefix}f1")
    return dict(zip(names, (given, _rounded(precision), _rounded(f1)), strict=True))


def average_precision(scored: Mapping[int, Sequence[int]]) -> tuple[float, float]:
    """Return (average precision, how far it can be from that of the scores themselves).

    Σ (recall_i - recall_{i-1}) · precision_i over bins from the highest down, those in a bin
    being ties (as in scikit-learn's average_precision_score). The exact value lies between
    those of the best and the worst order within the bins.

    Args:
        scored: [n that show it, n that do not] by bin; one that shows it at least.
    """
    tied = best = worst = 0.0
    above_yes = above = 0
    for _, (yes, no) in sorted(scored.items(), reverse=True):
        ranks = range(1, yes + 1)
        tied += yes * (above_yes + yes) / (above + yes + no) if yes else 0
        best += sum((above_yes + k) / (above + k) for k in ranks)
        worst += sum((above_yes + k) / (above + no + k) for k in ranks)
        above_yes, above = above_yes + yes, above + yes + no
    return tied / above_yes, max(best - tied, tied - worst, 0.0) / above_yes


def group_row(split: str, kind: str, value: str, style: str, hits: Hits) -> Row:
    """Return a row of evaluation_groups.csv.

    Of split ALL only the model's, as the head knows some.
    """
    row = {"split": split, "group": kind, "value": value, "style": style, **_both(hits)}
    return {**row, **dict.fromkeys(_SHARE)} if split == ALL else row


def group_rows(sums: Sums, labels: Sequence[str], split: str) -> Iterator[Row]:
    """Yield rows of evaluation_groups.csv but for sizes: all and each label, by style."""
    for kind, values in (("all", [""]), ("label", labels)):
        for value in values:
            for style in (ANY, PHOTO, DRAWING):
                hits = sums.hits(split, kind, value, style)
                if hits.n:
                    yield group_row(split, kind, value, style, hits)
    for truth in (PHOTO, DRAWING):
        n = {found: sums.style(split, truth, found) for found in (PHOTO, DRAWING)}
        if any(n.values()):
            yield group_row(split, STYLE_HEAD, truth, truth, Hits(sum(n.values()), n[truth]))


def reliability_rows(sums: Sums) -> Iterator[Row]:
    """Yield the rows of reliability.csv: the bins in which there are pictures."""
    for kind in ("label", "style"):
        for split in ("test", "validation"):
            for number in range(RELIABILITY_BINS):
                right, wrong, total = sums.probability(split, kind, number)
                n = right + wrong
                if n:
                    found = share(right, n)
                    edges = {
                        "from": number / RELIABILITY_BINS,
                        "to": (number + 1) / RELIABILITY_BINS,
                    }
                    row = {"kind": kind, "split": split, **edges, "n": n, "right": right}
                    row |= {"mean_score": round(total / n, 6), "share": found["accuracy"]}
                    yield row | {"low": found["low"], "high": found["high"]}


def calibration_error(sums: Sums, kind: str, split: str) -> float | None:
    """Return the expected calibration error (Naeini et al. 2015); None without pictures."""
    bins = [sums.probability(split, kind, number) for number in range(RELIABILITY_BINS)]
    n = sum(found.right + found.wrong for found in bins)
    gaps = sum(abs(found.total - found.right) for found in bins)
    return round(gaps / n, 6) if n else None


def mcnemar(one: int, other: int) -> float:
    """Return the p-value of McNemar's test (1947): exact up to 1000 differences.

    Beyond by the normal distribution, with Edwards' correction (1948).

    Args:
        one, other: pictures that only the one was right of, and only the other.
    """
    n = one + other
    if n <= 1000:
        tail = sum(math.comb(n, k) for k in range(min(one, other) + 1))
        return min(1.0, 2 * tail / 2**n)
    return math.erfc((abs(one - other) - 1) / math.sqrt(2 * n)) if one != other else 1.0


def strength_rows(head: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of strengths.csv from head.json; without validation only what GCV tells."""
    tried = {row["lambda"]: row for row in head["validation"]["accuracy_by_lambda"]}
    for point in head["class_ridge"]["curve"]:
        row = tried.get(point["lambda"], {"n": 0, "correct": 0})
        yield {**point, "n": row["n"], **share(row["correct"], row["n"])}
