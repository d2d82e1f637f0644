"""The tables of results that a state has beside its pictures, read when it is opened."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from functools import cached_property
from typing import Any

import pyarrow as pa

from mapsight.errors import Failure
from mapsight.opened import OpenedWorkspace
from mapsight.results.tables import DUPLICATES_SCHEMA, REJECTED_SCHEMA, read_csv_table
from mapsight.storage.uri import open_uri

__all__ = ["Row", "Tables"]

Row = dict[str, Any]
SAFE = re.compile(r"'(?=\s*[=+\-@＝＋－＠])")
TEXTS = frozenset(
    (
        *("image_id", "reason", "verified", "absent", "split", "source", "original_url"),
        *("license", "author", "title", "truth", "label", "kind", "mid"),
    )
)
"""Columns that are text whatever stands in them."""


class Tables:
    """Tables of one run. Memory: all of them; some 200 bytes a rejected picture or duplicate.

    Args:
        opened: the workspace; of a run that did not come to its end there are none.
    """

    def __init__(self, opened: OpenedWorkspace) -> None:
        self._opened = opened
        self.summary: Row = {}
        with contextlib.suppress(Failure):
            self.summary = opened.summary
        self.rejected = self._typed("rejected.csv", REJECTED_SCHEMA)
        self.duplicates = self._typed("duplicates.csv", DUPLICATES_SCHEMA, "duplicates")
        self.labels = self._rows("labels.csv")
        self.suspects = self._rows("suspects.csv", {"given"})
        self.accuracy = self._rows("accuracy.csv")
        self.confusion = self._rows("confusion.csv")
        self.reliability = self._rows("reliability.csv")
        self.evaluation = self._rows("evaluation.csv")

    def _address(self, name: str, stage: str) -> str | None:
        with contextlib.suppress(Failure):
            return self._opened.result(name, stage)
        return None

    def _typed(self, name: str, schema: pa.Schema, stage: str = "merge") -> pa.Table:
        address = self._address(name, stage)
        return read_csv_table(address, schema) if address else schema.empty_table()

    def _rows(self, name: str, texts: Collection[str] = ()) -> list[Row]:
        """Return the rows of a small table, None for what is not known; none without the file."""
        address = self._address(name, "merge")
        if address is None:
            return []
        from pyarrow import csv

        kinds = dict.fromkeys((*TEXTS, *texts), pa.string())
        with open_uri(address) as file:
            table = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=kinds))
        return [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]

    @cached_property
    def alike(self) -> dict[str, tuple[int, float, str]]:
        """Return (bits apart, cosine, why the keeper is kept) of each picture of a group, by id."""
        names = ("image_id", "distance", "cosine", "kept_because")
        columns = (self.duplicates.column(name).to_pylist() for name in names)
        return {typed(i): (b, c, why or "") for i, b, c, why in zip(*columns, strict=True)}


def typed(text: str) -> str:
    """Return a text without the apostrophe that CSV has before what looks like a formula.

    >>> typed("'-x"), typed("'tis")
    ('-x', "'tis")
    """
    return SAFE.sub("", text, count=1) if SAFE.match(text) else text


def _plain(value: Any) -> Any:
    return (typed(value) or None) if isinstance(value, str) else value
