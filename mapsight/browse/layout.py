"""The columns of a state of a workspace, and the files that keep them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapsight.records import COPY_KINDS

__all__ = [
    "BINS",
    "CODES",
    "COLUMN",
    "COLUMNS",
    "DUPLICATE_KINDS",
    "FACTS",
    "FORM",
    "IDS",
    "MILLIONTHS",
    "NAME_ROWS",
    "NO_CELL",
    "NO_PLACE",
    "REALS",
    "TEXTS",
    "TEXT_ROWS",
    "TRUTH_MARK",
    "WHOLES",
    "Part",
]

FORM = 3
"""Of what is kept; another form is another state."""
REALS = ("score", "ppi", "sharpness", "entropy", "gradient", "top_probability")
"""float64, NaN where not known."""
WHOLES = ("width", "height", "bytes", "quality", "flags")
"""uint32, 0 where not known. Flags have a bit each, beside LOOKED (mapsight/labels/flags.py);
quality, which has six decimals, is in MILLIONTHS, and one more."""
MILLIONTHS = 1_000_000
CODES = (
    *("label", "style", "format", "license", "subset", "split", "author", "top_label"),
    "truth",
)
"""Numbers of names, in their order, from 1; 0 where not known. As many bytes as are needed."""
TEXTS = ("source", "original_url", "title", "caption")
"""Texts that are not filtered by: Arrow batches in the order in which they were read."""
TRUTH_MARK = "\x1f"
"""Between the labels of a set that people verified: a set is one name."""
DUPLICATE_KINDS = (None, "keeper", *COPY_KINDS)
BINS = ("ppi", "sharpness", "pixels", "score")
"""Measures that are counted in bins, whose edges are quantiles."""
NO_CELL, NO_PLACE = 0xFFFF, 0xFFFF_FFFF
COLUMNS = {
    **dict.fromkeys(REALS, np.float64),
    **dict.fromkeys(WHOLES, np.uint32),
    **{f"{name}_bin": np.uint8 for name in BINS},
    **{f"{name}_edges": np.float64 for name in BINS},
    "cell": np.uint16,
    "part": np.uint16,
    "place": np.uint32,
    "duplicate": np.uint8,
    "keeper": np.uint32,
    "disputed": np.uint8,
    "text_starts": np.uint64,
    "id_offsets": np.int64,
}
"""Kinds of numbers by column; `keeper` is a row, NO_PLACE where there is none."""
IDS, TEXT_ROWS, COLUMN, NAME_ROWS = "ids.column", "texts.arrow", "{}.column", "{}_names.arrow"

FACTS = pa.schema(
    [
        ("image_id", pa.large_string()),
        *((name, pa.string()) for name in CODES if name != "truth"),
        ("truth", pa.list_(pa.string())),
        *((name, pa.float64()) for name in REALS),
        *((name, pa.int64()) for name in WHOLES[:3]),
        *((name, pa.int32()) for name in WHOLES[3:]),
        *((name, pa.string()) for name in TEXTS),
    ]
)
"""What is read of each picture, of predictions or of records."""


@dataclass(frozen=True)
class Part:
    """Pictures of a part of an index: ids, and the cell of each (uint16, NO_CELL without one).

    `odd` says which are odd for their label (bool).
    """

    number: int
    ids: pa.Array
    cells: np.ndarray
    odd: np.ndarray
