"""A picture from a URL that anybody may have written."""

from __future__ import annotations

import http.client
import io
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Thread
from time import monotonic

from mapsight.redaction import public_address, without_secrets
from mapsight.web.http_get import (
    MAX_BYTES,
    MAX_REDIRECTS,
    REDIRECTS,
    FetchError,
    LateError,
    Request,
    next_hop,
)
from mapsight.web.public_addresses import is_public

__all__ = ["FetchError", "fetch", "is_public"]


def fetch(
    url: str,
    *,
    seconds: float = 30.0,
    max_bytes: int = MAX_BYTES,
    max_redirects: int = MAX_REDIRECTS,
    allow_private: bool = False,
) -> bytes:
    """Fetch the body that a GET of an http or https URL gives, after redirects.

    TLS certificates are verified; proxies named in the environment are not used.

    Args:
        seconds: for everything together: names, connections, redirects and body.
        max_bytes: the longest body accepted, whatever its Content-Length says.
        allow_private: also connect to addresses that are not public.

    Raises:
        FetchError: naming the URL and the reason.
    """
    request = Request(monotonic() + seconds, seconds, max_bytes, allow_private)
    future: Future[bytes] = Future()
    Thread(target=_settle, args=(future, request, url, max_redirects), daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except (TimeoutError, FutureTimeoutError, LateError):
        raise FetchError(f"{public_address(url)}: not complete after {seconds:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = without_secrets(str(error)) or type(error).__name__
        raise FetchError(f"{public_address(url)}: {reason}") from error
    finally:
        request.hang_up()


def _settle(future: Future[bytes], request: Request, url: str, max_redirects: int) -> None:
    try:
        future.set_result(_follow(request, url, max_redirects))
    except BaseException as error:
        future.set_exception(error)


def _follow(request: Request, url: str, max_redirects: int) -> bytes:
    """The picture at the end of the redirects."""
    body = io.BytesIO()
    for _ in range(max_redirects + 1):
        answer = request.get(url, body)
        if answer.status not in REDIRECTS:
            break
        url = next_hop(url, answer)
    else:
        raise FetchError(f"more than {max_redirects} redirects", "url_gone")
    if answer.status != 200:
        raise FetchError(f"the server answered {answer.status}, expected 200")
    return body.getvalue()
