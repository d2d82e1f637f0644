"""Connections that are closed when they say nothing, and of which there are not too many."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from mapsight.serve.layers.safety import HEADERS
from mapsight.serve.settings import Limits

__all__ = ["protocol"]

BAD = b'{"error": "not a request of HTTP/1.1"}'


class _Timed(H11Protocol):
    """A connection with a time limit for the head of each request."""

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self._start()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._stop()
        else:
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:  # the next head has begun
            self._start()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as everything is answered."""
        head = {**HEADERS, "Content-Type": "application/json", "Connection": "close"}
        lines = [f"{name}: {value}\r\n" for name, value in head.items()]
        text = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(BAD)}\r\n{''.join(lines)}\r\n"
        self.transport.write(text.encode() + BAD)
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.limits.header_seconds, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self._is_answering():
            self.transport.abort()


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Return what uvicorn makes of each connection."""
    return type("Timed", (_Timed,), {"limits": limits})
