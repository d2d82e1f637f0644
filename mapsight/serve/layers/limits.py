"""Bounds of one request: bytes and seconds of its body, seconds of its answer."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapsight.serve.errors import Refusal
from mapsight.serve.settings import API, Limits

__all__ = ["MULTIPART", "Held", "Limited", "media_type"]

CLOSE = {"Connection": "close"}
MULTIPART = "multipart/form-data"
SEARCH, EXPORT = f"{API}/search", f"{API}/export"
RETRY_SECONDS = 1


def media_type(headers: Headers) -> str:
    """Return the type of a body, without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass
class Held:
    """Counts the bytes of all bodies that are there; for the event loop alone.

    Args:
        most: how many there may be.
    """

    most: int
    bytes: int = 0

    def take(self, size: int) -> None:
        """Count bytes that have come.

        Raises:
            Refusal: there are too many (503).
        """
        self.bytes += size
        if self.bytes > self.most:
            headers = {"Retry-After": str(RETRY_SECONDS), **CLOSE}
            raise Refusal(503, "too much is sent at one time; try again", headers=headers)


class Limited:
    """Refuses bodies that are too long or too slow, and answers that take too long.

    Args:
        app: what is bounded.
        held: counts what bodies have together.
    """

    def __init__(self, app: ASGIApp, limits: Limits, held: Held) -> None:
        self._app, self._limits, self._held = app, limits, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._limits.idle_seconds)
        body = _Body(receive, self._limits, self._most(scope), self._held)
        try:
            body.check_size(Headers(scope=scope))
            with anyio.fail_after(self._limits.request_seconds) as answer.deadline:
                await self._app(scope, body.receive, answer.send)
        except Refusal as refusal:
            await answer.refuse(refusal, scope, receive)
        except TimeoutError:
            slow = Refusal(503, "took too long", headers={"Retry-After": "10", **CLOSE})
            await answer.refuse(slow, scope, receive)
        finally:
            self._held.bytes -= body.read

    def _most(self, scope: Scope) -> int:
        """Return the bytes that a body may have, by what reads it and not by what it says."""
        if scope["method"] == "POST" and scope["path"] == SEARCH:
            is_form = media_type(Headers(scope=scope)) == MULTIPART
            return self._limits.upload_bytes if is_form else self._limits.json_bytes
        if scope["method"] == "POST" and scope["path"] == EXPORT:
            return self._limits.json_bytes
        return self._limits.other_bytes


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

    def __init__(self, receive: Receive, limits: Limits, most: int, held: Held) -> None:
        self._receive, self._most, self._held = receive, most, held
        self._seconds, self.read = limits.body_seconds, 0
        self._ends = anyio.current_time() + self._seconds

    def check_size(self, headers: Headers) -> None:
        """Refuse a body that says that it is too long (413)."""
        self._check(int(size) if (size := headers.get("content-length", "")).isdigit() else 0)

    async def receive(self) -> Message:
        """Return the next message; once the body is there, whenever it comes.

        Raises:
            Refusal: the body is too long (413), not there in time (400), or one too many (503).
        """
        if self._ends == float("inf"):
            return await self._receive()
        with anyio.CancelScope(deadline=self._ends) as scope:
            message = await self._receive()
        if scope.cancelled_caught:
            raise Refusal(400, f"no whole body after {self._seconds:g} s", headers=CLOSE)
        size = len(message.get("body", b""))
        self.read += size
        self._held.take(size)
        self._check(self.read)
        if not message.get("more_body"):
            self._ends = float("inf")
        return message

    def _check(self, size: int) -> None:
        if size > self._most:
            raise Refusal(413, f"a body of more than {self._most:,} bytes", headers=CLOSE)
