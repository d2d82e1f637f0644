"""One GET of a URL that anybody may have written.

The address is checked at the moment of connecting, so that neither a name, a
redirect, nor a number written in octal leads to a machine that is not public.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import BinaryIO
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from mapsight import __version__
from mapsight.redaction import public_address
from mapsight.web.checksums import said_md5
from mapsight.web.http_answer import HttpAnswer
from mapsight.web.http_errors import FetchError, LateError
from mapsight.web.public_addresses import is_public
from mapsight.web.robots import disallowing_tag

__all__ = [
    "HEADERS",
    "MAX_BYTES",
    "MAX_REDIRECTS",
    "REDIRECTS",
    "USER_AGENT",
    "Answer",
    "FetchError",
    "LateError",
    "Request",
    "host_of",
    "next_hop",
]

NOT_PUBLIC = "is not a public address (--allow-private allows it)"
MAX_BYTES = 64 << 20
MAX_REDIRECTS = 5
BLOCK = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
SAFE = "%/:=&?~#+!$,;'@()*[]"
"""What is left as it is in a path or query; the rest is percent-encoded."""

BLANKS = "".join(map(chr, range(33)))
TABS = re.compile(r"[\t\r\n]")
QUERY = re.compile(r"([^?#]*)([?#]?)(.*)", re.S)
NOT_UTF8 = re.compile("[\udc80-\udcff]")
PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<!--(?:(?!-->).)*-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S
)
USER_AGENT = f"mapsight/{__version__}"
HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True)
class Answer:
    """What a server said: a status, and where it sends us or for how long away."""

    status: int
    location: str | None = None
    retry_after: str | None = None


@dataclass
class Request:
    """The limits of what one thread asks, and the connection it is using now.

    `deadline` is a time of `monotonic()`, `patience` the seconds that a server
    may be silent; with `check_md5` a body must have the MD5 that its server says; with
    `heed_tags` none is taken whose `X-Robots-Tag` disallows it.
    """

    deadline: float
    patience: float
    max_bytes: int
    allow_private: bool
    check_md5: bool = False
    user_agent: str = USER_AGENT
    heed_tags: bool = False
    link: socket.socket | None = None

    def get(self, url: str, sink: BinaryIO) -> Answer:
        """Make one GET, without redirects; a body that comes with status 200 goes to `sink`.

        Raises:
            FetchError: the URL or its address is not allowed, or the body is no picture.
            LateError, OSError, http.client.HTTPException: it did not arrive whole.
        """
        with self.asked(url, HEADERS | {"User-Agent": self.user_agent}) as response:
            if response.status == 200:
                _check_tags(self, response)
                _copy(self, response, sink)
            wait = response.getheader("Retry-After")
            return Answer(response.status, response.getheader("Location"), wait)

    @contextmanager
    def asked(self, url: str, headers: Mapping[str, str]) -> Iterator[HttpAnswer]:
        """Yield the answer to one GET, its body not yet read; raises as `get` does."""
        connection, target, login = _parsed(url)
        with closing(connection):
            connection.sock = link = _connect(self, connection)
            link.settimeout(self.seconds_left())
            connection.request("GET", target, headers={**headers, **login})
            yield HttpAnswer(link, self.seconds_left, self.max_bytes)

    def seconds_left(self) -> float:
        """Return how long the next step may take."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise LateError
        return min(left, self.patience)

    def hang_up(self) -> None:
        """End whatever the thread still waits for."""
        self.deadline = 0.0
        if self.link:
            with suppress(OSError):
                # SSLSocket.shutdown would pull TLS from under a thread that reads
                socket.socket.shutdown(self.link, socket.SHUT_RDWR)


def next_hop(url: str, answer: Answer) -> str:
    """Return where a redirect leads, as browsers read it.

    Bytes that are not UTF-8 are percent-encoded as they are, blanks around it, tabs and
    line breaks are dropped, and a backslash before the query is a slash.

    Raises:
        FetchError: there is no address, or none that can be read.
    """
    location = TABS.sub("", (answer.location or "").strip(BLANKS))
    if not location:
        raise FetchError(f"redirected (status {answer.status}) to nowhere", "url_gone")
    text = NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", location)
    path, mark, rest = QUERY.match(text).groups()  # type: ignore[union-attr]
    try:
        return urljoin(url, path.replace("\\", "/") + mark + rest)
    except ValueError as error:
        raise FetchError(f"redirected to what is no address: {error}", "url_refused") from error


