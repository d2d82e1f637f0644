"""Read the files of results/ and put them into the words and tables of the report."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.evaluation.accuracy import ALL
from mapsight.records import ERROR_CODES
from mapsight.report.charts.plots import Interval
from mapsight.text import amount

__all__ = [
    "MAX_CLASSES",
    "Run",
    "classes_note",
    "counter_rows",
    "error_rows",
    "facts",
    "labels_note",
    "largest",
    "ppi_note",
    "read_accuracy",
    "read_confusion",
    "read_counts",
    "read_rows",
    "read_run",
    "stage_rows",
    "suspect_rows",
    "verified",
]

MAX_CLASSES = 20
"""Most frequent classes in a chart."""
MAX_LABELS = 40
"""Target labels in a chart."""

Run = Mapping[str, Any]
"""The content of summary.json, or a part of it."""

_DEFAULTS: Run = {
    "host": None,
    "command": None,
    "version": "",
    "missing_labels": [],
    "labelled_by": "model",
    "no_head": None,
    "images_not_selected": 0,
    "images_without_annotation": 0,
    "annotations_without_picture": 0,
    "note": None,
    "verified_absent": {},
    "evaluation": {},
    "explore": None,
    "cells": None,
    "duplicates": None,
    "flags": {},
    "errors": {},
    "stages": [],
    "options": {},
    "inputs": [],
    "model": {},
    "pictures_per_second": None,
    "ppi_histogram": {"edges": [], "counts": []},
}


def read_run(path: Path) -> Run:
    """Read summary.json, with defaults for fields that an older one lacks."""
    return {**_DEFAULTS, **json.loads(path.read_text(encoding="utf-8"))}


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Read the rows of a CSV file, one in memory at a time."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read_counts(path: Path) -> list[dict[str, Any]]:
    """Read `{label, pictures, share}` from labels.csv or classes.csv."""
    return [
        {"label": row["label"], "pictures": int(row["pictures"]), "share": float(row["share"])}
        for row in read_rows(path)
    ]


def _interval(row: Mapping[str, str]) -> Interval | None:
    if not int(row["n"]):
        return None
    return float(row["accuracy"]), float(row["low"]), float(row["high"])


def read_accuracy(results: Path) -> list[dict[str, Any]]:
    """Read the accuracies of every label: `{label, n, top1, top5}`, None where n is 0.

    Without verified labels there are no such tables, and no rows.
    """
    if not (results / "accuracy.csv").exists():
        return []
    best = read_rows(results / "accuracy.csv")
    top5 = {row["label"]: _interval(row) for row in read_rows(results / "accuracy_top5.csv")}
    return [
        {
            "label": row["label"],
            "n": int(row["n"]),
            "top1": _interval(row),
            "top5": top5.get(row["label"]),
        }
        for row in best
    ]


def read_confusion(path: Path) -> tuple[list[str], np.ndarray]:
    """Read labels (n,) and counts (n, n) int64 of confusion.csv; a row is a verified label."""
    with path.open(encoding="utf-8", newline="") as file:
        (_, *labels), *rows = csv.reader(file)
    counts = np.array([row[1:] for row in rows], np.int64)
    return labels, counts.reshape(len(rows), len(labels))


def verified(accuracy: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of pictures with a verified label."""
    return next((row["n"] for row in accuracy if row["label"] == ALL), 0)


def suspect_rows(results: Path) -> list[dict[str, str]]:
    """Read suspects.csv, which has at most some sixty rows; nothing where there is none."""
    path = results / "suspects.csv"
    return list(read_rows(path)) if path.exists() else []


def largest(rows: Sequence[Run], name: str) -> list[Run]:
    """Return the MAX_LABELS rows with the largest values, in the order of the rows."""
    places = sorted(range(len(rows)), key=lambda place: -rows[place][name])[:MAX_LABELS]
    return [rows[place] for place in sorted(places)]


def labels_note(labels: int, pictures: int) -> str:
    """Return the caption of the chart of target labels."""
    if labels <= MAX_LABELS:
        return f"Pictures per target label, n = {amount(pictures)}."
    return (
        f"Pictures per target label, n = {amount(pictures)}. These are the {MAX_LABELS} most"
        f" frequent of {amount(labels)} labels; all are in labels.csv."
    )


def classes_note(classes: int) -> str:
    """Return the caption of the chart of classes."""
    if classes <= MAX_CLASSES:
        return "Pictures per most specific class."
    return (
        f"Pictures per most specific class. These are the {MAX_CLASSES} most frequent of"
        f" {amount(classes)} classes; all are in classes.csv."
    )


def ppi_note(screen_diagonal: float | None) -> str:
    """Return what PPI means in this run; the diagonal is in inches, None for the picture's own."""
    if screen_diagonal:
        return f"Pixels per inch of a picture that fills a screen of {screen_diagonal:g} inches."
    return (
        "PPI is the square root of a picture’s diagonal in pixels: 17.8 for 224 × 224, 35.8 for"
        " 1,024 × 768. It measures size, not sharpness."
    )


def error_rows(errors: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Return (code, pictures, meaning) of the errors that occurred, most frequent first."""
    occurred = [(code, n, ERROR_CODES.get(code, "")) for code, n in errors.items() if n]
    return sorted(occurred, key=lambda row: (-row[1], row[0]))


def stage_rows(stages: Sequence[Run]) -> list[dict[str, Any]]:
    """Return stages with their share of the total time, each as of its last run."""
    total = sum(stage["seconds"] for stage in stages)
    return [{**stage, "share": stage["seconds"] / total if total else 0.0} for stage in stages]


def counter_rows(stages: Sequence[Run]) -> Iterator[tuple[str, str, int]]:
    """Return (stage, counter, count), flat, whether counters are grouped or not."""
    for stage in stages:
        for name, value in sorted((stage.get("counters") or {}).items()):
            if isinstance(value, Mapping):
                yield from ((stage["name"], f"{name}/{key}", n) for key, n in sorted(value.items()))
            else:
                yield stage["name"], name, value


def facts(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return command, model, inputs and options as tables of names and values."""
    tables = {
        "Command": [("command", run["command"])] if run["command"] else [],
        "Model": _pairs(run["model"]),
        "Inputs": [(str(number), uri) for number, uri in enumerate(run["inputs"], 1)],
        "Options": _pairs(run["options"]),
    }
    return [(title, rows) for title, rows in tables.items() if rows]


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _shown(value)) for name, value in values.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(part)}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_shown, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
