"""The small tables of labels and accuracy, and what summary.json says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.evaluation import accuracy
from mapsight.labels.flags import FLAG_NAMES
from mapsight.records import OTHER

if TYPE_CHECKING:
    from mapsight.evaluation.sums import Hits, Sums

__all__ = [
    "absent_counts",
    "flag_counts",
    "is_judged",
    "ppi_histogram",
    "verified",
    "write_evaluation",
    "write_tables",
]

Counts = dict[tuple[str, ...], int]


def write_tables(targets: dict[str, str], counts: Counts, pictures: int, target: Path) -> None:
    """labels.csv and classes.csv; of what was verified accuracy{,_top5}.csv and confusion.csv.

    Args:
        targets: MID by target label, in the order they were named.
        counts: what the count stage left.
        pictures: how many were predicted.
        target: the folder.
    """
    from mapsight.results.predictions import write_csv

    labels = [*targets, OTHER]
    shares = ("pictures", "share")
    rows = accuracy.label_rows(counts, targets, pictures)
    write_csv(target / "labels.csv", ("label", "mid", *shares), rows)
    rows = accuracy.class_rows(counts, pictures)
    write_csv(target / "classes.csv", ("mid", "label", *shares), rows)
    if not verified(counts):
        return
    names = ("label", "n", "correct", "accuracy", "low", "high")
    write_csv(target / "accuracy.csv", names, accuracy.accuracy_rows(counts, labels))
    rows = accuracy.accuracy_rows(counts, labels, top5=True)
    write_csv(target / "accuracy_top5.csv", names, rows)
    rows = accuracy.confusion_rows(counts, labels)
    write_csv(target / "confusion.csv", ("truth", *labels), rows)


def write_evaluation(
    labels: Sequence[str], counts: Counts, target: Path, *, foreign: bool = False
) -> dict[str, Any]:
    """evaluation.csv, evaluation_groups.csv, reliability.csv; beside a head.json strengths.csv.

    The first three are written where people verified labels.

    Args:
        labels: all that can be given, `other` last.
        counts: what the count stage left.
        target: the folder.
        foreign: the head was fitted elsewhere, so its strengths were too.

    Returns:
        What summary.json says of it.
    """
    from mapsight.evaluation import tables as rows_of
    from mapsight.evaluation.quality import quality_facts
    from mapsight.evaluation.sums import Sums
    from mapsight.results.predictions import write_csv

    sums = Sums(counts)
    every = sums.hits(accuracy.ALL, "all")
    has_head = every.model_n > 0
    splits = [split for split in ("test", "validation") if sums.hits(split, "all").n]
    if every.n:
        _write_splits(sums, labels, splits, target, has_head=has_head)
    if (target / "head.json").exists() and not foreign:
        head = json.loads((target / "head.json").read_text(encoding="utf-8"))
        write_csv(target / "strengths.csv", rows_of.STRENGTHS, rows_of.strength_rows(head))
    facts: dict[str, Any] = {split: _facts(sums, split) for split in splits}
    return facts | {"quality": quality_facts(sums, head=has_head)}


def _write_splits(
    sums: Sums, labels: Sequence[str], splits: Sequence[str], target: Path, *, has_head: bool
) -> None:
    from mapsight.evaluation import tables as rows_of
    from mapsight.evaluation.quality import size_rows
    from mapsight.results.predictions import write_csv

    rows = (row for split in splits for row in rows_of.evaluation_rows(sums, labels, split))
    write_csv(target / "evaluation.csv", rows_of.EVALUATION, rows)
    wide = [*splits, accuracy.ALL] if has_head else splits
    groups = [row for split in splits for row in rows_of.group_rows(sums, labels, split)]
    groups += [row for split in wide for row in size_rows(sums, split)]
    write_csv(target / "evaluation_groups.csv", rows_of.GROUPS, groups)
    write_csv(target / "reliability.csv", rows_of.RELIABILITY, rows_of.reliability_rows(sums))


def verified(counts: Counts) -> int:
    """How many pictures, on which no head was fitted, have a label that people verified."""
    return sum(n for key, n in counts.items() if key[0] == "any")


def flag_counts(counts: Counts) -> dict[str, int]:
    """Return how many pictures have each flag, in the order of the table, and `any` of them."""
    from mapsight.evaluation.counts import ANY

    return {name: counts.get(("flag", name), 0) for name in (ANY, *FLAG_NAMES)}


def is_judged(counts: Counts) -> bool:
    """Whether people verified a label of any picture, present or absent."""
    return any(key[0] in ("any", "absent", "group", "given") for key in counts)


def _facts(sums: Sums, split: str) -> dict[str, Any]:
    """Accuracy and calibration error on a split; beside a head, the model's own classes."""
    from mapsight.evaluation import tables as rows_of

    hits = sums.hits(split, "all")
    facts: dict[str, Any] = {"n": hits.n, **rows_of.share(hits.right, hits.n)}
    facts["calibration_error"] = rows_of.calibration_error(sums, "label", split)
    if hits.model_n:
        facts |= rows_of.share(hits.by_model, hits.model_n, "model_")
        facts |= _differences(hits)
        facts["style_calibration_error"] = rows_of.calibration_error(sums, "style", split)
    return facts


def _differences(hits: Hits) -> dict[str, Any]:
    from mapsight.evaluation import tables as rows_of

    p = rows_of.mcnemar(hits.only_right, hits.only_model)
    return {
        "only_head_right": hits.only_right,
        "only_model_right": hits.only_model,
        "mcnemar_p": round(p, 6),
    }


def absent_counts(counts: Counts) -> dict[str, dict[str, int]]:
    """How often pictures verified not to show a label were given it."""
    found: dict[str, dict[str, int]] = {}
    for key, count in sorted(counts.items()):
        if key[0] == "absent":
            row = found.setdefault(key[1], {"n": 0, "predicted": 0})
            row["n"] += count
            row["predicted"] += count if key[2] == "predicted" else 0
    return found


def ppi_histogram(counts: Counts) -> dict[str, list[float]]:
    """How many pictures have which PPI."""
    bins = {int(key[1]): count for key, count in counts.items() if key[0] == "ppi"}
    if not bins:
        return {"edges": [], "counts": []}
    span = range(min(bins), max(bins) + 1)
    edges = [accuracy.bin_edge(number) for number in (*span, span.stop)]
    return {"edges": edges, "counts": [bins.get(number, 0) for number in span]}
