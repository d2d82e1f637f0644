"""Draw the charts of the evaluation: calibration and regularisation strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

__all__ = ["Point", "reliability_chart", "strengths_chart"]

Point = tuple[float, float, float, float, float]
"""`(mean probability, share, low, high, n)` of a bin, all but n 0 to 1."""


@as_svg
def reliability_chart(series: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw a reliability diagram: shares with whiskers over predicted probabilities.

    On the diagonal they agree (DeGroot and Fienberg 1983). Larger marks stand for larger n.

    Args:
        series: up to three names, each with its bins.
    """
    if not any(series.values()):
        return no_data()
    figure = Figure(figsize=(WIDTH, WIDTH * 0.86), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--", zorder=1)
    for number, (name, points) in enumerate(series.items()):
        _draw_bins(axes, number, name, points)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set(xlabel="predicted probability (mean of a bin)", ylabel="observed share")
    axes.grid(color=GRID, linewidth=0.8)
    figure.legend(loc="outside upper center", ncols=len(series), frameon=False)
    return figure


def _draw_bins(axes: Axes, number: int, name: str, points: Sequence[Point]) -> None:
    p, share, low, high, n = np.array(points, float).reshape(-1, 5).T
    colour, mark = ((BLUE, "o"), (ORANGE, "D"), (GREY, "s"))[number]
    axes.vlines(p, low, high, color=colour, alpha=0.35, linewidth=1.2)
    size = 12 + 60 * n / max(n.max(initial=1), 1)
    axes.scatter(p, share, s=size, marker=mark, color=colour, label=name, zorder=3)


def _percent(axis: object) -> None:
    axis.set_major_formatter(PercentFormatter(1, symbol=" %"))  # type: ignore[attr-defined]
    axis.set_major_locator(MaxNLocator(5))  # type: ignore[attr-defined]


@as_svg
def strengths_chart(
    strengths: Sequence[float],
    gcv: Sequence[float],
    accuracy: Sequence[tuple[float, float, float] | None],
) -> Figure:
    """Draw the GCV error and the validation accuracy of each regularisation strength λ.

    Args:
        strengths: (n,) positive, ascending.
        gcv: (n,) errors; the least is marked as the one taken.
        accuracy: (n,) intervals `(share, low, high)` of validation pictures, or None.

    Raises:
        ValueError: the lengths differ.
    """
    if not len(strengths) == len(gcv) == len(accuracy):
        raise ValueError(
            f"expected as many errors and intervals as strengths ({len(strengths)}),"
            f" got {len(gcv)} and {len(accuracy)}"
        )
    if not strengths:
        return no_data()
    validated = any(accuracy)
    figure = Figure(figsize=(WIDTH, 3.8 if validated else 2.3), layout="constrained")
    rows = figure.subplots(2 if validated else 1, 1, sharex=True, squeeze=False)[:, 0]
    rows[0].plot(strengths, gcv, color=BLUE, marker="o", ms=3)
    rows[0].set(ylabel="GCV error", ylim=(0, None))
    if validated:
        _draw_accuracy(rows[1], strengths, accuracy)
    best = strengths[int(np.argmin(gcv))]
    for axes in rows:
        axes.axvline(best, color=ORANGE, linewidth=1, linestyle="--", zorder=1)
        axes.grid(color=GRID, linewidth=0.8)
    rows[0].annotate(
        f"λ = {best:.3g}", (best, 1), xycoords=("data", "axes fraction"), xytext=(5, -4),
        textcoords="offset points", va="top", color=ORANGE, fontsize=8.5,
    )  # fmt: skip
    rows[-1].set(xscale="log", xlabel="regularisation strength λ")
    rows[-1].xaxis.set_major_locator(LogLocator())
    rows[-1].xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    rows[-1].xaxis.set_minor_locator(NullLocator())
    return figure


def _draw_accuracy(
    axes: Axes, strengths: Sequence[float], accuracy: Sequence[tuple[float, float, float] | None]
) -> None:
    pairs = zip(strengths, accuracy, strict=True)
    at, share, low, high = np.array([(x, *interval) for x, interval in pairs if interval]).T
    axes.fill_between(at, low, high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(at, share, color=BLUE, marker="o", ms=3)
    axes.set(ylabel="validation accuracy", ylim=(0, 1.02))
    _percent(axes.yaxis)
