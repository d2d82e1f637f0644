"""A part of a table, written by a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from mapsight.records import is_picture
from mapsight.results.parquet_tables import TableWriter
from mapsight.results.predictions import (
    PREDICTION_SCHEMA,
    RANKING_SCHEMA,
    prediction_row,
    ranking_row,
)
from mapsight.results.table_parts import PREDICTIONS, RANKING, PartsPlan
from mapsight.storage.new_file import new_file

__all__ = ["write_part"]

KINDS: Mapping[str, tuple[pa.Schema, Callable[..., dict[str, Any]]]] = {
    PREDICTIONS: (PREDICTION_SCHEMA, prediction_row),
    RANKING: (RANKING_SCHEMA, ranking_row),
}


def write_part(
    folder: str, part: tuple[str, str], entries: Iterable[tuple[Any, Any]], plan: PartsPlan
) -> Iterator[tuple[list[Any], Any]]:
    """Write the entries of a part, which are sorted, to a file with a name of its own.

    Args:
        folder: folder or URI; the file is in a folder of it that is called as the table.

    Yields:
        ([table, part, key], record) of what the driver wants to see, then ([table, part],
        {"file": name, "rows": number}). Memory: 4,096 rows.
    """
    table, number = part
    schema, row_of = KINDS[table]
    name, file = new_file(f"{folder}/{table}", f"part-{number}", ".parquet")
    writer = TableWriter(file, schema)
    for key, record in entries:
        if is_picture(record):
            writer.add(row_of(key, record))
        if plan.is_wanted(key, record):
            yield [table, number, key], record
    writer.close()
    file.close()
    yield [table, number], {"file": name, "rows": writer.rows}
