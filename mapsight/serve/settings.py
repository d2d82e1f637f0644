"""What a server is started with, and what one request may take."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from mapsight.web.http_get import MAX_BYTES

__all__ = ["API", "LOOPBACK", "Limits", "Settings"]

API = "/api/v1"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Limits:
    """Bounds of a request, and of all together (docs/serve.md says what they come to).

    Args:
        waiting: requests that may wait for threads of one kind; further ones get 503.
        connections: that may be open.
        upload_bytes: of a search's body with pictures, and of those that it fetches, together: as
            many as one picture may have.
        json_bytes: of a body with JSON, of a search or an export.
        other_bytes: of any other body.
        held_bytes: of all bodies that are there at one time.
        queries: of one search.
        ids: of one export.
        header_seconds: until a connection has sent the head of a request.
        body_seconds: until a body is there.
        idle_seconds: that a client may leave between requests, or let an answer lie.
        request_seconds: until an answer begins.
        cached_bytes: of thumbnails.
    """

    waiting: int = 64
    connections: int = 512
    upload_bytes: int = MAX_BYTES
    json_bytes: int = 8 << 20
    other_bytes: int = 4 << 10
    held_bytes: int = 256 << 20
    queries: int = 10
    ids: int = 100_000
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    idle_seconds: float = 30.0
    request_seconds: float = 60.0
    cached_bytes: int = 64 << 20


@dataclass(frozen=True)
class Settings:
    """What is served, where, and to whom.

    Args:
        workspace: folder or URI.
        token: that callers must have; "" for none.
        allow_hosts: names beside those of this machine that callers may use for it.
        allow_private: whether URLs of queries may lead to addresses that are not public.
        copy: folder for copies of the index; None takes the usual one.
        threads: that search, and as many that read.
        watch_seconds: between looks for a new state of the workspace.
    """

    workspace: str
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    allow_hosts: tuple[str, ...] = ()
    allow_private: bool = False
    copy: str | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    watch_seconds: float = 2.0
    limits: Limits = field(default_factory=Limits)

    @property
    def is_loopback(self) -> bool:
        """Return whether only programs of this machine reach it."""
        return self.host in LOOPBACK or self.host.startswith("127.")
