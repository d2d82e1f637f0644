"""The tables of a workspace's results, as Arrow has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mapsight.errors import Failure
from mapsight.labels.ranking import EVERYTHING
from mapsight.results.parquet_tables import read_parquet, stream_parquet
from mapsight.results.tables import (
    ACCURACY_SCHEMA,
    DUPLICATES_SCHEMA,
    LABELS_SCHEMA,
    REJECTED_SCHEMA,
    read_csv_table,
)
from mapsight.search.options import known_label
from mapsight.storage.uri import open_uri
from mapsight.workspace.workspace import Workspace

__all__ = ["ResultTables"]

BATCH = 16_384


class ResultTables:
    """The files of `results/` (docs/results.md), each compared with its checksum.

    Args:
        workspace: whose results they are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def summary(self) -> dict[str, Any]:
        """Return what summary.json says of the last run that came to its end.

        Raises:
            Failure: no run has, or the file has changed.
        """
        with open_uri(self.result("summary.json")) as file:
            return json.load(file)

    def predictions(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a row for each picture that could be used; some columns, or all.

        Memory: the table; `prediction_batches` gives it in pieces.

        Raises:
            ValueError: there is no such column.
        """
        return self._parquet("predictions.parquet", columns)

    def prediction_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows of `predictions`, 16,384 or fewer at a time; errors as there."""
        return self._batches("predictions.parquet", columns)

    def ranking(self, label: str | None = None) -> pa.Table:
        """Return the places of pictures in the rankings: of a label, or of all ("*" is overall).

        Raises:
            ValueError: the workspace has no such label; near ones are named.
        """
        filters = None if label is None else [("label", "=", self._label(label))]
        return self._parquet("ranking.parquet", filters=filters)

    def ranking_batches(self, label: str | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows of `ranking`, 16,384 or fewer at a time; errors as there."""
        name = None if label is None else self._label(label)
        batches = self._batches("ranking.parquet")
        return batches if name is None else _with_label(batches, name)

    def _label(self, label: str) -> str:
        """Return a label in any case, or its MID, as rankings have it."""
        if label == EVERYTHING:
            return label
        table = read_csv_table(self.result("labels.csv"), LABELS_SCHEMA)
        columns = (table.column(name).to_pylist() for name in ("label", "mid"))
        name = known_label(label, dict(zip(*columns, strict=True)))
        assert name is not None
        return name

    def rejected(self) -> pa.Table:
        """Return the pictures that could not be used, and why."""
        return read_csv_table(self.result("rejected.csv"), REJECTED_SCHEMA)

    def accuracy(self) -> pa.Table:
        """Return for each label how many verified pictures it was right for; none without such."""
        self._workspace.required("merge")
        if not self._workspace.sound_parts("merge", "/accuracy.csv"):
            return ACCURACY_SCHEMA.empty_table()
        return read_csv_table(self.result("accuracy.csv"), ACCURACY_SCHEMA)

    def duplicates(self) -> pa.Table:
        """Return the pictures of each group of duplicates, the one to be kept first.

        Raises:
            Failure: nobody has looked for them.
        """
        return read_csv_table(self.result("duplicates.csv", "duplicates"), DUPLICATES_SCHEMA)

    def _parquet(self, name: str, columns: Sequence[str] | None = None, **how: Any) -> pa.Table:
        return read_parquet(self._with_columns(name, columns), columns, **how)

    def _batches(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        return stream_parquet(self._with_columns(name, columns), BATCH, columns)

    def _with_columns(self, name: str, columns: Sequence[str] | None) -> list[str]:
        """Return the addresses of the files of a table that has these columns."""
        files = self._table(name)
        with open_uri(files[0]) as file:
            known = pq.read_schema(file).names
        if unknown := [one for one in columns or () if one not in known]:
            raise ValueError(f"column {unknown[0]!r}: one of {', '.join(known)}")
        return files

    def result(self, name: str, stage: str = "merge") -> str:
        """Return the address of a file of results; errors as `_table`."""
        return self._table(name, stage)[0]

    def _table(self, name: str, stage: str = "merge") -> list[str]:
        """Return the addresses of the files of a table of results, in the order of its rows.

        Raises:
            Failure: there is none, or it has changed since it was made.
        """
        missing = f"no {name}; run the pipeline first, to its end"
        if stage == "duplicates":
            missing = "nobody has looked for duplicates; `mapsight duplicates` does"
        self._workspace.required(stage, missing)
        files = self._workspace.sound_table(stage, name)
        if not files:
            raise Failure(f"{self._workspace.location}: {missing}")
        return files


def _with_label(batches: Iterable[pa.RecordBatch], label: str) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        some = batch.filter(pc.equal(batch.column("label"), label))
        if some.num_rows:
            yield some
