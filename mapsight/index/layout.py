"""The files of a search index and their columns: what the stage `index` writes and readers open."""

from __future__ import annotations

import pyarrow as pa

__all__ = [
    "BLOCKS",
    "BLOCK_SCHEMA",
    "CELLS",
    "CELL_SCHEMA",
    "CENTRES",
    "FACTS",
    "IDS_PER_FILE",
    "KINDS",
    "LEARNED",
    "NEAREST",
    "PROJECTION",
]

KINDS = "kinds.json"
"""Mean and limit of each label, by which rows are odd for theirs (mapsight/index/oddness.py)."""
CENTRES, LEARNED, PROJECTION = "centres.npy", "learned.npy", "projection.npy"
"""Queries are compared with the first; where there are the others, rows are with these."""
BLOCKS, CELLS, FACTS, NEAREST = "blocks.parquet", "cells.parquet", "index.json", "nearest.json"
IDS_PER_FILE = 200_000
BLOCK_SCHEMA = pa.schema(
    [
        ("cell", pa.int32()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
        ("rows", pa.int64()),
        ("sha256", pa.string()),
    ]
)
_KIND = pa.struct([("label", pa.string()), ("style", pa.string()), ("rows", pa.int64())])
CELL_SCHEMA = pa.schema(
    [
        ("cell", pa.int32()),
        ("rows", pa.int64()),
        ("inertia", pa.decimal128(38)),
        ("kinds", pa.list_(_KIND)),
    ]
)
