"""What must hold of the results of made-up pictures. Each check returns what it found wrong.

Memory: 16 bytes a picture for the ranks of the largest label, and the copies of a collection.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds

from benchmarks.million.collection import number_of
from benchmarks.million.pictures import BROKEN, COPIED, COPY, WAYS

__all__ = ["accounted", "broken_by_reason", "copies_found", "digest", "ranks_whole", "recall_of"]

HUNDRED = 100
SHOWN = 5


def accounted(results: Path, count: int) -> list[str]:
    """Compare how many pictures were read, classified and rejected."""
    summary = json.loads((results / "summary.json").read_text("utf-8"))
    read, classified, rejected = (
        summary[f"images_{name}"] for name in ("read", "extracted", "rejected")
    )
    wrong = [] if read == count else [f"{read:,} pictures read, {count:,} made"]
    if read != classified + rejected:
        wrong.append(f"{read:,} read, {classified:,} classified, {rejected:,} rejected")
    rows = ds.dataset(results / "predictions.parquet").count_rows()
    return wrong if rows == classified else [*wrong, f"{rows:,} rows of predictions"]


def broken_by_reason(results: Path, count: int) -> list[str]:
    """Compare rejected pictures and their reasons with what was broken."""
    codes, wrong, found = list(WAYS), [], 0
    for row in _rows(results / "rejected.csv"):
        number = number_of(row["image_id"])
        expected = codes[number // HUNDRED % len(codes)] if number % HUNDRED == BROKEN else None
        found += row["error"] == expected
        if row["error"] != expected:
            wrong.append(f"{row['image_id']}: {row['error']}, expected {expected}")
    made = _of_each_hundred(BROKEN, count)
    wrong = _first(wrong)
    return wrong if found == made else [*wrong, f"{made:,} broken, {found:,} rejected for it"]


def copies_found(results: Path, count: int) -> tuple[list[str], float]:
    """Look for every copy beside its original; return what is missing of those with the same
    bytes, and the share that was found of those compressed anew.
    """
    groups = {
        number_of(row["image_id"]): row["keeper"]
        for row in _rows(results / "duplicates.csv")
        if number_of(row["image_id"]) % HUNDRED in (COPIED, COPY)
    }
    missing, near, nears = [], 0, 0
    for number in range(COPY, count, HUNDRED):
        original = number - COPY + COPIED
        together = number in groups and groups[number] == groups.get(original)
        if number // HUNDRED % 2:
            missing += [] if together else [f"copy {number} of {original}"]
        else:
            nears, near = nears + 1, near + together
    return _first(missing), near / nears if nears else 1.0


def ranks_whole(results: Path) -> list[str]:
    """Look for a label whose ranks are not 1 to the number of its pictures."""
    ranking = ds.dataset(results / "ranking.parquet")
    labels: dict[str, list[np.ndarray]] = {}
    for batch in ranking.to_batches(columns=["label", "rank"]):
        named = batch.column("label").to_numpy(zero_copy_only=False)
        ranks = batch.column("rank").to_numpy()
        for label in np.unique(named):
            labels.setdefault(label, []).append(ranks[named == label])
    return [
        f"ranks of {label} have a gap, or one twice"
        for label, parts in labels.items()
        if not np.array_equal(np.sort(np.concatenate(parts)), np.arange(1, _n(parts) + 1))
    ]


def recall_of(results: Path) -> dict[str, float]:
    """Return recall@10 by cells read, as the run measured it against an exact search."""
    rows = (row for row in _rows(results / "recall.csv") if row["features"] == "new")
    return {row["probe"]: float(row["recall_10"]) for row in rows}


def digest(table: Path) -> str:
    """Return the SHA-256 of a file, or of the files of a folder in the order of their names."""
    files = [table] if table.is_file() else sorted(table.glob("*.parquet"))
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    return whole.hexdigest()


def _n(parts: Iterable[np.ndarray]) -> int:
    return sum(map(len, parts))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _of_each_hundred(place: int, count: int) -> int:
    return len(range(place, count, HUNDRED))


def _first(wrong: list[str]) -> list[str]:
    more = len(wrong) - SHOWN
    return [*wrong[:SHOWN], f"and {more:,} more"] if more > 0 else wrong
