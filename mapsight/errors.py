"""Errors that a person can read: one line that says what is wrong."""

from __future__ import annotations

from mapsight.redaction import without_secrets
from mapsight.text import plain

__all__ = ["Failure", "UsageError"]


class Failure(Exception):  # noqa: N818
    """Something went wrong: one line for the user, and where to look closer.

    `detail` (a traceback, a task's log) is shown with --debug.
    """

    exit_status = 1

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(plain(without_secrets(message)))
        self.detail = detail


class UsageError(Failure):
    """An option, the command line or the configuration cannot be understood."""

    exit_status = 2
