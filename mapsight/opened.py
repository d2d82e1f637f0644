"""A workspace as a notebook or a service opens it: tables, features, pictures and searches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from mapsight.browse.browser import Browser
from mapsight.browse.cell_map import open_map
from mapsight.browse.columns import open_columns
from mapsight.browse.filters import Filters
from mapsight.browse.selection import Selection
from mapsight.browse.sources import Sources
from mapsight.index.collection import collection_of, has_index, require_index
from mapsight.index.copies import Copies
from mapsight.index.export import unit_rows
from mapsight.index.pictures import PartPictures
from mapsight.index.rows import whole_vectors
from mapsight.labels.made_with import targets_of
from mapsight.opened_tables import ResultTables
from mapsight.records import OTHER, is_picture
from mapsight.results.predictions import find_records
from mapsight.results.sorted_part import find_sorted
from mapsight.search.by_scan import Scanner
from mapsight.search.choices import BY
from mapsight.search.index_queries import REMOVED
from mapsight.search.search_index import SearchIndex
from mapsight.search.searcher import Query, Searcher
from mapsight.workspace.workspace import Workspace, is_current

__all__ = ["OpenedWorkspace"]


class OpenedWorkspace(ResultTables):
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
        self.location, self._copy = os.fspath(location), copy
        super().__init__(Workspace(self.location))
        self._workspace.require_workspace()

    def __repr__(self) -> str:
        return f"mapsight.open({self.location!r})"

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
            raise ValueError(f"{image_id}: its file is gone, or has changed")
        return data

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

    @cached_property
    def searcher(self) -> Searcher:
        """Return what answers queries, from a copy of the index on this machine."""
        return Searcher(self._workspace, self._copy)

    @cached_property
    def scanner(self) -> Scanner:
        """Return what answers queries by reading the records of all pictures."""
        return Scanner(self._workspace)

    @cached_property
    def browser(self) -> Browser:
        """Return what filters, sorts and counts all pictures, from columns on this machine.

        They are made at first use, which is said on standard error. Any number of threads.
        """
        index = self._index if has_index(self._workspace) else None
        collection = index.collection if index else collection_of(self._workspace)
        sources = Sources(self._workspace, index, collection)
        copies = Copies(self._workspace, self._copy, sys.stderr.write)
        draw = partial(open_map, index, copies) if index else None
        return Browser(open_columns(sources, copies), self._labels(), draw)

    def _labels(self) -> list[str]:
        classified = self._workspace.committed("classify")
        return [*targets_of(classified), OTHER] if classified else [OTHER]

    def select(self, sort: str = "image_id", **filters: Any) -> Selection:
        """Return the pictures that fit filters, in an order.

        Args:
            sort: a measure or image_id, with a minus in front for the highest first.
            filters: as `mapsight.browse.filters.Filters` has them (docs/browse.md).

        Raises:
            ValueError: a filter or the sort is not allowed.
        """
        return self.browser.select(Filters.of(**filters), sort)

    def search(self, query: Query, top_k: int = 10, **options: Any) -> list[dict[str, Any]]:
        """Return the pictures most like one, best first; options as `search_many` has them."""
        return self.search_many([query], top_k, **options)[0]

    def search_many(
        self,
        queries: Sequence[Query],
        top_k: int = 10,
        *,
        by: str | None = None,
        head: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> list[list[dict[str, Any]]]:
        """Return the answers to each query: what `mapsight search --format json` writes.

        By the index a query takes milliseconds. By features and by label no job is run either:
        each call reads all features (4 kB a picture) or predictions (1 kB) in this process, and
        twice where a query is an id. `mapsight search -r` does that on many cores.

        Args:
            queries: each a path, a URL, an image_id, by the index also the name of a label, or
                but by label a vector.
            top_k: how many, 1 to 10,000.
            by: index, features or label; None for index if there is one and no `head` is named,
                else features.
            head: file of a head that labels pictures; None for the workspace's own.
            options: as the command has them, with underscores (docs/python.md): those of
                `Searcher.search_many`, or by features and label those of `Scanner.search_many`.

        Returns:
            A list for each query; with `mean=True` one for all of them.

        Raises:
            ValueError: a query cannot be answered, or an option is not allowed.
            Failure: there is no index, or no pictures have been classified.
        """
        if by not in (None, *BY):
            raise ValueError(f"by {by!r}: one of {', '.join(BY)}, or None")
        if by == "index" and head is not None:
            raise ValueError("head needs by='features': the index keeps its own labels")
        if by == "index" or (by is None and head is None and has_index(self._workspace)):
            return self.searcher.search_many(queries, top_k, **options)
        by = by or "features"
        return self.scanner.search_many(queries, top_k, by=by, head=head, **options)
