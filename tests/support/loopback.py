"""A small HTTP server on a loopback address whose answers a test writes down."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

Answer = Callable[[BaseHTTPRequestHandler], None]
ROBOTS = "robots.txt"


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    """An answer with these headers (`_` for `-`); Content-Length unless given."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        fields = {"Content-Length": str(len(body))}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        for name, value in fields.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def stored(body: bytes, *, cut: int | None = None, md5: str = "", **headers: str) -> Answer:
    """A file as object stores serve it: ETag, MD5, Range and If-Range, 304.

    With `cut` the connection ends after so many bytes. `md5` replaces the true one, in hex.
    """
    digest = md5 or hashlib.md5(body).hexdigest()
    known = {"ETag": f'"{digest}"', "x-goog-hash": f"md5={_base64(digest)}", **headers}

    def answer(request: BaseHTTPRequestHandler) -> None:
        start, asked = 0, request.headers
        if asked.get("If-None-Match") == known["ETag"]:
            return reply(b"", 304, **known)(request)
        if "Range" in asked and asked.get("If-Range") == known["ETag"]:
            start = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
        sent = body[start : None if cut is None else start + cut]
        fields = {"Content-Length": str(len(body) - start), **known}
        if start:
            fields["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return reply(sent, 206 if start else 200, **fields)(request)

    return answer


def _base64(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()


def in_turn(*answers: Answer) -> Answer:
    """The answers one after the other, the last for ever."""
    queue = list(answers)
    return lambda request: (queue.pop(0) if len(queue) > 1 else queue[0])(request)


def dripping(request: BaseHTTPRequestHandler) -> None:
    """A body of 100 kB at a byte every 50 ms."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        request.wfile.write(b"x")
        time.sleep(0.05)


def endless(request: BaseHTTPRequestHandler) -> None:
    """A body without a length and without an end."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        request.wfile.write(b"\x89PNG" * 4096)


def silent(request: BaseHTTPRequestHandler) -> None:
    """Nothing, until the client goes away."""
    request.rfile.read(1)


def reset(request: BaseHTTPRequestHandler) -> None:
    """A connection that is reset: closed with the option to throw away what is unsent."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.rfile.close()
    request.wfile.close()
    request.connection.close()


@dataclass
class Visits:
    """What a server was asked for, and by how many at once."""

    paths: Counter[str] = field(default_factory=Counter)
    most: int = 0
    lock: Lock = field(default_factory=Lock)
    links: set[socket.socket] = field(default_factory=set)

    @property
    def now(self) -> int:
        """Connections that clients have open."""
        return sum(map(_is_open, list(self.links)))

    @contextmanager
    def one(self, path: str, link: socket.socket) -> Iterator[None]:
        with self.lock:
            self.paths[path] += 1
            self.links.add(link)
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self.lock:
                self.links.discard(link)


def _is_open(link: socket.socket) -> bool:
    """Whether the client has not closed it; the server may notice that later."""
    try:
        return link.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except (OSError, ValueError):  # TLS sockets cannot peek
        return False


@contextmanager
def serving(
    *answers: Answer,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    visits: Visits | None = None,
    port: int = 0,
    **paths: Answer,
) -> Iterator[str]:
    """The base URL of a server that gives `answers` in turn (the last for ever).

    `paths` are answers of their own: `serving(page=reply(b""))` answers `/page`.
    With `tls` it speaks HTTPS. `visits` counts; `port` 0 takes any. There is no robots.txt, and
    who asks for it is not counted, unless `paths` have one.
    """
    visits = visits or Visits()
    others = in_turn(*answers or [reply(b"", 404)])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.strip("/")
            if path == ROBOTS and ROBOTS not in paths:
                reply(b"", 404)(self)
                return
            # the client leaves early, as many tests want
            with visits.one(path, self.connection), suppress(OSError, ValueError):
                paths.get(path, others)(self)
            self.close_connection = True

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # closed by an answer that wants it so
                super().handle()

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    server.request_queue_size = 64
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
