"""A small HTTP server on a loopback address whose answers a test writes down."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = Callable[[BaseHTTPRequestHandler], None]


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


@contextmanager
def serving(
    *answers: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, **paths: Answer
) -> Iterator[str]:
    """The base URL of a server that gives `answers` in turn (the last for ever).

    `paths` are answers of their own: `serving(page=reply(b""))` answers `/page`.
    With `tls` it speaks HTTPS.
    """
    queue = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own = paths.get(self.path.strip("/"))
            answer = own or (queue.pop(0) if len(queue) > 1 else queue[0])
            with suppress(OSError):  # the client leaves early, as many tests want
                answer(self)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
