"""Draw the charts of a run as SVG: the same bytes for the same numbers, readable on white."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from mapsight.report.charts.chart_style import (
    BLUE,
    GREY,
    GRID,
    ORANGE,
    WIDTH,
    Figure,
    as_svg,
    no_data,
)
from mapsight.text import amount, shorten

__all__ = [
    "Interval",
    "bar_chart",
    "histogram_chart",
    "interval_chart",
    "label_rows",
]

Interval = tuple[float, float, float]
"""A share with the bounds of its interval: `(share, low, high)`, all 0 to 1."""

ROW = 0.27
LABEL_WIDTH = 22


@as_svg
def bar_chart(labels: Sequence[str], counts: Sequence[int]) -> Figure:
    """Draw a horizontal bar per label, first on top, with its count.

    Args:
        labels: (n,) names, shown up to 22 characters.
        counts: (n,) numbers of pictures.

    Raises:
        ValueError: the lengths differ.
    """
    _check_lengths(labels, counts)
    total = sum(counts)
    if not total:
        return no_data()
    figure, axes = label_rows(labels)
    bars = axes.barh(range(len(counts)), counts, height=0.66, color=BLUE)
    axes.bar_label(bars, [amount(count) for count in counts], padding=4, fontsize=8.5)
    axes.set_xlim(0, max(counts) * 1.16)
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines["bottom"].set_visible(False)
    return figure


@as_svg
def interval_chart(
    labels: Sequence[str], series: Mapping[str, Sequence[Interval | None]]
) -> Figure:
    """Draw a dot with a whisker per label and series, on a scale from 0 to 100 %.

    Args:
        labels: (n,) names, first on top.
        series: up to three names, each with (n,) intervals; None where unknown.

    Raises:
        ValueError: the lengths differ.
    """
    for intervals in series.values():
        _check_lengths(labels, intervals)
    if not any(interval for intervals in series.values() for interval in intervals):
        return no_data()
    figure, axes = label_rows(labels, extra=0.75, row=0.34)
    for number, (name, intervals) in enumerate(series.items()):
        _draw_intervals(axes, number, len(series), name, intervals)
    for row, intervals in enumerate(zip(*series.values(), strict=True)):
        if not any(intervals):
            axes.text(0, row, "none verified", va="center", color=GREY, fontsize=8)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    figure.legend(loc="outside upper center", ncols=len(series), frameon=False)
    return figure


@as_svg
def histogram_chart(edges: Sequence[float], counts: Sequence[int], label: str) -> Figure:
    """Draw how many pictures fall between each two edges; a logarithmic scale.

    Args:
        edges: (k + 1,) ascending, positive.
        counts: (k,) numbers of pictures.
        label: what the edges measure, with its unit.

    Raises:
        ValueError: the lengths do not fit.
    """
    if counts and len(edges) != len(counts) + 1:
        raise ValueError(f"expected {len(counts) + 1} edges, got {len(edges)}")
    if not sum(counts):
        return no_data()
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.stairs(counts, edges, fill=True, color=BLUE)
    _log_scale(axes, edges[0], edges[-1])
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: amount(value))
    axes.set(xlabel=shorten(label, 60), ylabel="pictures")
    return figure


def _check_lengths(labels: Sequence[str], values: Sequence[Any]) -> None:
    if len(labels) != len(values):
        raise ValueError(f"expected a value for each of {len(labels)} labels, got {len(values)}")


def label_rows(labels: Sequence[str], extra: float = 0.3, row: float = ROW) -> tuple[Figure, Axes]:
    """Return a figure with a row for each label, as high as they need."""
    height = max(1.2, row * len(labels) + extra)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(labels)), [shorten(label, LABEL_WIDTH) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _draw_intervals(
    axes: Axes, number: int, of: int, name: str, intervals: Sequence[Interval | None]
) -> None:
    measured = [(row, *interval) for row, interval in enumerate(intervals) if interval]
    rows, shares, lows, highs = np.array(measured).reshape(-1, 4).T
    spread = [np.maximum(shares - lows, 0), np.maximum(highs - shares, 0)]
    colour, mark = ((BLUE, "o"), (ORANGE, "D"), (GREY, "s"))[number]
    offset = 0.26 * (number - (of - 1) / 2)
    axes.errorbar(
        shares, rows + offset, xerr=spread, fmt=mark, color=colour, label=name, ms=4.5, capsize=2
    )


def _log_scale(axes: Axes, low: float, high: float) -> None:
    """Set a logarithmic scale over a factor of two at least, with few round ticks."""
    margin = max(1.0, math.sqrt(2 * low / high))
    axes.set(xscale="log", xlim=(low / margin, high * margin))
    ticks = (
        LogLocator(subs=(1, 2, 5)) if high > 8 * low else MaxNLocator(6, steps=[1, 2, 2.5, 5, 10])
    )
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())
