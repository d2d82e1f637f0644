"""The pictures that are measured, as one Parquet file."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.features.decode import PictureError, decode
from mapsight.features.keras_build import SUFFIXES

__all__ = ["usable", "write_pictures"]

GROUPS, GROUP_ROWS = 8, 128
SCHEMA = pa.schema([pa.field("image_id", pa.string()), pa.field("image", pa.binary())])


def usable(folder: Path) -> list[Path]:
    """The loose pictures of a folder by name, without those that do not decode.

    The other programs end at the first such picture, so none is compared on it.

    Raises:
        ValueError: there is none.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    decodable = [path for path in found if _decodes(path)]
    if not decodable:
        raise ValueError(f"{folder}: no pictures, expected some ({', '.join(sorted(SUFFIXES))})")
    return decodable


def _decodes(path: Path) -> bool:
    try:
        decode(path.read_bytes())
    except PictureError:
        return False
    return True


def write_pictures(files: Sequence[Path], count: int, target: Path) -> Path:
    """`count` pictures as Parquet, taken again under new ids when there are fewer.

    Row groups are an eighth of them each, at most 128. The id is the number of
    the row in 16 hexadecimal digits.
    """
    rows = min(GROUP_ROWS, -(-count // GROUPS))
    numbered = enumerate(itertools.islice(itertools.cycle(files), count))
    with pq.ParquetWriter(target, SCHEMA, compression="none", write_page_checksum=True) as out:
        while group := list(itertools.islice(numbered, rows)):
            images = [path.read_bytes() for _, path in group]
            ids = [f"{number:016x}" for number, _ in group]
            out.write_table(pa.table([ids, images], schema=SCHEMA))
    return target
