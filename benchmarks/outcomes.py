"""What the ways found: are their labels the same, and are they right?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.dataset

from mapsight.features.mobilenet import wnids
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler
from mapsight.openimages.dataset import annotation_rows, csv_splits, find_dataset, merge_annotations

__all__ = ["accuracy", "agreement", "features", "labels_of_features", "labels_of_parquet", "truths"]


def labels_of_parquet(folder: Path) -> dict[str, int]:
    """Top-1 class by image_id, as `ways.common.write` has them."""
    files = [str(path) for path in sorted(folder.rglob("*.parquet"))]
    table = pyarrow.dataset.dataset(files).to_table(columns=["image_id", "label"])
    return dict(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))


def features(workspace: Path) -> dict[str, dict[str, Any]]:
    """Feature records by image_id that the extract stage of a workspace committed."""
    stage = json.loads((workspace / "extract" / "stage.json").read_text("utf-8"))
    paths = [workspace / "extract" / part["name"] for part in stage["parts"]]
    lines = (line for path in paths for line in path.open("rb"))
    return dict(map(json.loads, line.split(b"\t", 1)) for line in lines)


def labels_of_features(records: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Top-1 class by image_id; rejected pictures are left out."""
    number = {wnid: index for index, wnid in enumerate(wnids())}
    return {
        key: number[record["top5"][0][0]]
        for key, record in records.items()
        if "error" not in record
    }


def agreement(found: Mapping[str, int], expected: Mapping[str, int]) -> float:
    """The share of expected pictures that have the expected label; a lost one counts as wrong.

    >>> agreement({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4, "d": 5})
    0.25
    """
    return sum(found.get(key) == label for key, label in expected.items()) / len(expected)


def truths(folder: Path, labeler: Labeler) -> dict[str, list[str]]:
    """Verified labels by image_id from Open Images metadata beside the pictures."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for file in find_dataset(str(folder)).files["labels"]:
        for split in csv_splits(file, "labels"):
            for image_id, part in filter(None, annotation_rows(split)):
                parts.setdefault(image_id, []).append(part)
    merged = ((key, merge_annotations(iter(some))["labels"]) for key, some in parts.items())
    found = ((key, labeler.truth(labels)[0]) for key, labels in merged)
    return {key: present for key, present in found if present}


def accuracy(
    records: Mapping[str, Mapping[str, Any]], files: Sequence[Path], folder: Path
) -> tuple[int, int] | None:
    """(correct, n) over verified pictures with one of the eleven labels; None without any.

    Args:
        records: features by the number of the row in hexadecimal digits.
        files: the picture of each row; rows beyond are repetitions and left out.
        folder: with Open Images metadata.
    """
    labeler = Labeler(DEFAULT_TARGETS)
    known = truths(folder, labeler)
    judged = list(_judged(records, files, known, labeler))
    return (sum(judged), len(judged)) if judged else None


def _judged(
    records: Mapping[str, Mapping[str, Any]],
    files: Sequence[Path],
    known: Mapping[str, list[str]],
    labeler: Labeler,
) -> Iterable[bool]:
    for number, path in enumerate(files):
        record, present = records.get(f"{number:016x}"), known.get(path.stem.lower(), [])
        if record and "top5" in record and set(present) & set(DEFAULT_TARGETS):
            yield labeler.label(record["top5"])[0] in present
