"""Tables in Parquet, written as a stream; read as one file, or as parts in order."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.storage.uri import open_uri

__all__ = ["TableWriter", "find_predictions", "read_parquet", "stream_parquet"]

BATCH = 4096


class TableWriter:
    """Writes rows to a Parquet file, BATCH rows in memory at a time."""

    def __init__(self, target: Path | IO[bytes], schema: pa.Schema) -> None:
        """Args:
        target: a path, or a file open for writing, which stays open.
        """
        self.rows = 0
        self._schema = schema
        self._names = frozenset(schema.names)
        self._writer = pq.ParquetWriter(
            target, schema, compression="zstd", write_page_checksum=True
        )
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; fields that are not in the schema are left out."""
        self._rows.append({name: row[name] for name in self._names & row.keys()})
        if len(self._rows) == BATCH:
            self._flush()

    def _flush(self) -> None:
        self.rows += len(self._rows)
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows = []

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()


def read_parquet(
    files: Sequence[str], columns: Sequence[str] | None = None, **how: Any
) -> pa.Table:
    """Return some columns of a table, or all, from its files. Memory: what is returned.

    Args:
        how: more of `pyarrow.parquet.read_table`, as `filters`.
    """
    return pa.concat_tables([_read(file, columns, **how) for file in files])


def _read(uri: str, columns: Sequence[str] | None, **how: Any) -> pa.Table:
    with open_uri(uri) as file:
        return pq.read_table(file, columns=columns, page_checksum_verification=True, **how)


def stream_parquet(
    files: Sequence[str], rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a table, so many rows at a time or fewer. Memory: a row group, and a batch."""
    for uri in files:
        with open_uri(uri) as file:
            table = pq.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
            yield from table.iter_batches(rows, columns=columns)


def find_predictions(
    files: Sequence[str], image_ids: Iterable[str], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Find some columns of the rows of predictions.parquet with these ids, by image_id.

    The table is sorted by id, so that only the parts and row groups in which they may
    lie are read. Columns that an older table has not are left out. Memory: the rows found and a
    row group.
    """
    found: dict[str, dict[str, Any]] = {}
    for uri, ids in _by_file(files, set(image_ids)).items() if files else ():
        filters = [("image_id", "in", sorted(ids))]
        there = _names(uri)
        wanted = ["image_id", *(name for name in columns if name in there)]
        table = _read(uri, wanted, filters=filters, pre_buffer=False)
        found |= {row.pop("image_id"): row for row in table.to_pylist()}
    return found


def _names(uri: str) -> set[str]:
    with open_uri(uri) as file:
        return set(pq.read_schema(file).names)


def _by_file(files: Sequence[str], image_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return for each file the ids that may be in it: those from its first to the next one's."""
    first = lru_cache(None)(_first_id)
    ids: dict[str, list[str]] = defaultdict(list)
    for image_id in image_ids:
        after = bisect_right(files, json.dumps(image_id), lo=1, key=first)
        ids[files[after - 1]].append(image_id)
    return ids


def _first_id(uri: str) -> str:
    """Return the first id of a part as JSON, by whose bytes the table is sorted."""
    batch = next(stream_parquet([uri], 1, ["image_id"]))
    return json.dumps(batch.column("image_id")[0].as_py())
