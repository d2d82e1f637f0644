"""A table of pictures that mean the same in many ways, and what a viewer shows of each.

Every cell is one format, mode, depth, alpha, photometric meaning or kind of page. What is
expected comes from the scene that was written, never from the decoder.
`python -m benchmarks.viewer` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.viewer.bmps import bmps
from benchmarks.viewer.colour_tiffs import colour_tiffs
from benchmarks.viewer.grey_tiffs import grey_tiffs, large_numbers, small_depths
from benchmarks.viewer.others import animations, jpeg2000s, jpegs, light_on_transparent, netpbm
from benchmarks.viewer.pngs import pngs
from benchmarks.viewer.profiles import profiles
from benchmarks.viewer.scenes import Cell
from benchmarks.viewer.tiff_pages import page_tiffs, unread_tiffs

__all__ = ["MAKERS", "Cell"]

MAKERS: tuple[Callable[[], Iterator[Cell]], ...] = (
    *(grey_tiffs, large_numbers, small_depths, colour_tiffs, page_tiffs, unread_tiffs),
    *(pngs, profiles, bmps, netpbm, jpegs, jpeg2000s, animations, light_on_transparent),
)
