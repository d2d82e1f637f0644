"""What browsing a million made-up pictures takes: columns, selections, pages, facets, the map.

    python -m benchmarks.serving.browse --rows 1000000

Facts are made from arrays, without an index, and written as a run's are. Each figure is the median
of some calls; "first" is one whose selection is not yet kept.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.browser import Browser
from mapsight.browse.build import write_columns
from mapsight.browse.cell_map import CellMap
from mapsight.browse.columns import Columns
from mapsight.browse.discs import apart
from mapsight.browse.exports import export
from mapsight.browse.filters import Filters
from mapsight.browse.layout import FACTS, Part
from mapsight.browse.likeness import likeness_places
from mapsight.index.removed_ids import IdList
from mapsight.results.tables import DUPLICATES_SCHEMA

BATCH = 4096
CELLS, D = 8192, 256
LABELS = [f"Label {i}" for i in range(12)]
AGAIN = 5


class MadeUpPictures:
    """A state of a workspace whose facts are drawn by a fixed seed, a batch at a time."""

    def __init__(self, rows: int) -> None:
        self.rows = self.pictures = rows
        self.digest, self.collection = "made up", SimpleNamespace(removed=IdList())

    def facts(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the facts, in the order of the ids."""
        for first in range(0, self.rows, BATCH):
            yield 0, self._batch(first, min(BATCH, self.rows - first))

    def _batch(self, first: int, n: int) -> pa.RecordBatch:
        rng = np.random.default_rng([3, first])
        ids = [f"{i:016x}" for i in range(first, first + n)]

        def words(names: list[Any]) -> pa.Array:
            return pa.array(names, pa.string()).take(pa.array(rng.integers(len(names), size=n)))

        truth = pa.array([None, None, None, ["Label 1"], ["Label 2"], ["other"]])
        made = {
            "image_id": pa.array(ids, pa.large_string()),
            "label": words(LABELS),
            "style": words(["photo", "photo", "photo", "drawing"]),
            "format": words(["JPEG", "JPEG", "JPEG", "PNG"]),
            "license": words(["https://creativecommons.org/licenses/by/2.0/", None]),
            "subset": words(["train"] * 9 + ["test"]),
            "author": words([f"J. Doe {i}" for i in range(9973)]),
            "top_label": words([f"Class {i}" for i in range(1000)]),
            "truth": truth.take(pa.array(rng.integers(6, size=n))),
            "score": pa.array(rng.random(n).round(6)),
            "ppi": pa.array(rng.lognormal(3, 0.4, n).round(6)),
            "sharpness": pa.array(rng.lognormal(6, 1, n).round(6)),
            "entropy": pa.array((rng.random(n) * 8).round(6)),
            "gradient": pa.array((rng.random(n) * 200).round(6)),
            "top_probability": pa.array(rng.random(n).round(6)),
            "width": pa.array(rng.integers(100, 5000, n)),
            "height": pa.array(rng.integers(100, 5000, n)),
            "bytes": pa.array(rng.integers(1000, 5_000_000, n)),
            "source": pa.array([f"hdfs:///pictures/{one}.jpg" for one in ids]),
        }
        arrays = [made.get(field.name, pa.nulls(n, field.type)) for field in FACTS]
        return pa.RecordBatch.from_arrays(arrays, schema=FACTS)

    def parts(self, given: dict[int, pa.Array]) -> Iterator[Part]:
        """Yield the ids with cells."""
        ids, rng = given[0], np.random.default_rng(4)
        yield Part(0, ids, rng.integers(CELLS, size=len(ids)).astype(np.uint16))

    def duplicates(self) -> pa.Table:
        """Return one picture in twenty as near-duplicates."""
        keepers = np.arange(0, self.rows - 1, 40)
        rows = np.stack([keepers, keepers + 1], axis=1).ravel()
        table = {
            "keeper": [f"{i:016x}" for i in np.repeat(keepers, 2)],
            "image_id": [f"{i:016x}" for i in rows],
            "kind": ["keeper", "near"] * len(keepers),
        }
        empty = DUPLICATES_SCHEMA.empty_table()
        columns = {name: table.get(name, [None] * len(rows)) for name in empty.column_names}
        return pa.table(columns, DUPLICATES_SCHEMA)


