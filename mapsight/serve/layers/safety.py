"""Who may ask: Host, Origin and token; and what browsers are told about every answer."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapsight.serve.errors import Refusal
from mapsight.serve.settings import API, LOOPBACK, Settings

__all__ = ["HEADERS", "Guard", "cookie_name", "cookie_of", "is_token"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HIDDEN = ("/api/", "/report", "/metrics")
"""Where pictures are, or what is known of them: needs the token, if there is one."""
OPEN = (f"{API}/token", "/healthz")
"""What is answered without a token, beside the page's own files."""
READING = ("GET", "HEAD")
ANYWHERE = ("0.0.0.0", "::")  # compared, not listened on


def cookie_name(settings: Settings) -> str:
    """Return the name of a server's cookie: browsers send it to all ports of a machine."""
    return f"mapsight-{settings.port}"


def cookie_of(token: str) -> str:
    """Return what the cookie of a token holds: the token cannot be had from it."""
    return hmac.new(token.encode(), b"mapsight serve", hashlib.sha256).hexdigest()


def is_token(given: str, token: str) -> bool:
    """Return whether a token is the right one, in a time that tells nothing of it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


class Guard:
    """Lets through what may ask, and puts HEADERS on every answer.

    Args:
        app: what is guarded.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._token = app, settings.token
        own = [] if settings.is_loopback else [socket.gethostname(), socket.getfqdn()]
        self._hosts = {*LOOPBACK, *_names([settings.host, *settings.allow_hosts, *own])}
        self._cookie = cookie_name(settings)
        self._any_address = settings.host in ANYWHERE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 401 or 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope, Headers(scope=scope))
        except Refusal as refusal:
            await refusal.response()(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise Refusal(403, "this Host is not served; --allow-host NAME allows it", "Host")
        in_api = scope["path"].startswith("/api/")
        if in_api or scope["method"] not in READING:
            _check_origin(headers, host)
        hidden = scope["path"].startswith(HIDDEN) and scope["path"] not in OPEN
        if self._token and hidden:
            self._check_token(headers)

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        return name in self._hosts or (self._any_address and _is_address(name))

    def _check_token(self, headers: Headers) -> None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and is_token(given.strip(), self._token):
            return
        if is_token(_cookie(headers, self._cookie), cookie_of(self._token)):
            return
        raise Refusal(401, "a token is needed", headers={"WWW-Authenticate": "Bearer"})


def _check_origin(headers: Headers, host: str) -> None:
    """Refuse what a page of somebody else sends.

    Raises:
        Refusal: 403.
    """
    origin = headers.get("origin")
    if origin is not None and urlsplit_netloc(origin) != host.lower():
        raise Refusal(403, "asked by a page of another origin", "Origin")
    if headers.get("sec-fetch-site", "") in ("cross-site", "same-site"):
        raise Refusal(403, "asked by a page of another site", "Sec-Fetch-Site")


def urlsplit_netloc(origin: str) -> str:
    """Return host and port of an origin; "" where it has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _cookie(headers: Headers, name: str) -> str:
    with contextlib.suppress(CookieError, KeyError):
        return SimpleCookie(headers.get("cookie", ""))[name].value
    return ""


def _names(hosts: Iterable[str]) -> set[str]:
    return {_name(host) for host in hosts if host not in ANYWHERE}


def _name(host: str) -> str:
    """Return the name of a host without its port.

    >>> _name("LocalHost:8000"), _name("[::1]:8000"), _name("::1")
    ('localhost', '::1', '::1')
    """
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False
