"""When to ask a server again.

Pauses grow, and are drawn at random from zero to their full length, so that
tasks that failed together do not come back together: "full jitter" of
M. Brooker, "Exponential Backoff and Jitter", 2015. A server may ask for longer
ones (Retry-After).
"""

from __future__ import annotations

import email.utils
import errno
import http.client
import random
import socket
import ssl
from time import time

from mapsight.web.http_get import Answer, FetchError

__all__ = ["PASSING", "TRIES", "asked_pause", "is_ours", "may_pass", "pause"]

TRIES = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
OURS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE})
"""What ends on this machine: no space, no file handles."""


def pause(tries: int) -> float:
    """Return the seconds to wait after so many tries."""
    return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)))


def may_pass(problem: Answer | BaseException) -> bool:
    """Return whether the same request may succeed in a moment."""
    if isinstance(problem, Answer):
        return problem.status in PASSING
    if isinstance(problem, FetchError):
        return problem.passing
    if isinstance(problem, socket.gaierror):
        return problem.errno not in NO_SUCH_NAME
    broken = isinstance(problem, (OSError, http.client.HTTPException))
    return broken and not isinstance(problem, ssl.SSLCertVerificationError)


def is_ours(error: BaseException) -> bool:
    """Return whether the fault is no server's and no URL's."""
    known = isinstance(error, (OSError, http.client.HTTPException, ValueError))
    return not known or (isinstance(error, OSError) and error.errno in OURS)


def asked_pause(answer: Answer) -> float | None:
    """Return the seconds that a server asks everybody to wait.

    Retry-After is a number of seconds or a date (RFC 9110, 10.2.3).
    """
    text = (answer.retry_after or "").strip()
    if answer.status not in (429, 503) or not text:
        return None
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
