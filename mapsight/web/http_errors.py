"""What goes wrong on the way to a picture, apart from the connection itself."""

from __future__ import annotations

__all__ = ["FetchError", "LateError"]


class FetchError(ValueError):
    """A URL that cannot or must not be fetched.

    `code` is one of `records.ERROR_CODES`; `passing` says that asking again in a
    moment may help.
    """

    def __init__(self, message: str, code: str = "url_failed", passing: bool = False) -> None:
        super().__init__(message)
        self.code, self.passing = code, passing


class LateError(Exception):
    """Note that the time is over."""
