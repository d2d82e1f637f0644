"""Running a server until it is told to stop."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from mapsight.errors import Failure
from mapsight.serve.app import application
from mapsight.serve.layers.protocol import protocol
from mapsight.serve.server import Server
from mapsight.serve.settings import Settings

__all__ = ["configured", "listening", "serve"]

BACKLOG = 512
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        Failure: nobody may listen there, or somebody does.
    """
    try:
        # with its protocol, or asyncio leaves Nagle's algorithm on: 40 ms for each answer
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol_number, _, place = known[0]
        own = socket.socket(family, kind, protocol_number)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(place)
        own.listen(BACKLOG)
    except OSError as error:
        why = error.strerror or str(error)
        raise Failure(f"--host {host} --port {port}: {why}; --port takes another") from error
    return own


def serve(
    settings: Settings,
    own: socket.socket,
    tell: Callable[[str], object] = sys.stderr.write,
    ready: Callable[[Server], object] = id,
) -> None:
    """Answer requests until this process is told to stop (SIGINT, SIGTERM, SIGHUP).

    Args:
        own: a socket that listens.
        tell: is called with the lines of the log.
        ready: is called when the state is open and requests are about to be answered.

    Raises:
        Failure: the workspace cannot be opened.
    """
    server = Server(settings, tell)
    ready(server)
    loop = uvicorn.Server(configured(server))
    with _stopped_by_signals(loop):
        loop.run(sockets=[own])
    tell("stopped\n")


@contextlib.contextmanager
def _stopped_by_signals(loop: uvicorn.Server) -> Iterator[None]:
    """Have signals end a server and nothing else: uvicorn raises what it caught once more."""

    def stop(number: int, frame: FrameType | None) -> None:
        loop.should_exit = True

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def configured(server: Server) -> uvicorn.Config:
    """Return how uvicorn runs a server."""
    limits = server.settings.limits
    return uvicorn.Config(
        application(server),
        http=protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(limits.idle_seconds),
        timeout_graceful_shutdown=5,
    )