def milliseconds(call: Callable[[], Any], again: int = AGAIN) -> float:
    """Return the median time of a call."""
    return statistics.median(_seconds(call) for _ in range(again)) * 1e3


def _seconds(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


RARE = {"label": "Label 3", "style": "drawing", "min_score": 0.95}
"""Leaves about one picture in a thousand."""


def figures(folder: Path, rows: int) -> Iterator[tuple[str, float, str]]:
    """Yield (what, how much, unit)."""
    yield "writing columns", _seconds(lambda: write_columns(folder, MadeUpPictures(rows))), "s"
    files = [file for file in folder.iterdir() if not file.name.startswith("texts")]
    yield "columns", sum(file.stat().st_size for file in files) / rows, "bytes a picture"
    begun = time.perf_counter()
    browser = Browser(Columns(folder, "made up"))
    yield "opening", time.perf_counter() - begun, "s"
    yield "first facets", milliseconds(browser.facets, 1), "ms"
    yield from _selections(browser)
    yield "ids of all", _seconds(lambda: _drained(export(browser.select(), "ids"))), "s"
    yield "CSV of all", _seconds(lambda: _drained(export(browser.select(), "csv"))), "s"
    yield "Parquet of all", _seconds(lambda: _drained(export(browser.select(), "parquet"))), "s"
    yield from _map(browser)


def _drained(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def _selections(browser: Browser) -> Iterator[tuple[str, float, str]]:
    number = iter(range(1000))

    def rare() -> Any:  # another one each time, so that it is not kept
        least = 0.95 + next(number) * 1e-6
        return browser.select(Filters.of(**RARE | {"min_score": least}), "-sharpness").page()

    yield "rare pictures", browser.select(Filters.of(**RARE)).total, "pictures"
    yield "rare, first page", milliseconds(rare, 20), "ms"
    again = browser.select(Filters.of(**RARE), "-sharpness")
    yield "rare, kept page", milliseconds(lambda: again.page(), 50), "ms"
    yield (
        "all by sharpness, first page",
        milliseconds(lambda: browser.select(sort="-sharpness").page(), 1),
        "ms",
    )
    every = browser.select(sort="-sharpness")
    _, cursor = every.page(at=0.5)
    yield (
        "all by sharpness, kept page",
        milliseconds(lambda: browser.select(sort="-sharpness").page(cursor), 50),
        "ms",
    )
    yield (
        "facets of rare",
        milliseconds(
            lambda: browser.facets(Filters.of(**RARE | {"min_ppi": float(next(number)) / 1e3})), 5
        ),
        "ms",
    )
    yield "kept facets", milliseconds(browser.facets, 50), "ms"


def _map(browser: Browser) -> Iterator[tuple[str, float, str]]:
    rng = np.random.default_rng(5)
    middles = rng.normal(size=(CELLS // 20, D)) * 3000
    x = middles[rng.integers(len(middles), size=CELLS)] + rng.normal(size=(CELLS, D)) * 1500
    begun = time.perf_counter()
    places = likeness_places(x)
    yield f"places of {CELLS:,} cells", time.perf_counter() - begun, "s"
    begun = time.perf_counter()
    cells = CellMap(*apart(places, rng.lognormal(4, 1, CELLS)), {})
    yield "discs", time.perf_counter() - begun, "s"
    drawn = Browser(browser.columns, (), lambda: cells)
    yield "first map", milliseconds(drawn.map, 1), "ms"
    yield "kept map", milliseconds(drawn.map, 20), "ms"
    region = [(0.2, 0.2), (0.3, 0.2), (0.3, 0.3)]
    yield (
        "region, first page",
        milliseconds(
            lambda: drawn.select(Filters.of(region=[*region, (0.2, time.time() % 1)])).page(), 10
        ),
        "ms",
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="pictures")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="mapsight-browse-") as folder:
        for what, value, unit in figures(Path(folder), rows):
            sys.stdout.write(f"{what:32}{value:14,.3f} {unit}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
