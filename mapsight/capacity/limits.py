"""What grows past what one machine or one query should bear, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from mapsight.capacity.estimate import Estimate
from mapsight.capacity.job_costs import Figures
from mapsight.index.lesson import MAX_CELLS, cells_for

__all__ = ["limits"]

DRIVER_BYTES = 4e9
MERGE_SHARE = 0.1
QUERY_BYTES = 1e9


def limits(found: Estimate, figures: Figures) -> Iterator[str]:
    """Yield a line for each, the first to be met first; none where all is well."""
    demand = found.demand
    listed = demand.images * figures["plan.listing.bytes"] if demand.loose else 0
    if listed > DRIVER_BYTES:
        yield (
            f"the driver holds the list of loose files of a folder, {listed / 1e9:,.0f} GB here:"
            " give Parquet, tar archives or lists of URLs"
        )
    merge = next(stage for stage in found.stages if stage.name == "merge")
    share = merge.seconds / found.total.seconds
    if not merge.maps and share > MERGE_SHARE:
        yield f"merge writes the tables on one core while the cluster waits: {share:.0%} of all"
    one = found.searches[0] if found.searches else None
    if one and one.stored > QUERY_BYTES and cells_for(demand.images) == MAX_CELLS:
        each = demand.images / MAX_CELLS
        yield (
            f"there are {MAX_CELLS:,} cells at most, so that each has {each:,.0f} pictures and a"
            f" query reads {one.stored / 1e9:,.1f} GB"
        )
