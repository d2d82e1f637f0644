"""Running: from the library to the driver, which is imported when something is run."""

from __future__ import annotations

from typing import NoReturn

from mapsight.application import find_driver

__all__ = ["command"]


def command() -> NoReturn:
    """Run the command `mapsight`, and end this process."""
    find_driver()
    from driver.run import command as run

    run()
