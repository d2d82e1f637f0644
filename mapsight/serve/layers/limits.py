"""Bounds of one request: bytes and seconds of its body, seconds of its answer."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapsight.serve.errors import Refusal
from mapsight.serve.settings import Limits

__all__ = ["Limited"]

CLOSE = {"Connection": "close"}
MULTIPART = "multipart/form-data"


class Limited:
    """Refuses bodies that are too long or too slow, and answers that take too long.

    Args:
        app: what is bounded.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._limits.idle_seconds)
        try:
            body = _Body(receive, self._limits, Headers(scope=scope))
            with anyio.fail_after(self._limits.request_seconds) as answer.deadline:
                await self._app(scope, body.receive, answer.send)
        except Refusal as refusal:
            await answer.refuse(refusal, scope, receive)
        except TimeoutError:
            slow = Refusal(503, "took too long", headers={"Retry-After": "10", **CLOSE})
            await answer.refuse(slow, scope, receive)


class _Answer:
    """What is sent; once it has begun, a client may take its time, but not for ever."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send, self._seconds, self._begun = send, seconds, False
        self.deadline = anyio.CancelScope()

    async def send(self, message: Message) -> None:
        self._begun = True
        self.deadline.deadline = anyio.current_time() + self._seconds
        await self._send(message)

    async def refuse(self, refusal: Refusal, scope: Scope, receive: Receive) -> None:
        """Answer with a refusal, or end an answer that has begun."""
        if self._begun:
            raise ConnectionAbortedError(refusal.message)
        await refusal.response()(scope, receive, self._send)


class _Body:
    """A body that is counted and timed while it is read."""

    def __init__(self, receive: Receive, limits: Limits, headers: Headers) -> None:
        self._receive, self._seconds = receive, limits.body_seconds
        kind = headers.get("content-type", "")
        self._most = limits.upload_bytes if kind.startswith(MULTIPART) else limits.json_bytes
        self._count(int(size) if (size := headers.get("content-length", "")).isdigit() else 0)
        self._read, self._ends = 0, anyio.current_time() + self._seconds

    async def receive(self) -> Message:
        """Return the next message; once the body is there, whenever it comes.

        Raises:
            Refusal: the body is too long (413), or not there in time (400).
        """
        if self._ends == float("inf"):
            return await self._receive()
        with anyio.CancelScope(deadline=self._ends) as scope:
            message = await self._receive()
        if scope.cancelled_caught:
            raise Refusal(400, f"no whole body after {self._seconds:g} s", headers=CLOSE)
        self._read += len(message.get("body", b""))
        self._count(self._read)
        if not message.get("more_body"):
            self._ends = float("inf")
        return message

    def _count(self, size: int) -> None:
        if size > self._most:
            raise Refusal(413, f"a body of more than {self._most:,} bytes", headers=CLOSE)
