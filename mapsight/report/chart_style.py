"""Set how charts look, and how a figure becomes an SVG that is always the same.

Text is drawn as outlines, so a chart looks the same wherever it is opened and
nothing is cut off by another font. Colours are Okabe and Ito's, which people who
confuse red and green can tell apart.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib
from matplotlib import figure as matplotlib_figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import PlaceHolderLayoutEngine

__all__ = [
    *("BLUE", "GREY", "GRID", "INK", "ORANGE", "STYLE", "WIDTH"),
    *("Figure", "as_svg", "no_data"),
]

WIDTH = 5.2
"""Inches of a chart, so that its text is readable on a telephone."""
BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#5F6B76", "#1F2933"
GRID = "#E4E8EC"
_FALLBACKS = ("Noto Sans CJK JP", "Noto Sans Devanagari", "Noto Sans Thai", "Unifont")
STYLE: dict[Any, Any] = {
    "axes.edgecolor": "#B8C0C8",
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "mapsight",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}


class Figure(matplotlib_figure.Figure):
    """A figure that is drawn once; matplotlib draws it before, to no file, for its layout."""

    def draw(self, renderer: Any) -> None:
        """Draw what is there; where there is a layout to be made, make it and draw nothing."""
        layout = self.get_layout_engine()
        if layout is None or isinstance(layout, PlaceHolderLayoutEngine):
            super().draw(renderer)
        else:
            layout.execute(self)


def as_svg(draw: Callable[..., Figure]) -> Callable[..., bytes]:
    """Make a function that draws a figure return its SVG instead."""

    @wraps(draw)
    def chart(*args: Any, **options: Any) -> bytes:
        known = set(fontManager.get_font_names())
        fonts = ["DejaVu Sans", *(name for name in _FALLBACKS if name in known)]
        buffer = io.BytesIO()
        with matplotlib.rc_context(), warnings.catch_warnings():
            # a matplotlibrc in the folder one stands in was read; charts look the same everywhere
            matplotlib.rcdefaults()
            matplotlib.rcParams.update({**STYLE, "font.family": fonts})
            # a script without a font is drawn as boxes; the page's tables show the text
            warnings.filterwarnings("ignore", message=r"(Glyph|Matplotlib currently)")
            metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            draw(*args, **options).savefig(buffer, format="svg", metadata=metadata)
        return buffer.getvalue()

    return chart


def no_data() -> Figure:
    """Return a small figure that says so instead of an empty frame."""
    figure = Figure(figsize=(WIDTH, 0.8))
    figure.text(0.5, 0.5, "no data", ha="center", va="center", color=GREY)
    return figure
