"""Set how charts look, and how a figure becomes an SVG that is always the same.

Text stays text: it is laid out by the widths of DejaVu Sans, which is wider than what pages are
read in, and shown in the page's font, so that nothing is cut off. An SVG knows its colours in
the dark. Colours are Okabe and Ito's, which people who confuse red and green can tell apart.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib
from matplotlib import figure as matplotlib_figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import PlaceHolderLayoutEngine

__all__ = [
    *("BLUE", "GREEN", "GREY", "GRID", "INK", "LIGHT", "ORANGE", "STYLE", "WIDTH"),
    *("Figure", "as_svg", "no_data"),
]

WIDTH = 4.2
"""Inches of a chart: as wide as a telephone, its text has the size of the page's."""
BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#5F6B76", "#1F2933"
GRID = "#E4E8EC"
LIGHT, GREEN, LINE = "#C9D1D9", "#009E73", "#B8C0C8"
DARK = {
    INK: "#E8ECEF",
    GREY: "#A9B4BE",
    GRID: "#333B43",
    LINE: "#56616B",
    LIGHT: "#56616B",
    BLUE: "#5FB0E5",
    ORANGE: "#F08A45",
    GREEN: "#35C79A",
    "#DCEAF4": "#1D3A4D",
    "#B5D4E9": "#25506C",
    "#86BADB": "#2F678A",
    "#5A9CC9": "#3B7EA6",
    "#FFFFFF": "#1C2126",
}
"""What a colour becomes where pages are dark."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_FAMILIES = re.compile(rb"(?<=px )'DejaVu Sans'[^;\"]*|(?<=font-family: )'DejaVu Sans'[^;\"]*")
_FALLBACKS = ("Noto Sans CJK JP", "Noto Sans Devanagari", "Noto Sans Thai", "Unifont")
STYLE: dict[Any, Any] = {
    "axes.edgecolor": LINE,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "savefig.transparent": True,
    "svg.fonttype": "none",
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
        return _styled(buffer.getvalue())

    return chart


def _styled(svg: bytes) -> bytes:
    """Return an SVG with the page's font, and with rules for the dark."""
    rules = "".join(
        f'[style*="{name}: {light.lower()}"]{{{name}:{dark}!important}}'
        for light, dark in DARK.items()
        for name in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>".encode()
    head, tag, rest = _FAMILIES.sub(FONT.encode(), svg).partition(b" <defs>")
    return head + b" " + style + b"\n" + tag + rest


def no_data() -> Figure:
    """Return a small figure that says so instead of an empty frame."""
    figure = Figure(figsize=(WIDTH, 0.8))
    figure.text(0.5, 0.5, "no data", ha="center", va="center", color=GREY)
    return figure
