"""The access log and the figures of requests: which route, how it ended, and what it took.

Nothing of what was asked is written down: no query, no id, no address of a caller.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapsight.serve.layers.metrics import Metrics
from mapsight.serve.settings import API

__all__ = ["LOST", "Watched"]

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
LOST = 499
"""The status that is written down where a client went before its answer began."""


class Watched:
    """Writes a line for each answer, and counts it.

    Args:
        app: what answers.
        tell: is called with each line.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, tell: Callable[[str], object] = sys.stderr.write
    ) -> None:
        self._app, self._metrics, self._tell = app, metrics, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), LOST

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ConnectionAbortedError:  # a client that took nothing: the connection is closed
            raise
        except ClientDisconnect:
            pass
        except Exception:  # what was to be answered has been
            self._tell(traceback.format_exc())
            if status == LOST:
                raise
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        method = method if method in METHODS else "other"
        self._metrics.add_request(route, method, status, seconds)
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._tell(f"{now} {method} {route} {status} {1000 * seconds:.1f} ms\n")


def _route(scope: Scope) -> str:
    """Return the route as it is declared, so that a path tells nothing."""
    path = getattr(scope.get("route"), "path", "")
    if not path:
        return "none"
    return f"{API}{path}" if scope["path"].startswith(API) else path