def host_of(url: str) -> str:
    """Return the host of a URL, "" if it has none."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def _parsed(url: str) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    """A connection that is not yet made, what to ask for, and the header of a login."""
    parts = _parts(url)
    host, port = str(parts.hostname), parts.port
    try:
        connection = http.client.HTTPConnection(host, port)
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, context=_tls())
    except (ValueError, http.client.InvalidURL) as error:
        raise FetchError(str(error), "url_refused") from error
    path = quote(parts.path or "/", SAFE)
    target = path + (f"?{quote(parts.query, SAFE)}" * bool(parts.query))
    return connection, target, _login(parts)


def _parts(url: str) -> SplitResult:
    """The parts of an http or https URL with a host."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme in ("http", "https") and parts.hostname:
            _ = parts.port  # ValueError, which shows what may be a piece of a password
            return parts
    except ValueError as error:
        reason = "its port is no number" if "@" in url or "ort" in str(error) else str(error)
        raise FetchError(reason, "url_refused") from None
    raise FetchError(f"not an http or https address: {public_address(url)[:200]!r}", "url_refused")


def _login(parts: SplitResult) -> dict[str, str]:
    """The header for a name and password in an address (RFC 7617)."""
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates of the system takes longer than many a picture."""
    return ssl.create_default_context()


def _connect(request: Request, connection: http.client.HTTPConnection) -> socket.socket:
    """A connection to an address of a host, all of which must be public."""
    host = connection.host
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise FetchError(f"{host[:200]!r} is no name of a host: {error}", "url_refused") from error
    for *_, address in found:
        if not (request.allow_private or is_public(str(address[0]))):
            where = host if host == address[0] else f"{host} ({address[0]})"
            raise FetchError(f"{where} {NOT_PUBLIC}", "url_refused")
    link = _first_that_answers(request, found)
    if isinstance(connection, http.client.HTTPSConnection):
        link = _tls().wrap_socket(link, server_hostname=host, do_handshake_on_connect=False)
        request.link = link
        link.settimeout(request.seconds_left())
        link.do_handshake()
    return link


def _first_that_answers(request: Request, found: Sequence[tuple]) -> socket.socket:
    """A connection to exactly one of these addresses, without asking for names again."""
    problem = OSError("the host has no address")
    for family, kind, protocol, _, address in found:
        request.link = link = socket.socket(family, kind, protocol)
        link.settimeout(request.seconds_left())
        try:
            link.connect(address)
            return link
        except OSError as error:
            link.close()
            problem = error
    raise problem


def _check_tags(request: Request, response: HttpAnswer) -> None:
    """See that the server does not ask programs to leave this picture alone."""
    if request.heed_tags and (tag := disallowing_tag(response.values("X-Robots-Tag"))):
        reason = f"X-Robots-Tag: {tag} (--ignore-robots uses it all the same)"
        raise FetchError(reason, "url_disallowed")


def _copy(request: Request, response: HttpAnswer, sink: BinaryIO) -> None:
    """The body, if it is complete, not too long, not compressed and no web page."""
    coding = response.getheader("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise FetchError(
            f"the body is encoded as {coding!r}, which was not asked for", "not_an_image"
        )
    length, limit = response.length, request.max_bytes
    if length is not None and length > limit:
        raise FetchError(f"{length} bytes, at most {limit} allowed", "too_many_bytes")
    size, digest = 0, hashlib.md5(usedforsecurity=False)
    while block := response.read(BLOCK):
        if not size and PAGE.match(block[:4096]):
            raise FetchError("the server sent a web page, not a picture", "not_an_image")
        size += len(block)
        if size > limit:
            raise FetchError(f"more than {limit} bytes", "too_many_bytes")
        digest.update(block)
        sink.write(block)
    if length is not None and size < length:
        raise FetchError(f"the body ended after {size} of {length} bytes", passing=True)
    if not size:
        raise FetchError("the server sent nothing", "empty")
    said = said_md5(response) if request.check_md5 else None
    if said and digest.hexdigest() != said:
        raise FetchError(f"its MD5 is {digest.hexdigest()}, the server says {said}", passing=True)
