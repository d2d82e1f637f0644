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

from mapsight.records import PROVENANCE, is_picture
from mapsight.results.parquet_tables import TableWriter
from mapsight.storage.uri import open_uri
from mapsight.text import csv_safe

__all__ = [
    "GZIP",
    "PREDICTION_SCHEMA",
    "RANKING_SCHEMA",
    "find_records",
    "lines_of",
    "merged_records",
    "prediction_row",
    "ranking_row",
    "records_of",
    "top_rows",
    "write_csv",
    "write_predictions",
    "write_ranking",
    "write_rejections",
]

Records = Iterable[tuple[str, Mapping[str, Any]]]
"""Predictions by image_id."""
Ranks = Iterable[tuple[Sequence[str], Mapping[str, Any]]]
"""Pictures by [group, rank]."""

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
        ("brightness", pa.float64()),
        ("contrast", pa.float64()),
        ("crispness", pa.float64()),
        ("quality", pa.float64()),
        ("flags", pa.list_(pa.string())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("frames", pa.int32()),
        ("frame", pa.int32()),
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


def write_predictions(records: Records, folder: Path) -> tuple[int, int]:
    """Write predictions.parquet and what `write_rejections` does; return the rows of both tables.

    Args:
        records: merged predictions.
    """
    table = TableWriter(folder / "predictions.parquet", PREDICTION_SCHEMA)
    rejected = write_rejections(_rows_taken(records, table), folder)
    table.close()
    return table.rows, rejected


def _rows_taken(records: Records, table: TableWriter) -> Records:
    """Add pictures that could be used to a table, and yield the other records."""
    for image_id, record in records:
        if is_picture(record):
            table.add(prediction_row(image_id, record))
        else:
            yield image_id, record


def prediction_row(image_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a picture in predictions.parquet."""
    return {"image_id": image_id, **record}


def write_rejections(records: Records, folder: Path) -> int:
    """Write rejected.csv from the records with an error; return its rows.

    What is on one side only, annotations or pictures, goes to orphans.csv.
    """
    names = ("image_id", "source", "error", "detail")
    with (folder / "orphans.csv").open("w", encoding="utf-8", newline="") as file:
        orphans = csv.writer(file, lineterminator="\n")
        orphans.writerow(["image_id", "orphan"])

        def rejected() -> Iterator[dict[str, Any]]:
            for image_id, record in records:
                if "error" in record:
                    yield {"image_id": image_id, **record}
                elif "orphan" in record:
                    orphans.writerow([csv_safe(image_id), record["orphan"]])

        return write_csv(folder / "rejected.csv", names, rejected())


def write_ranking(records: Ranks, path: Path, top: int) -> dict[str, list[dict[str, Any]]]:
    """Write ranking.parquet from merged ranks; return the first `top` rows of each group."""
    table = TableWriter(path, RANKING_SCHEMA)
    sheets = top_rows(_ranks_taken(records, table), top)
    table.close()
    return sheets


def _ranks_taken(records: Ranks, table: TableWriter) -> Ranks:
    for key, record in records:
        table.add(ranking_row(key, record))
        yield key, record


def ranking_row(key: Sequence[str], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a [group, rank] in ranking.parquet."""
    group, rank = key
    return {**record, "rank": int(rank), "label": group}


def top_rows(records: Ranks, top: int) -> dict[str, list[dict[str, Any]]]:
    """Return by group the first rows of each, `top` or fewer, for its contact sheet."""
    sheets: dict[str, list[dict[str, Any]]] = {}
    for group, ranks in itertools.groupby(records, key=lambda record: record[0][0]):
        sheet = sheets.setdefault(group, [])
        for (_, rank), record in ranks:
            if len(sheet) < top:
                sheet.append({**record, "rank": int(rank)})
    return sheets
