"""Draw the charts of the search index: k-means, sizes of cells, recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mapsight.report.chart_style import BLUE, GREY, GRID, ORANGE, WIDTH, Figure, as_svg, no_data

__all__ = ["inertia_chart", "recall_chart", "sizes_chart"]

TOPS = ((1, GREY, "s"), (10, BLUE, "o"), (100, ORANGE, "D"))


@as_svg
def inertia_chart(values: Sequence[float]) -> Figure:
    """Draw inertia over iterations.

    Args:
        values: of each iteration, from the first.
    """
    figure = Figure(figsize=(WIDTH, WIDTH * 0.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(values) + 1), values, color=BLUE, marker="o", markersize=4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="iteration", ylabel="inertia", ylim=(0, None))
    axes.grid(color=GRID, linewidth=0.8)
    return figure


@as_svg
def sizes_chart(sizes: Sequence[int]) -> Figure:
    """Draw how many cells have how many pictures.

    Args:
        sizes: pictures of each cell.
    """
    if not sizes:
        return no_data()
    figure = Figure(figsize=(WIDTH, WIDTH * 0.5), layout="constrained")
    axes = figure.subplots()
    bins = np.unique(np.linspace(0, max(sizes) + 1, 25).round()).tolist()
    axes.hist(sizes, bins=bins, color=BLUE)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="pictures per cell", ylabel="cells", xlim=(0, None))
    return figure


@as_svg
def recall_chart(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Draw recall at 1, 10 and 100 over the share of the index that is read.

    Args:
        rows: with `share_read` and `recall_1`, `recall_10`, `recall_100`, 0 to 1.
    """
    figure = Figure(figsize=(WIDTH, WIDTH * 0.6), layout="constrained")
    axes = figure.subplots()
    for top, colour, mark in TOPS:
        points = [(r["share_read"], r[f"recall_{top}"]) for r in rows if f"recall_{top}" in r]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, marker=mark, markersize=4, label=f"recall@{top}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="share of the index read", ylabel="recall")
    axes.grid(color=GRID, linewidth=0.8)
    figure.legend(loc="outside upper center", ncols=len(TOPS), frameon=False)
    return figure
