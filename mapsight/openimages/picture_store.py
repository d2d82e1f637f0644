"""A folder of Parquet shards that hold pictures and nothing else, filled from fetched shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs.fetch_shards import document_of
from mapsight.inputs.pack import write_shard
from mapsight.inputs.shards import read_images
from mapsight.openimages.sampling import numbers_of
from mapsight.records import Split
from mapsight.storage.uri import open_uri, resolve

__all__ = ["Lost", "lost_in", "move_pictures", "stored_ids"]


@dataclass(frozen=True)
class Lost:
    """A URL that gave no picture."""

    image_id: str
    subset: str
    url: str
    error: str
    detail: str


def stored_ids(folder: str) -> np.ndarray:
    """Return the (n,) uint64 ids of the pictures in a folder's shards, in order of the shards.

    Raises:
        ValueError: a shard cannot be read; the message names it.
    """
    found = [np.empty(0, np.uint64)]
    for shard in _shards(folder):
        try:
            with open_uri(shard) as handle:
                column = pq.ParquetFile(handle).read(columns=["image_id"])["image_id"]
        except (OSError, KeyError, pa.ArrowException) as error:
            raise ValueError(f"{shard}: cannot be read ({error}); remove it, run again") from error
        found += [numbers_of(chunk.cast(pa.binary()))[0] for chunk in column.chunks]
    return np.concatenate(found)


def _shards(folder: str) -> list[str]:
    file_system, path = resolve(folder)
    try:
        names = [name.rstrip("/").rsplit("/", 1)[-1] for name in file_system.ls(path, detail=False)]
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in sorted(names) if name.endswith(".parquet")]


def lost_in(shard: str) -> list[Lost]:
    """Return the rows of a fetched shard that have no picture. Memory: the texts of its rows."""
    columns = ["image_id", "subset", "source", "error", "detail"]
    with open_uri(shard) as handle:
        rows = pq.ParquetFile(handle).read(columns=columns).to_pylist()
    return [
        Lost(row["image_id"], row["subset"], row["source"], row["error"], row["detail"])
        for row in rows
        if row["error"]
    ]


def move_pictures(split: Split, lost: int, folder: str) -> None:
    """Put the pictures of a fetched shard into a folder, under a name that its bytes decide.

    A shard with nothing but pictures is moved as it is; of another the pictures are
    copied first. It appears whole, and doing it again changes nothing.

    Args:
        split: of the whole shard.
        lost: how many of its rows have no picture.
    """
    if lost == split.rows:
        return
    file_system, path = resolve(split.uri)
    if lost:
        kept = f"{split.uri.removesuffix('.parquet')}-kept.parquet"
        _, sha256 = write_shard(_pictures(split), kept, 0)
        path = resolve(kept)[1]
    else:
        sha256 = json.loads(file_system.cat_file(document_of(path)))["sha256"]
    target = resolve(folder)[1]
    file_system.makedirs(target, exist_ok=True)
    name = f"{target.rstrip('/')}/{sha256[:16]}.parquet"
    if not file_system.exists(name):
        file_system.mv(path, name)


def _pictures(split: Split) -> Iterator[dict[str, Any]]:
    for image in read_images(split):
        if image.error is None:
            known = {"image_id": image.image_id, "image": image.data, "source": image.source}
            yield {**known, **image.provenance}
