"""Draw the charts of a run as SVG: the same bytes for the same numbers, readable on white."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from mapsight.report.chart_style import (
    BLUE,
    GREY,
    GRID,
    INK,
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
    "confusion_chart",
    "histogram_chart",
    "interval_chart",
    "label_rows",
]

MAX_CONFUSION = 40

Interval = tuple[float, float, float]
"""A share with the bounds of its interval: `(share, low, high)`, all 0 to 1."""

ROW = 0.27
LABEL_WIDTH = 26


@as_svg
def bar_chart(labels: Sequence[str], counts: Sequence[int]) -> Figure:
    """Draw a horizontal bar per label, first on top, with its count.

    Args:
        labels: (n,) names, shown up to 26 characters.
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
def confusion_chart(labels: Sequence[str], counts: np.ndarray) -> Figure:
    """Draw a heat map of verified (rows) against predicted labels, each row adding to 1.

    Args:
        labels: (n,) names. Of more than MAX_CONFUSION those with the most
            verified pictures are shown, in their order, and the chart says so.
        counts: (n, n) whole numbers of pictures.

    Raises:
        ValueError: the shape is not (n, n).
    """
    table = np.asarray(counts)
    if table.shape != (len(labels), len(labels)):
        raise ValueError(f"expected counts of shape {(len(labels),) * 2}, got {table.shape}")
    if not table.any():
        return no_data()
    totals = table.sum(axis=1)
    shown = np.sort(np.argsort(-totals, kind="stable")[:MAX_CONFUSION])
    names = [shorten(labels[number], LABEL_WIDTH) for number in shown]
    side = 0.075 * max(map(len, names)) + max(0.2, 0.42 - 0.005 * len(shown)) * len(shown)
    size = (max(WIDTH, side + 2.4), max(2.4, side + 0.9))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    shares = table[np.ix_(shown, shown)] / np.maximum(totals[shown], 1)[:, None]
    mesh = axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=0.6)
    _label_matrix(axes, names, totals[shown])
    if len(shown) <= 16:
        _write_counts(axes, table[np.ix_(shown, shown)], shares)
    bar = figure.colorbar(mesh, ax=axes, shrink=0.6, format=PercentFormatter(1, symbol=" %"))
    bar.outline.set_visible(False)
    bar.set_label("share of the verified pictures")
    if len(shown) < len(labels):
        note = f"{len(shown)} of {amount(len(labels))} labels: those with most verified pictures"
        figure.suptitle(note, fontsize=8.5, color=GREY)
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


def _label_matrix(axes: Axes, names: Sequence[str], totals: np.ndarray) -> None:
    middles = np.arange(len(names)) + 0.5
    rows = [f"{name} ({amount(n)})" for name, n in zip(names, totals.tolist(), strict=True)]
    axes.set_xticks(middles, names, rotation=90)
    axes.set_yticks(middles, rows)
    axes.set(xlabel="predicted", ylabel="verified (pictures)")
    axes.invert_yaxis()
    axes.tick_params(length=0, labelsize=8 if len(names) <= 20 else 7, labelcolor=INK)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for row, column in zip(*counts.nonzero(), strict=True):
        ink = "white" if shares[row, column] > 0.55 else INK
        text = _compact(int(counts[row, column]))
        place = (column + 0.5, row + 0.5)
        axes.annotate(text, place, ha="center", va="center", color=ink, fontsize=7.5)


def _compact(count: int) -> str:
    """Return at most five characters up to 999 million."""
    if count < 10_000:
        return amount(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.3g}M"
