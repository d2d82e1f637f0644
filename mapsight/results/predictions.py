"""Result tables, merged from sorted parts as a stream."""

from __future__ import annotations

import contextlib
import csv
import gzip
import heapq
import itertools
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.records import PROVENANCE
from mapsight.storage.uri import open_uri
from mapsight.text import csv_safe

__all__ = [
    "GZIP",
    "PREDICTION_SCHEMA",
    "RANKING_SCHEMA",
    "TableWriter",
    "find_predictions",
    "find_records",
    "lines_of",
    "merged_records",
    "records_of",
    "write_csv",
    "write_predictions",
    "write_ranking",
]

BATCH = 4096
GZIP = ".gz"

PREDICTION_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("label", pa.string()),
        ("mid", pa.string()),
        ("score", pa.float64()),
        ("style", pa.string()),
        ("style_score", pa.float64()),
        ("model_label", pa.string()),
        ("split", pa.string()),
        ("top_wnid", pa.string()),
        ("top_mid", pa.string()),
        ("top_label", pa.string()),
        ("top_probability", pa.float64()),
        ("ppi", pa.float64()),
        ("pixels", pa.int64()),
        ("aspect", pa.float64()),
        ("bytes", pa.int64()),
        ("entropy", pa.float64()),
        ("gradient", pa.float64()),
        ("sharpness", pa.float64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("dhash", pa.string()),
        ("sha256", pa.string()),
        ("truth", pa.list_(pa.string())),
        ("source", pa.string()),
        *((name, pa.string()) for name in PROVENANCE),
    ]
)

RANKING_SCHEMA = pa.schema(
    [
        ("label", pa.string()),
        ("rank", pa.int64()),
        ("image_id", pa.string()),
        ("value", pa.float64()),
        ("ppi", pa.float64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("score", pa.float64()),
        ("source", pa.string()),
    ]
)


def merged_records(parts: Sequence[str]) -> Iterator[tuple[Any, Any]]:
    """Yield (key, value) of all parts in the order of their keys' bytes.

    Each part must be sorted by key, as reducers leave them. Memory: a line a part.
    """

    for key, value in heapq.merge(*map(lines_of, parts)):
        yield json.loads(key), json.loads(value)


def lines_of(uri: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of a part as they stand there, in JSON."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_uri(uri))
        if uri.endswith(GZIP):
            file = stack.enter_context(gzip.open(file))
        for line in file:
            key, _, value = line.partition(b"\t")
            yield key, value


def records_of(parts: Sequence[str]) -> Iterator[tuple[Any, Any]]:
    """Yield (key, value) of all parts, one part after the other."""
    for part in parts:
        yield from merged_records([part])


def find_records(parts: Sequence[str], keys: Container[Any]) -> list[tuple[Any, Any]]:
    """Return (key, value) of the records with some keys, in the order of their bytes.

    All parts are read, sorted or not. Memory: a line, and the records found.
    """
    lines = itertools.chain.from_iterable(map(lines_of, parts))
    found = sorted((key, value) for key, value in lines if json.loads(key) in keys)
    return [(json.loads(key), json.loads(value)) for key, value in found]


class TableWriter:
    """Writes rows to a Parquet file, BATCH rows in memory at a time."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._names = frozenset(schema.names)
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; fields that are not in the schema are left out."""
        self._rows.append({name: row[name] for name in self._names & row.keys()})
        if len(self._rows) == BATCH:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows = []

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as CSV (UTF-8, LF, cells safe for spreadsheets); the number of rows."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in names])
            written += 1
    return written


def _cell(value: Any) -> Any:
    return csv_safe(value) if isinstance(value, str) else value


def write_predictions(
    records: Iterable[tuple[str, Mapping[str, Any]]], folder: Path
) -> tuple[int, int]:
    """Write predictions.parquet and rejected.csv from merged predictions; return the rows of each.

    What is on one side only, annotations or pictures, goes to orphans.csv.
    """
    table = TableWriter(folder / "predictions.parquet", PREDICTION_SCHEMA)
    predicted = 0

    def rejected() -> Iterator[dict[str, Any]]:
        nonlocal predicted
        for image_id, record in records:
            if "error" in record:
                yield {"image_id": image_id, **record}
            elif "orphan" in record:
                orphans.writerow([csv_safe(image_id), record["orphan"]])
            else:
                table.add({"image_id": image_id, **record})
                predicted += 1

    names = ("image_id", "source", "error", "detail")
    with (folder / "orphans.csv").open("w", encoding="utf-8", newline="") as file:
        orphans = csv.writer(file, lineterminator="\n")
        orphans.writerow(["image_id", "orphan"])
        lost = write_csv(folder / "rejected.csv", names, rejected())
    table.close()
    return predicted, lost


def find_predictions(
    uri: str, image_ids: Iterable[str], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Find some columns of the rows of predictions.parquet with these ids, by image_id.

    The table is sorted by id, so that only the row groups in which they may lie
    are read. Memory: the rows found and a row group.
    """
    with open_uri(uri) as file:
        found = pq.read_table(
            file,
            columns=["image_id", *columns],
            filters=[("image_id", "in", sorted(set(image_ids)))],
            pre_buffer=False,
            page_checksum_verification=True,
        )
    return {row.pop("image_id"): row for row in found.to_pylist()}


def write_ranking(
    records: Iterable[tuple[Sequence[str], Mapping[str, Any]]], path: Path, top: int
) -> dict[str, list[dict[str, Any]]]:
    """Write ranking.parquet from merged ranks; return the first `top` rows of each group."""
    table = TableWriter(path, RANKING_SCHEMA)
    sheets: dict[str, list[dict[str, Any]]] = {}
    for group, ranks in itertools.groupby(records, key=lambda record: record[0][0]):
        sheet = sheets.setdefault(group, [])
        for (_, rank), record in ranks:
            row = {**record, "rank": int(rank)}
            if len(sheet) < top:
                sheet.append(row)
            table.add({**row, "label": group})
    table.close()
    return sheets
