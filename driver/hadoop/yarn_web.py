"""Asking the web services of YARN: short answers, in bounded time, or a reason why not."""

from __future__ import annotations

import getpass
import json
import os
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from driver.errors import Failure

__all__ = ["NeedsLogin", "NoAnswer", "ask", "read", "tell"]

MOST_BYTES = 32 << 20  # some 100,000 tasks of a job
CHUNK = 1 << 16
SECONDS = 5.0


class NoAnswer(Failure):
    """A service could not be reached, or did not say what it was asked."""


class NeedsLogin(NoAnswer):
    """The service wants a Kerberos ticket, or does not let this user."""


def _user() -> str:
    return os.environ.get("HADOOP_USER_NAME") or getpass.getuser()


def _opener() -> OpenerDirector:
    """Return what asks the cluster's own addresses: through no proxy, as Hadoop does not either."""
    return build_opener(ProxyHandler({}))


def read(
    url: str,
    parameters: Mapping[str, object] | None = None,
    seconds: float = SECONDS,
    *,
    body: bytes | None = None,
    accept: str = "text/plain",
) -> str:
    """Return the text at an address; with `body`, the answer to PUT.

    Raises:
        NeedsLogin: refused with 401 or 403.
        NoAnswer: anything else than a text of at most 32 MiB within the time.
    """
    query = urlencode({"user.name": _user(), **(parameters or {})})
    method, kind = ("GET" if body is None else "PUT"), {"Content-Type": "application/json"}
    request = Request(f"{url}?{query}", body, {"Accept": accept, **kind}, method=method)
    try:
        with _opener().open(request, timeout=seconds) as answer:
            return _body(answer, time.monotonic() + seconds).decode("utf-8", "replace")
    except HTTPError as error:
        with error:
            kind_of = NeedsLogin if error.code in (401, 403) else NoAnswer
            raise kind_of(f"{url}: {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(f"{url}: {error}") from error


def _body(answer: Any, deadline: float) -> bytes:
    chunks, size = [], 0
    while chunk := answer.read1(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES or time.monotonic() > deadline:
            raise ValueError(f"no end after {size} bytes")
    return b"".join(chunks)


def ask(
    url: str, parameters: Mapping[str, object] | None = None, seconds: float = SECONDS
) -> dict[str, Any]:
    """Return the JSON object at an address.

    Raises:
        NoAnswer: as `read`, or it is not a JSON object.
    """
    return _object(url, read(url, parameters, seconds, accept="application/json"))


def tell(url: str, document: Mapping[str, object], seconds: float = SECONDS) -> None:
    """PUT a JSON object.

    Raises:
        NoAnswer: as `read`.
    """
    read(url, None, seconds, body=json.dumps(document).encode(), accept="application/json")


def _object(url: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise NoAnswer(f"{url}: not JSON") from error
    if not isinstance(document, dict):
        raise NoAnswer(f"{url}: not a JSON object")
    return document
