"""A workspace as a notebook or a service opens it: tables, features, pictures and searches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.errors import Failure
from mapsight.index.collection import has_index, require_index
from mapsight.index.export import unit_rows
from mapsight.index.pictures import PartPictures
from mapsight.index.rows import whole_vectors
from mapsight.results.predictions import records_of
from mapsight.results.tables import (
    ACCURACY_SCHEMA,
    DUPLICATES_SCHEMA,
    REJECTED_SCHEMA,
    read_csv_table,
)
from mapsight.search.search_index import SearchIndex
from mapsight.search.searcher import Query, Searcher
from mapsight.storage.uri import open_uri
from mapsight.workspace.workspace import Workspace

__all__ = ["OpenedWorkspace"]


class OpenedWorkspace:
    """What a pipeline has made of a collection; nothing here changes it.

    Tables are as the files of `results/` (docs/results.md). The index is opened with the first
    call that needs it, and stays as it was then. One thread at a time.

    Args:
        location: folder or URI (hdfs://…, s3://…) of the workspace.
        copy: folder for the copy that searches make of the index; None takes the usual one.

    Raises:
        Failure: there is no workspace.
    """

    def __init__(self, location: str | os.PathLike[str], copy: str | None = None) -> None:
        self.location = os.fspath(location)
        self._workspace, self._copy = Workspace(self.location), copy
        self._workspace.require_workspace()

    def __repr__(self) -> str:
        return f"mapsight.open({self.location!r})"

    @property
    def summary(self) -> dict[str, Any]:
        """Return what summary.json says of the last run that came to its end.

        Raises:
            Failure: no run has, or the file has changed.
        """
        with open_uri(self._result("summary.json")) as file:
            return json.load(file)

    def predictions(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a row for each picture that could be used; some columns, or all.

        Raises:
            ValueError: there is no such column.
        """
        return self._parquet("predictions.parquet", columns=columns)

    def ranking(self, label: str | None = None) -> pa.Table:
        """Return the places of pictures in the rankings: of a label, or of all ("*" is overall)."""
        filters = None if label is None else [("label", "=", label)]
        return self._parquet("ranking.parquet", filters=filters)

    def rejected(self) -> pa.Table:
        """Return the pictures that could not be used, and why."""
        return read_csv_table(self._result("rejected.csv"), REJECTED_SCHEMA)

    def accuracy(self) -> pa.Table:
        """Return for each label how many verified pictures it was right for; none without such."""
        self._workspace.required("merge")
        if not self._workspace.sound_parts("merge", "/accuracy.csv"):
            return ACCURACY_SCHEMA.empty_table()
        return read_csv_table(self._result("accuracy.csv"), ACCURACY_SCHEMA)

    def duplicates(self) -> pa.Table:
        """Return the pictures of each group of duplicates, the one to be kept first.

        Raises:
            Failure: nobody has looked for them.
        """
        return read_csv_table(self._result("duplicates.csv", "duplicates"), DUPLICATES_SCHEMA)

    def _parquet(self, name: str, **how: Any) -> pa.Table:
        with open_uri(self._result(name)) as file:
            known = pq.read_schema(file).names
            if unknown := [one for one in how.get("columns") or () if one not in known]:
                raise ValueError(f"column {unknown[0]!r}: one of {', '.join(known)}")
            return pq.read_table(file, page_checksum_verification=True, **how)

    def _result(self, name: str, stage: str = "merge") -> str:
        """Return the address of a file of results.

        Raises:
            Failure: there is none, or it has changed since it was made.
        """
        missing = f"no {name}; run the pipeline first, to its end"
        if stage == "duplicates":
            missing = "nobody has looked for duplicates; `mapsight duplicates` does"
        self._workspace.required(stage, missing)
        files = self._workspace.sound_parts(stage, f"/{name}")
        if not files:
            raise Failure(f"{self.location}: {missing}")
        return files[0]

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
            raise ValueError(f"{missing[0]}: no picture with this image_id in the index")
        x = np.zeros((len(wanted), int(self._index.facts["d"])), np.int16)
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

        Raises:
            ValueError: the workspace has no such picture, or not any more.
        """
        record = self._record(image_id)
        data = self._pictures.data(record) if record else None
        if data is None:
            why = "its file is gone, or has changed" if record else "no picture with this image_id"
            raise ValueError(f"{image_id}: {why}")
        return data

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

    def _record(self, image_id: str) -> dict[str, Any] | None:
        """Find where a picture is: in the index, else among all features."""
        if has_index(self._workspace):
            return self._index.rows_of([image_id]).get(image_id)
        features = records_of(self._workspace.sound_parts("extract"))
        return next((r for key, r in features if key == image_id and "error" not in r), None)

    @cached_property
    def searcher(self) -> Searcher:
        """Return what answers queries, from a copy of the index on this machine."""
        return Searcher(self._workspace, self._copy)

    def search(self, query: Query, top_k: int = 10, **options: Any) -> list[dict[str, Any]]:
        """Return the pictures most like one: `Searcher.search`, with the command's options.

        Args:
            query: a path, a URL, an image_id, the name of a label, or a vector.
            top_k: how many, 1 to 10,000.
            options: as `mapsight search` has them, with underscores (docs/python.md).

        Raises:
            ValueError: the query cannot be answered, or an option is not allowed.
            Failure: there is no index.
        """
        return self.searcher.search(query, top_k, **options)

    def search_many(
        self, queries: Sequence[Query], top_k: int = 10, **options: Any
    ) -> list[list[dict[str, Any]]]:
        """Return the answers to each query; with `mean=True` one list for all of them."""
        return self.searcher.search_many(queries, top_k, **options)
