"""A workspace as a notebook or a service opens it: tables, features, pictures and searches."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import pyarrow as pa

from mapsight.browse.browser import Browser
from mapsight.browse.cell_map import open_map
from mapsight.browse.columns import open_columns
from mapsight.browse.filters import Filters
from mapsight.browse.selection import Selection, check_sort
from mapsight.browse.sources import Sources
from mapsight.choose.choice import Choice, choose
from mapsight.choose.here import spread_here
from mapsight.index.collection import collection_of, has_index
from mapsight.index.copies import Copies
from mapsight.labels.made_with import targets_of
from mapsight.opened_pictures import OpenedPictures
from mapsight.records import OTHER
from mapsight.search.by_scan import Scanner
from mapsight.search.choices import BY
from mapsight.search.searcher import Query, Searcher

__all__ = ["OpenedWorkspace"]


class OpenedWorkspace(OpenedPictures):
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
        super().__init__(location)
        self._copy = copy

    def __repr__(self) -> str:
        return f"mapsight.open({self.location!r})"

    @cached_property
    def searcher(self) -> Searcher:
        """Return what answers queries, from a copy of the index on this machine."""
        return Searcher(self._workspace, self._copy)

    def _is_searchable(self) -> bool:
        return "searcher" in vars(self) or has_index(self._workspace)

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

    def choose(
        self,
        count: int,
        *,
        balance: Sequence[str] = (),
        diverse: bool = False,
        near_model: bool = False,
        seed: int = 0,
        sort: str = "image_id",
        **filters: Any,
    ) -> Selection:
        """Return a subset of the pictures that fit filters, in an order.

        `mapsight select --count` chooses the same ones, by a job; here all is read in this process.

        Args:
            count, balance, diverse, near_model, seed: as `mapsight.choose.choice.Choice` has them.
            sort, filters: as `select` has them.

        Raises:
            ValueError: one of them is not allowed.
            Failure: `diverse` needs an index, and there is none.
        """
        choice = Choice(count, tuple(balance), diverse, near_model, seed)
        rows = self.browser.select(Filters.of(**filters)).rows

        def spread(table: pa.Table, quotas: Sequence[int], sizes: Sequence[int]) -> Any:
            return spread_here(self._index, table, quotas, sizes, seed)

        return choose(self.browser.columns, rows, choice, check_sort(sort), spread).selection

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
            queries: each a path, a URL, an image_id, by the index also the name of a label or
                words ("big cat -tiger"), or but by label a vector.
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
        if by == "index" or (by is None and head is None and self._is_searchable()):
            return self.searcher.search_many(queries, top_k, **options)
        by = by or "features"
        return self.scanner.search_many(queries, top_k, by=by, head=head, **options)
