"""A made-up state of a workspace, and columns of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.build import write_columns
from mapsight.browse.columns import Columns
from mapsight.browse.layout import FACTS, Part
from mapsight.index.removed_ids import IdList
from mapsight.labels.flags import LOOKED
from mapsight.results.tables import DUPLICATES_SCHEMA

LABELS = ["Lion", "Tiger", "Snow leopard", "other"]
BY = "https://creativecommons.org/licenses/by/2.0/"
LICENSES = [BY, "https://creativecommons.org/licenses/by-sa/4.0/", "mine", None]


def facts(n: int, seed: int = 1) -> list[dict[str, Any]]:
    """Facts of pictures in an order of their own, with ties and things that nobody knows."""
    rng = np.random.default_rng(seed)
    return [_fact(rng, f"{i:06x}") for i in rng.permutation(n)]


def _fact(rng: np.random.Generator, image_id: str) -> dict[str, Any]:
    def some(values: list[Any]) -> Any:
        return values[rng.integers(len(values))]

    truth = [None, None, ["Lion"], ["Tiger"], ["Lion", "Tiger"], ["other"]]
    known = rng.random() < 0.9
    return {
        "image_id": image_id,
        "label": some(LABELS),
        "style": some(["photo", "drawing", None]),
        "format": some(["JPEG", "PNG"]),
        "license": some(LICENSES),
        "subset": some(["train", "test", None]),
        "split": some(["train", "validation", "test"]),
        "author": some(["A. Doe", "B. Roe", None]),
        "top_label": some(["Cat", "Dog", "Big cat"]),
        "truth": some(truth),
        "score": round(float(rng.random()), 1) if known else None,
        "ppi": float(rng.integers(5, 40)) if known else None,
        "sharpness": round(float(rng.lognormal(5)), 6),
        "entropy": round(float(rng.random() * 8), 2),
        "gradient": round(float(rng.random() * 99), 2) if known else None,
        "top_probability": round(float(rng.random()), 6),
        "width": int(rng.integers(1, 4)) * 100 if known else None,
        "height": int(rng.integers(1, 4)) * 100,
        "bytes": int(rng.integers(1, 10**6)),
        "source": f"pictures/{image_id}.jpg",
        "title": some(["a", "=1+1", None]),
        "quality": int(rng.integers(1, 11)) * 100_000 + 1 if known else None,
        "flags": some([None, *(LOOKED | bits for bits in (0, 0, 1, 8, 9))]),
    }


class MadeUp:
    """Stands for `Sources`: parts with facts, ids and cells that are given.

    Args:
        parts: facts by part. cells: of all pictures, by id. removed: as an IdList.
        duplicates: rows of duplicates.csv.
        unknown: ids of pictures of which there are no facts, by part.
        odd: (part, id) of pictures that are odd for their label.
    """

    def __init__(
        self,
        parts: dict[int, list[dict[str, Any]]],
        cells: dict[str, int] | None = None,
        removed: IdList | None = None,
        duplicates: list[dict[str, Any]] = [],  # noqa: B006
        unknown: dict[int, list[str]] | None = None,
        odd: Collection[tuple[int, str]] = (),
    ) -> None:
        self._parts, self._cells, self._unknown = parts, cells or {}, unknown or {}
        self._odd = odd
        self.collection = SimpleNamespace(removed=removed or IdList())
        self._duplicates = pa.Table.from_pylist(duplicates, DUPLICATES_SCHEMA)
        self.digest, self.pictures = "made up", sum(map(len, parts.values()))

    def facts(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        for number, rows in self._parts.items():
            for first in range(0, len(rows), 7):
                yield number, pa.RecordBatch.from_pylist(rows[first : first + 7], FACTS)

    def parts(self, given: dict[int, pa.Array]) -> Iterator[Part]:
        for number, rows in self._parts.items():
            ids = [row["image_id"] for row in rows][::-1] + self._unknown.get(number, [])
            cells = np.array([self._cells.get(one, 0) for one in ids], np.uint16)
            odd = np.array([(number, one) in self._odd for one in ids], bool)
            yield Part(number, pa.array(ids, pa.large_string()), cells, odd)

    def duplicates(self) -> pa.Table:
        return self._duplicates


def columns_of(folder: Path, sources: Any) -> Columns:
    """Columns of a state, written into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_columns(folder, sources)
    return Columns(folder, sources.digest)
