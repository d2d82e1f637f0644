"""A picture from a URL that anybody may have written.

The address is checked at the moment of connecting, so that neither a name, a
redirect, nor a number written in octal leads to a machine that is not public.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from urllib.parse import quote, urljoin, urlsplit

from mapsight import __version__

__all__ = ["FetchError", "fetch", "is_public"]

MAX_BYTES = 64 << 20
REDIRECTS = (301, 302, 303, 307, 308)
SAFE = "%/:=&?~#+!$,;'@()*[]"
"""What is left as it is in a path or query; the rest is percent-encoded."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of Alibaba
        "168.63.129.16/32",  # the metadata service of Azure, under a public number
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "fec0::/10",
    )
]
"""What not every version of `ipaddress` knows as private or reserved."""

PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<!--(?:(?!-->).)*-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S
)
HEADERS = {
    "User-Agent": f"mapsight/{__version__}",
    "Accept": "image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(ValueError):
    """A URL that cannot or must not be fetched."""


def fetch(
    url: str,
    *,
    seconds: float = 30.0,
    max_bytes: int = MAX_BYTES,
    max_redirects: int = 5,
    allow_private: bool = False,
) -> bytes:
    """The body that a GET of an http or https URL gives, after redirects.

    TLS certificates are verified; proxies named in the environment are not used.

    Args:
        seconds: for everything together: names, connections, redirects and body.
        max_bytes: the longest body accepted, whatever its Content-Length says.
        allow_private: also connect to addresses that are not public.

    Raises:
        FetchError: naming the URL and the reason.
    """
    job = _Job(monotonic() + seconds, max_bytes, max_redirects, allow_private)
    future: Future[bytes] = Future()
    Thread(target=_settle, args=(future, job, url), daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except (TimeoutError, FutureTimeoutError, _LateError):
        raise FetchError(f"{url}: not complete after {seconds:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError(f"{url}: {error or type(error).__name__}") from error
    finally:
        job.hang_up()


def is_public(address: str) -> bool:
    """Whether an IP address, or the IPv4 address inside it, is of the public internet."""
    ip: Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in NOT_PUBLIC)
    return ip.is_global and not special


class _LateError(Exception):
    """The time is over."""


@dataclass
class _Job:
    """The limits of one fetch, and the connection it is using now."""

    deadline: float
    max_bytes: int
    max_redirects: int
    allow_private: bool
    link: socket.socket | None = None

    def seconds_left(self) -> float:
        left = self.deadline - monotonic()
        if left <= 0:
            raise _LateError
        return left

    def hang_up(self) -> None:
        """Ends whatever the thread still waits for."""
        self.deadline = 0.0
        if self.link:
            with suppress(OSError):
                # SSLSocket.shutdown would pull TLS from under a thread that reads
                socket.socket.shutdown(self.link, socket.SHUT_RDWR)


def _settle(future: Future[bytes], job: _Job, url: str) -> None:
    try:
        future.set_result(_follow(job, url))
    except BaseException as error:
        future.set_exception(error)


def _follow(job: _Job, url: str) -> bytes:
    """The picture at the end of the redirects."""
    for _ in range(job.max_redirects + 1):
        status, location, body = _get(job, url)
        if status not in REDIRECTS:
            break
        if not location:
            raise FetchError(f"redirected (status {status}) to nowhere")
        url = urljoin(url, location)
    else:
        raise FetchError(f"more than {job.max_redirects} redirects")
    if status != 200:
        raise FetchError(f"the server answered {status}, expected 200")
    if PAGE.match(body[:4096]):
        raise FetchError("the server sent a web page, not a picture")
    if not body:
        raise FetchError("the server sent nothing")
    return body


def _get(job: _Job, url: str) -> tuple[int, str | None, bytes]:
    """One request: status, where it redirects, and the body if the status is 200."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError(f"not an http or https address: {url[:200]!r}")
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, context=tls)
        if tls
        else http.client.HTTPConnection(parts.hostname, parts.port)
    )
    target = quote(parts.path or "/", SAFE) + (f"?{quote(parts.query, SAFE)}" * bool(parts.query))
    with closing(connection):
        connection.sock = _connect(job, connection.host, connection.port, tls)
        connection.request("GET", target, headers=HEADERS)
        response = connection.getresponse()
        body = _body(job, response) if response.status == 200 else b""
        return response.status, response.getheader("Location"), body


def _connect(job: _Job, host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """A connection to an address of a host, all of which must be public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        if not (job.allow_private or is_public(str(address[0]))):
            where = host if host == address[0] else f"{host} ({address[0]})"
            raise FetchError(f"{where} is not a public address")
    link = _first_that_answers(job, found)
    if tls:
        link = tls.wrap_socket(link, server_hostname=host, do_handshake_on_connect=False)
        job.link = link
        link.settimeout(job.seconds_left())
        link.do_handshake()
    return link


def _first_that_answers(job: _Job, found: Sequence[tuple]) -> socket.socket:
    """A connection to exactly one of these addresses, without asking for names again."""
    problem = OSError("the host has no address")
    for family, kind, protocol, _, address in found:
        job.link = link = socket.socket(family, kind, protocol)
        link.settimeout(job.seconds_left())
        try:
            link.connect(address)
            return link
        except OSError as error:
            link.close()
            problem = error
    raise problem


def _body(job: _Job, response: http.client.HTTPResponse) -> bytes:
    """The body, if it is complete, not too long and not compressed."""
    coding = response.getheader("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise FetchError(f"the body is encoded as {coding!r}, which was not asked for")
    length = response.length
    if length is not None and length > job.max_bytes:
        raise FetchError(f"{length} bytes, at most {job.max_bytes} allowed")
    body = response.read(job.max_bytes + 1)
    if len(body) > job.max_bytes:
        raise FetchError(f"more than {job.max_bytes} bytes")
    if length is not None and len(body) < length:
        raise FetchError(f"the body ended after {len(body)} of {length} bytes")
    return body
