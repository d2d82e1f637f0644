"""The forms in which the command plan shows its estimate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from driver.text_table import table_lines

if TYPE_CHECKING:
    from mapsight.capacity.estimate import Estimate
    from mapsight.capacity.job_costs import StageEstimate
    from mapsight.features.speed import Speed

__all__ = ["FIGURES", "as_json", "as_table"]

FIGURES = "figures.json"
"""What was measured, below driver/data."""
HEAD = ("stage", "maps", "reduces", "core-hours", "time", "shuffled", "stored")


def as_json(
    found: Estimate,
    price: float | None,
    share: float,
    watched: Sequence[str],
    here: Speed | None,
) -> str:
    """Return an estimate as a JSON document; arguments as for `as_table`."""
    document: dict[str, Any] = asdict(found)
    document |= {"uncertainty": share, "limits": list(watched)}
    document["speed_here"] = here and asdict(here)
    if price is not None:
        document |= {"price": price, "cost": found.cost(price)}
    return json.dumps(document, indent=1) + "\n"


def as_table(
    found: Estimate,
    price: float | None,
    share: float,
    watched: Sequence[str],
    here: Speed | None,
) -> str:
    """Return an estimate as a table with notes.

    Args:
        price: of a core for an hour, in any currency; None for no costs.
        share: the uncertainty of seconds and core-hours, 0 to 1.
        watched: sentences on limits that the run comes near.
        here: how fast int8 is on this machine, if that is known.
    """
    from mapsight.capacity.job_costs import StageEstimate

    rows = [HEAD, *map(_row, found.stages)]
    if found.start_seconds:
        start = StageEstimate("start", seconds=found.start_seconds)
        rows.insert(1, _row(start))
    rows.append(_row(found.total))
    notes = [*_notes(found, price, share), *(f"watch: {text}" for text in watched)]
    if here:
        notes.append(f"{here.sentence()}; estimates for int8 assume the same of the nodes")
    return (
        "\n".join(
            [_title(found), "", *table_lines(rows), "", *map(_search, found.searches), *notes]
        )
        + "\n"
    )


def _search(found: StageEstimate) -> str:
    """What a search by the index takes."""
    tasks = "1 task reads" if found.maps == 1 else f"{found.maps:,} tasks read"
    size = _bytes(found.stored)
    return f"{found.name} by the index, in one job: {_time(found.seconds)}, {tasks} {size}"


def _title(found: Estimate) -> str:
    demand = found.demand
    rows = f" and {demand.rows:,} rows of metadata" if demand.rows else ""
    return (
        f"{demand.images:,} pictures of {demand.picture_bytes:,} bytes{rows} with MobileNet"
        f" {demand.alpha}/{demand.resolution} {demand.precision}, -r {demand.runner} on"
        f" {demand.cores:,} cores"
    )


def _row(stage: StageEstimate) -> tuple[str, ...]:
    return (
        stage.name,
        f"{stage.maps:,}" if stage.maps else "",
        f"{stage.reduces:,}" if stage.reduces else "",
        f"{stage.core_seconds / 3600:,.2f}" if stage.core_seconds else "",
        _time(stage.seconds),
        _bytes(stage.shuffled),
        _bytes(stage.stored),
    )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:.0f} B" if number else ""


def _notes(found: Estimate, price: float | None, share: float) -> list[str]:
    total, (low, high) = found.total, (1 - share, 1 + share)
    spans = [f"time {_time(total.seconds * low)} to {_time(total.seconds * high)}"]
    spans.append(
        f"core-hours {total.core_seconds * low / 3600:,.1f}"
        f" to {total.core_seconds * high / 3600:,.1f}"
    )
    if price is not None:
        cost = found.cost(price)
        spans.append(f"cost {cost * low:,.2f} to {cost * high:,.2f}")
    lines = [f"within about ±{share:.0%}: {', '.join(spans)}"]
    if price is not None:
        lines.insert(0, f"cost {found.cost(price):,.2f}: every core from start to end at {price:g}")
    lines += [
        f"{_of_driver(found)} the driver's, on one core, while the cluster waits",
        "stored is counted once: HDFS keeps it as often as it replicates, mostly three times",
        f"not in it: fetching URLs, {_left_out(found)}, the report, reading from slow stores",
        f"from figures measured on one machine: driver/data/{FIGURES} says how, when and with"
        " what n",
    ]
    return lines


def _left_out(found: Estimate) -> str:
    return "copying metadata to the cluster" if found.demand.rows else "metadata (--openimages)"


def _of_driver(found: Estimate) -> str:
    """Return which stages run no job, and take time."""
    merge = next(stage for stage in found.stages if stage.name == "merge")
    return "plan is" if merge.maps else "plan and merge are"
