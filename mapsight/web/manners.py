"""Good manners on the web: what hosts ask for is kept in mind, and done."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic
from urllib.parse import urlsplit

from mapsight.redaction import public_address
from mapsight.web.http_get import (
    HEADERS,
    MAX_REDIRECTS,
    REDIRECTS,
    Answer,
    FetchError,
    Request,
    next_hop,
)
from mapsight.web.retries import PASSING
from mapsight.web.robots import EVERYTHING, MOST_BYTES, Rules, rules_in

__all__ = ["Manners"]

DAY = 86400.0
MOST_HOSTS, MOST_TEXT = 4096, 16 << 20
"""Whose rules are kept in mind, and bytes of all their files."""


class Manners:
    """The rules of hosts, and when each wants to be asked again. Any number of threads.

    Memory: MOST_HOSTS, and some times MOST_TEXT.

    Args:
        pause: seconds between two requests to a host, where it does not ask for more.
        heed: read robots.txt, and do what it says.
    """

    def __init__(self, pause: float = 0.0, *, heed: bool = True) -> None:
        self._pause, self._heed = pause, heed
        self._lock = Lock()
        self._rules: OrderedDict[str, tuple[Rules, float]] = OrderedDict()
        self._size = 0
        self._closed_until: OrderedDict[str, float] = OrderedDict()

    def ready(self, host: str) -> float:
        """Return when a host may be asked, as a time of `monotonic()`."""
        return self._closed_until.get(host, 0.0)

    def close(self, host: str, until: float) -> None:
        """Ask a host no more until a time."""
        with self._lock:
            self._closed_until[host] = max(until, self.ready(host))
            self._closed_until.move_to_end(host)
            if len(self._closed_until) > MOST_HOSTS:
                self._closed_until.popitem(last=False)

    def asked(self, host: str, url: str, at: float) -> None:
        """Note that a host was asked at a time: it gets its pause."""
        rules = self._known(_origin(url))
        delay = max(self._pause, rules.delay if rules else 0.0)
        if delay:
            self.close(host, at + delay)

    def knows(self, url: str) -> bool:
        """Return whether no robots.txt has to be read before a URL."""
        return not self._heed or self._known(_origin(url)) is not None

    def check(self, url: str, request: Request) -> None:
        """Read the robots.txt of a URL's host if it is not known, and see that it allows the URL.

        A host without one, or that answers 4xx, allows everything; one that has no answer now is
        to be asked again later (RFC 9309, 2.3.1).

        Raises:
            FetchError: it does not allow it, or has no answer now.
            LateError, OSError, http.client.HTTPException: as of `Request.get`.
        """
        if not self._heed or not (origin := _origin(url)):
            return
        rules = self._known(origin)
        if rules is None:
            rules = _read(f"{origin}/robots.txt", request)
            self._keep(origin, rules)
        if not rules.allow(url):
            raise FetchError(
                f"robots.txt of {public_address(origin)} does not allow it"
                " (--ignore-robots fetches it all the same)",
                "url_disallowed",
            )

    def _known(self, origin: str) -> Rules | None:
        with self._lock:
            rules, since = self._rules.get(origin, (None, 0.0))
        return rules if rules and monotonic() - since < DAY else None

    def _keep(self, origin: str, rules: Rules) -> None:
        with self._lock:
            if origin in self._rules:
                self._size -= self._rules.pop(origin)[0].size
            self._rules[origin] = rules, monotonic()
            self._size += rules.size
            while len(self._rules) > 1 and (
                len(self._rules) > MOST_HOSTS or self._size > MOST_TEXT
            ):
                self._size -= self._rules.popitem(last=False)[1][0].size


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL; "" if it is none that is asked."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    host = parts.hostname or ""
    known = parts.scheme in ("http", "https") and host
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}" if known else ""


def _read(url: str, request: Request) -> Rules:
    """Return the rules at an address, after redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        with request.asked(
            url, HEADERS | {"User-Agent": request.user_agent, "Accept": "text/plain"}
        ) as response:
            if response.status == 200:
                return rules_in(response.read(MOST_BYTES))
            answer = Answer(response.status, response.getheader("Location"))
        if answer.status in PASSING or answer.status >= 500:
            raise FetchError(f"robots.txt: the server answered {answer.status}", passing=True)
        if answer.status not in REDIRECTS:
            return EVERYTHING
        try:
            url = next_hop(url, answer)
        except FetchError:
            return EVERYTHING
    return EVERYTHING
