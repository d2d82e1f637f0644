"""How often quality orders two pictures of a label as a person would.

    python -m benchmarks.quality.pairs --results RESULTS [--pairs PAIRS.csv]

PAIRS.csv has pictures by id: `label`, `a`, `b`, and which is the `better` one to show what the
label is (a, b; - for neither). The 360 that are here are of the sample, 60 of each of six labels
drawn by a seed, and judged from contact sheets that showed both at one size, without any measure.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mapsight.evaluation.accuracy import wilson

PAIRS = Path(__file__).with_name("pairs.csv")
MEASURES = ("quality", "score", "ppi", "pixels", "sharpness", "crispness", "entropy", "bytes")


def read_pairs(path: Path) -> list[dict[str, str]]:
    """Return the pairs of which one is better."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["better"] in ("a", "b")]


def in_order(
    pairs: Sequence[Mapping[str, str]], values: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield (label, 1 if the better has the higher value, ½ if both are equal) of each pair."""
    for pair in pairs:
        a, b = values.get(pair["a"]), values.get(pair["b"])
        if a is not None and b is not None:
            yield pair["label"], 0.5 if a == b else float((a > b) == (pair["better"] == "a"))


def read_values(results: Path) -> dict[str, dict[str, Any]]:
    """Return by measure the value of each picture of results."""
    import pyarrow.parquet as pq

    rows = pq.read_table(results / "predictions.parquet", columns=["image_id", *MEASURES])
    ids = rows.column("image_id").to_pylist()
    return {name: dict(zip(ids, rows.column(name).to_pylist(), strict=True)) for name in MEASURES}


def main() -> None:
    """Print a line a measure: share in order, its 95 % interval, and the share by label."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="results of the sample")
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    options = parser.parse_args()
    pairs = read_pairs(options.pairs)
    for name, values in read_values(options.results).items():
        found = list(in_order(pairs, values))
        right = sum(one for _, one in found)
        low, high = wilson(round(right), len(found))
        labels = sorted({label for label, _ in found})
        shares = {x: [one for label, one in found if label == x] for x in labels}
        by_label = ", ".join(f"{x} {sum(some) / len(some):.2f}" for x, some in shares.items())
        share = f"{right / len(found):.3f} ({low:.2f}–{high:.2f}), n={len(found)}"
        sys.stdout.write(f"{name:10} {share}: {by_label}\n")


if __name__ == "__main__":
    main()
