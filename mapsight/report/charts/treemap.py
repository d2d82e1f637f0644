"""Draw classes and their subclasses as nested rectangles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mapsight.report.charts.chart_style import INK, WIDTH, Figure, as_svg, no_data
from mapsight.text import amount, shorten

__all__ = ["Node", "squarified", "treemap"]

DEPTHS = ("#DCEAF4", "#B5D4E9", "#86BADB", "#5A9CC9")
LINE = 0.028  # of a treemap's width: a line of text
LETTER = 0.0088
SHORTEST = 7  # letters; a name is not cut below

Rect = tuple[float, float, float, float]
"""(x, y, width, height)"""


@dataclass(frozen=True)
class Node:
    """Hold a class of a treemap: the number of pictures that show it or a subclass."""

    label: str
    pictures: int
    children: Sequence[Node] = field(default=())


def squarified(sizes: Sequence[float], rect: Rect) -> Iterator[Rect]:
    """Divide a rectangle into ones of these sizes, as square as can be.

    Args:
        sizes: positive, largest first; only their ratios matter.
        rect: what is divided; nothing of it is left over.

    Reference: Bruls, Huizing, van Wijk, "Squarified treemaps", 2000.
    """
    x, y, width, height = rect
    scale = width * height / sum(sizes) if sizes else 0
    areas = [size * scale for size in sizes]
    while areas:
        side = min(width, height)
        row = 1
        while row < len(areas) and _worst(areas[: row + 1], side) <= _worst(areas[:row], side):
            row += 1
        thick, done = sum(areas[:row]) / side, 0.0
        for area in areas[:row]:
            long = area / thick
            upright = width >= height
            yield (x, y + done, thick, long) if upright else (x + done, y, long, thick)
            done += long
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
        areas = areas[row:]


def _worst(areas: Sequence[float], side: float) -> float:
    """Return the largest ratio of sides in a row of rectangles along a side."""
    total = sum(areas)
    return max(max(side**2 * a / total**2, total**2 / (side**2 * a)) for a in areas)


@as_svg
def treemap(nodes: Sequence[Node]) -> Figure:
    """Draw classes as nested rectangles; what a class has beside its children stays free.

    Args:
        nodes: top classes; those without pictures are left out.
    """
    shown = [node for node in nodes if node.pictures]
    if not shown:
        return no_data()
    figure = Figure(figsize=(WIDTH * 1.45, WIDTH), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(WIDTH / (WIDTH * 1.45), 0), aspect="equal")
    axes.axis("off")
    _draw_level(axes, shown, (0, 0, 1, 1 / 1.45), 0, sum(node.pictures for node in shown))
    return figure


def _draw_level(axes: Axes, nodes: Sequence[Node], rect: Rect, depth: int, total: float) -> None:
    ordered = sorted(nodes, key=lambda node: (-node.pictures, node.label))
    sizes: list[Any] = [node.pictures for node in ordered]
    free = total - sum(sizes)
    rects = [*squarified(sorted([*sizes, *([free] if free > 0 else [])], reverse=True), rect)]
    if free > 0:
        rects.pop(sum(size >= free for size in sizes))
    for node, place in zip(ordered, rects, strict=True):
        _draw_node(axes, node, place, depth)


def _draw_node(axes: Axes, node: Node, rect: Rect, depth: int) -> None:
    x, y, width, height = rect
    colour = DEPTHS[min(depth, len(DEPTHS) - 1)]
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", lw=1.2))
    size = 7.5 if depth < 2 else 6.5
    letters = int((width - 0.012) / (LETTER * size / 7.5))
    if height < LINE * 1.2 or letters < min(len(node.label), SHORTEST):
        return
    number = f" {amount(node.pictures)}"
    fits = len(node.label) + len(number) <= letters
    text = f"{node.label}{number}" if fits else shorten(node.label, letters)
    axes.text(x + 0.007, y + 0.006, text, va="top", fontsize=size, color=INK, clip_on=True)
    inner = (x + 0.006, y + LINE, width - 0.012, height - LINE - 0.006)
    below = [child for child in node.children if child.pictures]
    if below and min(inner[2:]) > LINE:
        total = max(node.pictures, sum(child.pictures for child in below))
        _draw_level(axes, below, inner, depth + 1, total)
