"""A URL on its way to a picture or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO

from mapsight.records import error_record
from mapsight.web.http_get import (
    MAX_BYTES,
    MAX_REDIRECTS,
    REDIRECTS,
    USER_AGENT,
    Answer,
    FetchError,
    LateError,
    Request,
    host_of,
    next_hop,
)
from mapsight.web.retries import TRIES, asked_pause, is_ours, may_pass, pause

__all__ = ["Errand", "Limits"]

PATIENCE = 10.0  # seconds a server may be silent before it is asked again


@dataclass(frozen=True)
class Limits:
    """What fetching may take.

    `seconds` are for one URL from when it is first asked for, all tries and
    redirects included; `connections` are open at once, `per_host` of them to one
    host, also where a redirect leads; `allow_private` admits addresses that are not
    public; a body has at most `max_bytes`, and with `check_md5` the MD5 that its
    server says. `user_agent` is what servers are told, `host_pause` the least seconds between two
    requests to one host; with `ignore_robots` neither robots.txt nor X-Robots-Tag is heeded.
    """

    seconds: float = 120.0
    connections: int = 16
    per_host: int = 4
    allow_private: bool = False
    max_bytes: int = MAX_BYTES
    check_md5: bool = False
    user_agent: str = USER_AGENT
    host_pause: float = 0.0
    ignore_robots: bool = False


@dataclass(eq=False)
class Errand:
    """Where a URL stands: it is `done` when it has a body or an error.

    Times are those of `time.monotonic()`; `deadline` is 0 before it is asked for.
    """

    url: str
    limits: Limits
    host: str = field(init=False)  # that is to be asked now
    deadline: float = 0.0
    not_before: float = 0.0
    tries: int = 0
    hops: int = 0
    request: Request | None = None
    body: BinaryIO | None = None
    error: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.host = host_of(self.url)

    @property
    def done(self) -> bool:
        """Return whether nothing more is to be asked."""
        return self.body is not None or self.error is not None

    def seconds_left(self, now: float) -> float:
        """Return how long it may still take."""
        return self.deadline - now if self.deadline else self.limits.seconds

    def begin(self, now: float) -> Request:
        """Count one more try."""
        limits = self.limits
        self.deadline = self.deadline or now + limits.seconds
        self.tries += 1
        patience = min(PATIENCE, limits.seconds / 2)
        self.request = Request(
            self.deadline,
            patience,
            limits.max_bytes,
            limits.allow_private,
            limits.check_md5,
            limits.user_agent,
            heed_tags=not limits.ignore_robots,
        )
        return self.request

    def answered(self, answer: Answer, now: float) -> None:
        """Note that a server said something else than 200."""
        if answer.status in REDIRECTS:
            self._redirected(answer)
        elif may_pass(answer):
            wait = asked_pause(answer)
            words = "" if wait is None else f" and asks to wait {wait:.0f} s"
            self._again(f"the server answered {answer.status}{words}", now, wait or 0.0)
        else:
            self.fail("url_gone", f"the server answered {answer.status}")

    def raised(self, error: BaseException, now: float) -> None:
        """Note that there was no answer, or that its body was of no use.

        Raises:
            BaseException: what is wrong is this machine or this program.
        """
        if isinstance(error, LateError):
            self.late()
        elif is_ours(error):
            raise error
        elif may_pass(error):
            self._again(str(error) or type(error).__name__, now)
        elif isinstance(error, ValueError):
            self.fail(error.code if isinstance(error, FetchError) else "url_refused", error)
        else:
            self.fail("url_failed", error)

    def late(self) -> None:
        """Note that the time is over."""
        if self.request:
            self.request.hang_up()
        self.fail("url_failed", f"not complete after {self.limits.seconds:g} s")

    def fail(self, code: str, reason: object) -> None:
        """End without a picture."""
        self.error = error_record(code, reason)

    def _redirected(self, answer: Answer) -> None:
        if self.hops == MAX_REDIRECTS:
            self.fail("url_gone", f"more than {MAX_REDIRECTS} redirects")
            return
        try:
            self.url = next_hop(self.url, answer)
        except ValueError as error:
            self.fail("url_gone", error)
        self.host = host_of(self.url)
        self.hops += 1
        self.tries -= 1

    def _again(self, reason: str, now: float, wait: float = 0.0) -> None:
        """Tries later, unless that was often enough or would be too late."""
        self.not_before = now + wait + pause(self.tries)
        if self.tries >= TRIES or self.not_before >= self.deadline:
            tries = f" ({self.tries} tries)" if self.tries > 1 else ""
            self.fail("url_failed", reason + tries)
