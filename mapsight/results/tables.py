"""Tables of results that are CSV, read with the types of their columns."""

from __future__ import annotations

import pyarrow as pa

from mapsight.storage.uri import open_uri

__all__ = [
    "ACCURACY_SCHEMA",
    "DUPLICATES_SCHEMA",
    "LABELS_SCHEMA",
    "REJECTED_SCHEMA",
    "read_csv_table",
]

ACCURACY_SCHEMA = pa.schema(
    [
        ("label", pa.string()),
        *((name, pa.int64()) for name in ("n", "correct")),
        *((name, pa.float64()) for name in ("accuracy", "low", "high")),
    ]
)
DUPLICATES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("keeper", "image_id", "kind")),
        ("distance", pa.int64()),
        *((name, pa.float64()) for name in ("cosine", "ppi")),
        *((name, pa.int32()) for name in ("width", "height")),
        ("bytes", pa.int64()),
        *((name, pa.string()) for name in ("source", "kept_because")),
    ]
)
LABELS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("label", "mid")),
        ("pictures", pa.int64()),
        ("share", pa.float64()),
    ]
)
REJECTED_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("image_id", "source", "error", "detail")]
)


def read_csv_table(uri: str, schema: pa.Schema) -> pa.Table:
    """Return a CSV file that `write_csv` wrote; cells have the apostrophes that it put in.

    Raises:
        ValueError: a cell is not of its column's type.
    """
    from pyarrow import csv

    with open_uri(uri) as file:
        table = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=schema))
    return table.select(schema.names)
