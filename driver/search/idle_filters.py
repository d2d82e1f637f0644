"""What a search is told of filters on facts that nobody knows of a workspace's pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.parquet as pq

from driver.pipeline.pipeline import Pipeline
from driver.workspace.workspace import Workspace
from mapsight.search.credits import TABLE
from mapsight.search.options import SearchOptions
from mapsight.search.search_index import SearchIndex
from mapsight.storage.uri import open_uri

__all__ = ["idle_filters"]


def idle_filters(run: Pipeline, index: SearchIndex) -> Iterator[str]:
    """Yield a line for each such filter of the command line. Memory: the footer of a table."""
    options = run.options_of(SearchOptions)
    if options.style not in (None, "any") and not index.cells.styles:
        yield f"--style {options.style} has no effect: no style head was fitted in this workspace"
    for name in ("license", "subset"):
        if getattr(options, name) and not _is_known(run.workspace, index, name):
            yield f"--{name}: no picture of this workspace has a known {name}, so none matches"


def _is_known(workspace: Workspace, index: SearchIndex, column: str) -> bool:
    """Whether a picture may have a fact; of what was added nobody has counted."""
    if index.collection.additions or workspace.sound("merge") is None:
        return True
    return any(_may_hold(file, column) for file in workspace.sound_table("merge", TABLE))


def _may_hold(table: str, column: str) -> bool:
    """Return whether a file has values in a column, or does not say."""
    with open_uri(table) as file:
        footer = pq.ParquetFile(file).metadata
        place = footer.schema.names.index(column)
        chunks = [footer.row_group(i).column(place) for i in range(footer.num_row_groups)]
    return any(
        not (one.statistics and one.statistics.null_count == one.num_values) for one in chunks
    )
