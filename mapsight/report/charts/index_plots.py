"""Draw the charts of the search index: k-means, sizes of cells, recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mapsight.report.charts.chart_style import (
    BLUE,
    GREEN,
    GREY,
    GRID,
    INK,
    LIGHT,
    ORANGE,
    WIDTH,
    Figure,
    as_svg,
    no_data,
)
from mapsight.text import shorten

__all__ = ["inertia_chart", "map_chart", "recall_chart", "sizes_chart"]

COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#8A6FC0", "#7F7F3F")
"""Of the labels of the largest cells on a map; others are grey."""
NAMED = 24
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


@as_svg
def map_chart(discs: Sequence[tuple[float, float, int, str]]) -> Figure:
    """Draw cells as discs whose area is their pictures; those of the largest are named.

    Args:
        discs: (x, y, pictures, label) of each cell, largest first.
    """
    figure = Figure(figsize=(WIDTH * 1.6, WIDTH), layout="constrained")
    axes = figure.subplots()
    labels = list(dict.fromkeys(label for *_, label in discs))
    colours = dict(zip(labels, COLOURS, strict=False))
    x, y, pictures = np.array([disc[:3] for disc in discs], float).T
    axes.scatter(
        x, y, s=60 + 1800 * pictures / pictures.sum() ** 0.5 / pictures.max() ** 0.5,
        c=[colours.get(label, LIGHT) for *_, label in discs], alpha=0.6, linewidths=0,
    )  # fmt: skip
    for place, *_, label in [(disc[:2], *disc) for disc in discs[:NAMED]]:
        axes.annotate(shorten(label, 18), place, ha="center", va="center", fontsize=8, color=INK)
    axes.margins(0.12)
    axes.axis("off")
    return figure
