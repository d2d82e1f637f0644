"""The pictures of a workspace: where they are, their bytes and their features."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mapsight.index.collection import has_index, require_index
from mapsight.index.export import unit_rows
from mapsight.index.pictures import GONE, PartPictures
from mapsight.index.rows import whole_vectors
from mapsight.opened_tables import ResultTables
from mapsight.records import is_picture
from mapsight.results.predictions import find_records
from mapsight.results.sorted_part import find_sorted
from mapsight.search.index_queries import REMOVED
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.workspace import Workspace, is_current

__all__ = ["OpenedPictures"]


class OpenedPictures(ResultTables):
    """Features, bytes and records of pictures, from the index where there is one.

    Args:
        location: folder or URI of the workspace.

    Raises:
        Failure: there is no workspace.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        self.location = os.fspath(location)
        super().__init__(Workspace(self.location))
        self._workspace.require_workspace()

    def close(self) -> None:
        """Take temporary files away."""
        self._workspace.close()

    @cached_property
    def _index(self) -> SearchIndex:
        require_index(self._workspace)
        return SearchIndex(self._workspace)

    def features(
        self, ids: Sequence[str] | None = None, *, kind: str | None = None
    ) -> tuple[list[str], np.ndarray]:
        """Return (ids, vectors): (n, d) float32 of unit length, or zeros.

        Memory: all that is returned; `feature_batches` gives it in pieces.

        Args:
            ids: of pictures of the index, in any order; None for all, cell by cell.
            kind: new (with label scores), plain (the embedding alone), or None for what the
                index has.

        Raises:
            ValueError: an id is not in the index, or there are no features of this kind.
            Failure: there is no index.
        """
        d = self._length(kind)
        if ids is None:
            return self._all_features(kind, d)
        wanted = list(ids)
        rows = self._index.rows_of(wanted)
        if missing := [name for name in wanted if name not in rows]:
            raise ValueError(f"{missing[0]}: {self._why_none(missing[0])}")
        x = np.zeros((len(wanted), self._index.facts.d), np.int16)
        for place, name in enumerate(wanted):
            x[place] = rows[name]["vector"]
        return wanted, unit_rows(x[:, :d])

    def _all_features(self, kind: str | None, d: int) -> tuple[list[str], np.ndarray]:
        """Return those of all pictures. Memory: no more, so batches go where they will stay."""
        names: list[str] = []
        x = np.empty((sum(part.rows for part in self._index.parts), d), np.float32)
        for some, vectors in self.feature_batches(kind=kind):
            x[len(names) : len(names) + len(some)] = vectors
            names += some
        return names, x[: len(names)]  # fewer where some were removed

    def feature_batches(self, *, kind: str | None = None) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield (ids, vectors) as `features` gives them, 2,048 pictures or fewer at a time."""
        d = self._length(kind)
        for _, batch in self._index.batches(self._index.every_block()):
            yield batch.column("image_id").to_pylist(), unit_rows(whole_vectors(batch)[:, :d])

    def _length(self, kind: str | None) -> int:
        lengths = self._index.features()
        if kind is not None and kind not in lengths:
            raise ValueError(f"kind {kind!r}: the index has {', '.join(lengths)}")
        return lengths[kind or next(iter(lengths))]

    def picture(self, image_id: str) -> bytes:
        """Return the encoded picture, as it was read.

        Its place is looked up in the index; without one in the predictions, which are sorted by
        id: some 20 short reads of each part, but of the compressed parts of a cluster all up to
        the id. If a later run stopped before it had made these, all features are read.

        Raises:
            ValueError: the workspace has no such picture, or not any more.
        """
        record = self.record(image_id)
        if record is None:
            raise ValueError(f"{image_id}: {self._why_none(image_id)}")
        data = self._pictures.data(record)
        if data is None:
            raise ValueError(f"{image_id}: {GONE}")
        return data

    def pictures(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (image_id, encoded picture) of some pictures, those whose file is there still.

        Files are read one after the other, each once; without an index all predictions are read.
        """
        if has_index(self._workspace):
            records = [{**row, "image_id": one} for one, row in self._index.rows_of(ids).items()]
        else:
            parts = self._predicted or self._workspace.sound_parts("extract")
            records = [{**row, "image_id": one} for one, row in find_records(parts, set(ids))]
        for number, data in self._pictures.each(records):
            yield records[number]["image_id"], data

    def _why_none(self, image_id: str) -> str:
        """Return why the index, or the workspace without one, has no picture of an id."""
        if not has_index(self._workspace):
            return "no picture with this image_id"
        gone = self._index.removed.before([image_id])[0] > 0
        return REMOVED if gone else "no picture with this image_id in the index"

    def thumbnail(self, image_id: str, side: int = 240) -> bytes:
        """Return a small JPEG of a picture, `side` pixels at most; errors as `picture`."""
        from mapsight.features.thumbnails import thumbnail

        small = thumbnail(self.picture(image_id), side)
        if small is None:
            raise ValueError(f"{image_id}: cannot be decoded")
        return small

    @cached_property
    def _pictures(self) -> PartPictures:
        indexed = has_index(self._workspace)
        return PartPictures(self._index.collection.parts if indexed else {0: self._workspace})

    def record(self, image_id: str) -> dict[str, Any] | None:
        """Return what the index says of a picture, or else predictions, or else features.

        That is where it is (`shard`, `row`, `part`), its `sha256` and more; None if there is no
        such picture.
        """
        if has_index(self._workspace):
            return self._index.rows_of([image_id]).get(image_id)
        if self._predicted is not None:
            records = [r for part in self._predicted for r in find_sorted(part, image_id)]
        else:
            parts = self._workspace.sound_parts("extract")
            records = [record for _, record in find_records(parts, {image_id})]
        return next(filter(is_picture, records), None)

    @cached_property
    def _predicted(self) -> list[str] | None:
        """Return the parts of the predictions of all pictures; None where there are none."""
        classified = self._workspace.committed("classify")
        if classified is None or not is_current(self._workspace, classified):
            return None
        return self._workspace.sound_parts("classify")
