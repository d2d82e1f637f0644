"""Draw the charts of the metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter

from mapsight.report.charts.chart_style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    WIDTH,
    Figure,
    as_svg,
    no_data,
)
from mapsight.report.charts.plots import label_rows
from mapsight.text import amount

__all__ = ["boxes_chart", "shape_chart", "shares_chart", "stacked_chart", "subset_chart"]

SUBSET_COLOURS = {"train": BLUE, "validation": ORANGE, "test": GREEN, "unknown": GREY}


@as_svg
def stacked_chart(labels: Sequence[str], series: Mapping[str, Sequence[int]], unit: str) -> Figure:
    """Draw a bar per label, first on top, in up to three parts, with the number of the first.

    Args:
        labels: (n,) names.
        series: up to three names, each with (n,) counts.
        unit: what is counted.
    """
    if not any(map(any, series.values())):
        return no_data()
    figure, axes = label_rows(labels, extra=0.8, row=0.21)
    left = np.zeros(len(labels), np.int64)
    for (name, counts), colour in zip(series.items(), (BLUE, LIGHT, ORANGE), strict=False):
        axes.barh(range(len(labels)), counts, left=left, height=0.72, color=colour, label=name)
        left += np.asarray(counts)
    firsts = next(iter(series.values()))
    for row, (total, first) in enumerate(zip(left.tolist(), firsts, strict=True)):
        axes.text(total, row, f" {amount(first)}", va="center", fontsize=7, color=GREY)
    axes.set_xlim(0, max(left) * 1.1)
    axes.tick_params(axis="y", labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: amount(value))
    axes.set_xlabel(unit)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8.5)
    return figure


@as_svg
def shares_chart(labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> Figure:
    """Draw a bar per label, all equally long, in parts; the number on the right is the sum."""
    totals = np.sum([*series.values()], axis=0) if labels else np.zeros(0)
    if not totals.any():
        return no_data()
    figure, axes = label_rows(labels, extra=0.8)
    left = np.zeros(len(labels))
    for (name, counts), colour in zip(series.items(), (ORANGE, BLUE, LIGHT), strict=False):
        shares = np.asarray(counts) / np.maximum(totals, 1)
        axes.barh(range(len(labels)), shares, left=left, height=0.66, color=colour, label=name)
        left += shares
    for row, total in enumerate(totals.tolist()):
        axes.text(1.02, row, f"n = {amount(total)}", va="center", fontsize=8, color=GREY)
    axes.set_xlim(0, 1.16)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.spines["bottom"].set_bounds(0, 1)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8.5)
    return figure


@as_svg
def subset_chart(panels: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw a panel for each measure with a bar for each subset.

    Args:
        panels: up to four titles, each with values by subset.
    """
    if not any(panels.values()):
        return no_data()
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(2, 2).flat, panels.items(), strict=False):
        names = [*values]
        colours = [SUBSET_COLOURS.get(name, GREY) for name in names]
        bars = axes.barh(range(len(names)), [*values.values()], height=0.66, color=colours)
        axes.bar_label(bars, [f"{value:.3g}" for value in values.values()], padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(0, max([*values.values(), 1e-9]) * 1.25)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(NullLocator())
        axes.spines["bottom"].set_visible(False)
        axes.set_title(title, fontsize=8.5, color=GREY, loc="left")
    return figure


@as_svg
def boxes_chart(series: Mapping[str, Sequence[tuple[int, int, int]]]) -> Figure:
    """Draw what share of each subset's pictures has how many boxes.

    Args:
        series: by subset `(low, high, pictures)`: pictures with low to high boxes.
    """
    most = max((high for bins in series.values() for _, high, n in bins if n), default=0)
    if not most:
        return no_data()
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    axes = figure.subplots()
    for subset, bins in series.items():
        total = sum(pictures for _, _, pictures in bins) or 1
        # of a wider bin the mean height, so that areas are shares
        known = {low: (high, n / total / (high + 1 - low)) for low, high, n in bins}
        edges, heights = [0], []
        for low, (high, share) in sorted(known.items()):
            if low > edges[-1]:
                edges.append(low)
                heights.append(0.0)
            edges.append(high + 1)
            heights.append(share)
        colour = SUBSET_COLOURS.get(subset, GREY)
        axes.stairs(heights, np.array(edges) - 0.5, color=colour, linewidth=1.6, label=subset)
    if most > 40:
        axes.set_xscale("symlog", linthresh=10, linscale=1.5)
        ticks = [0, 1, 2, 5, 10, *(k * 10**e for e in range(1, 9) for k in (2, 5, 10))]
        axes.set_xticks([tick for tick in ticks if tick <= most])
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: amount(value))
    whole = 0 if axes.get_ylim()[1] > 0.1 else None
    axes.yaxis.set_major_formatter(PercentFormatter(1, whole, symbol=" %"))
    axes.set(xlabel="boxes per picture", ylabel="pictures", xlim=(-0.5, most + 0.5))
    axes.legend(frameon=False)
    return figure


@as_svg
def shape_chart(shapes: Mapping[str, Sequence[tuple[str, int]]]) -> Figure:
    """Draw a panel with bars for each measure of shape.

    Args:
        shapes: by title `(name of where the bin begins, boxes)`, in order; not every
            bin needs a name.
    """
    if not any(n for bins in shapes.values() for _, n in bins):
        return no_data()
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    panels = figure.subplots(1, len(shapes), squeeze=False)[0]
    for axes, (title, bins) in zip(panels, shapes.items(), strict=True):
        axes.bar(range(len(bins)), [n for _, n in bins], width=0.9, color=BLUE)
        named = {place - 0.5: name for place, (name, _) in enumerate(bins) if name}
        axes.set_xticks([*named], [*named.values()], fontsize=7.5)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(lambda value, _: amount(value))
        axes.tick_params(axis="y", labelsize=7.5)
        axes.set_title(title, fontsize=8.5, color=GREY, loc="left")
    return figure
