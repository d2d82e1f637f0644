"""A subset of the pictures that fit, as the command line asks for it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable

from driver.errors import UsageError
from driver.pipeline.pipeline import Pipeline
from driver.selection.spread import spread_by_job
from mapsight.browse.browser import Browser
from mapsight.browse.selection import Selection
from mapsight.choose.choice import Choice, choose
from mapsight.text import plain

__all__ = ["chosen_of"]


def chosen_of(
    options: Namespace, browser: Browser, selection: Selection, run: Callable[[], Pipeline]
) -> Selection:
    """Return a subset of a selection; say what could not be filled.

    Raises:
        UsageError: it cannot be chosen.
    """
    names = (options.count, tuple(options.balance), options.diverse, options.near_model)
    try:
        choice = Choice(*names, options.seed)
        spread = spread_by_job(run, choice.seed)
        chosen = choose(browser.columns, selection.rows, choice, options.sort, spread)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    absent = [] if options.label else browser.labels
    for line in chosen.lines(absent):
        sys.stderr.write(f"not filled: {plain(line)}\n")
    return chosen.selection
