"""Running: from the library to the driver, which is imported when something is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from mapsight.application import find_driver

if TYPE_CHECKING:
    from mapsight.opened import OpenedWorkspace

REPEATED = ("force",)
"""Options that are given once for each value."""

__all__ = ["command", "flags_of", "run"]


def command() -> NoReturn:
    """Run the command `mapsight`, and end this process."""
    find_driver()
    from driver.run import command as run

    run()


def run(**options: Any) -> OpenedWorkspace | None:
    """Run the pipeline as the command does, and open its workspace (`mapsight.run`)."""
    find_driver()
    from driver.pipeline.job_server import close_job_server
    from driver.run import perform
    from mapsight.errors import Failure
    from mapsight.opened import OpenedWorkspace

    try:
        asked, status = perform(list(flags_of(options)), "mapsight")
    finally:
        close_job_server()
    if status:
        raise Failure(f"{asked.workspace}: the run ended with status {status}")
    return None if asked.dry_run else OpenedWorkspace(asked.workspace)


def flags_of(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield options of Python as the command line has them; None and False are left out.

    >>> list(flags_of({"runner": "local", "target_labels": ["Lion", "Owl"], "duplicates": True}))
    ['--runner=local', '--target-labels', 'Lion', 'Owl', '--duplicates']
    """
    for name, value in options.items():
        if value is None or value is False:
            continue
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list | tuple):
            each = (f"{flag}={one}" for one in value)
            yield from each if name in REPEATED else (flag, *map(str, value))
        else:
            yield flag if value is True else f"{flag}={value}"
