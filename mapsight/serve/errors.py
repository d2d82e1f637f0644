"""Answers that refuse: a status, one line, and the field that is wrong."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping

from starlette.responses import JSONResponse

from mapsight.redaction import without_secrets
from mapsight.text import shorten

__all__ = ["Refusal", "asked", "refusal_of", "refused"]

SHOWN = 500
FIRST_WORD = re.compile(r"[a-z_]+(?=[ :])")


class Refusal(Exception):  # noqa: N818
    """A request that is not answered.

    Args:
        status: of HTTP.
        message: for people, in a line.
        field: that is wrong, if it is one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.field = status, message, field
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the answer that says so."""
        return refused(self.status, self.message, self.field, self.headers)


def refused(
    status: int,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an answer that says why there is no other."""
    shown = shorten(without_secrets(message), SHOWN)
    answer = {"error": shown} | ({"field": field} if field else {})
    return JSONResponse(answer, status, headers=dict(headers or {}))


@contextlib.contextmanager
def asked(status: int = 400, field: str | None = None) -> Iterator[None]:
    """Make refusals of the ValueErrors that tell a caller what is wrong.

    Args:
        field: that is wrong; None for the word that the message begins with, as those of
            options and filters do.
    """
    try:
        yield
    except ValueError as error:
        raise refusal_of(error, status, field) from error


def refusal_of(error: ValueError, status: int, field: str | None = None) -> Refusal:
    """Return the refusal that a ValueError tells; arguments as `asked` has them."""
    first = FIRST_WORD.match(str(error))
    named = getattr(error, "field", None) or (first[0] if first else None)
    return Refusal(status, str(error), field or named)
