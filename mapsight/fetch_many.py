"""Many URLs at once, politely: so many connections in all, fewer to one host.

What a server refuses for a moment is asked again, after pauses that grow and
that it may name itself (Retry-After). The pauses are drawn at random from zero
to their full length, so that tasks that failed together do not come back
together: "full jitter" of M. Brooker, "Exponential Backoff and Jitter", 2015.
"""

from __future__ import annotations

import email.utils
import http.client
import queue
import random
import socket
import ssl
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic, time
from typing import Any, BinaryIO

from mapsight.fetch import (
    MAX_BYTES,
    MAX_REDIRECTS,
    REDIRECTS,
    Answer,
    FetchError,
    LateError,
    Request,
    host_of,
    next_hop,
)
from mapsight.records import error_record

__all__ = ["Fetched", "Limits", "fetch_many"]

TRIES = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What a server answers that may answer otherwise in a moment."""

PATIENCE = 10.0  # seconds a server may be silent before it is asked again
HEARTBEAT = 10.0  # seconds
IN_MEMORY = 1 << 16  # bytes of a body; what is longer goes to a temporary file
ON_DISK = 1 << 30  # bytes that wait for their turn before no more are asked for
FINAL_NAMES = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


@dataclass(frozen=True)
class Limits:
    """What fetching may take.

    `seconds` are for one URL from when it is first asked for, all tries and
    redirects included; `connections` are open at once, `per_host` of them to one
    host, also where a redirect leads; `allow_private` admits addresses that are not
    public; a body has at most `max_bytes`.
    """

    seconds: float = 120.0
    connections: int = 16
    per_host: int = 4
    allow_private: bool = False
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class Fetched:
    """A picture's bytes, or the error that stands for it."""

    data: bytes | None = None
    error: dict[str, Any] | None = None


@dataclass(eq=False)
class _Errand:
    """One URL on its way: where it is now, how often it was tried, what came of it."""

    url: str
    host: str
    deadline: float = 0.0  # 0: not asked for yet
    not_before: float = 0.0
    tries: int = 0
    hops: int = 0
    request: Request | None = None
    body: BinaryIO | None = None
    size: int = 0
    error: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        return self.body is not None or self.error is not None


Arrival = tuple[_Errand, Request, Any, Any]  # errand, request, body, answer or exception


def fetch_many(
    urls: Sequence[str], limits: Limits, waiting: Callable[[], None] = lambda: None
) -> Iterator[Fetched]:
    """What each URL gives, in order.

    Memory: IN_MEMORY for each URL, and one body. Temporary files: ON_DISK, and one
    body for each connection.

    Args:
        urls: few enough to be held.
        waiting: called every HEARTBEAT seconds while nothing is ready.
    """
    crowd = _Crowd(limits, [_Errand(url, host_of(url)) for url in urls])
    try:
        for errand in crowd.errands:
            heard = monotonic()
            while not errand.done:
                crowd.step(errand)
                if monotonic() - heard >= HEARTBEAT:
                    heard = monotonic()
                    waiting()
            yield crowd.hand_over(errand)
    finally:
        crowd.hang_up()


@dataclass
class _Crowd:
    """Errands that share connections. Only `_run` is called by other threads."""

    limits: Limits
    errands: list[_Errand]
    queue: list[_Errand] = field(default_factory=list)  # in order, retried ones in their place
    running: dict[_Errand, str] = field(default_factory=dict)  # with the host they talk to
    busy: Counter[str] = field(default_factory=Counter)  # connections by host
    closed_until: dict[str, float] = field(default_factory=dict)  # hosts that asked for a pause
    held: int = 0  # bytes of bodies that wait for their turn
    arrivals: queue.SimpleQueue[Arrival] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.queue = list(self.errands)

    def step(self, head: _Errand) -> None:
        """Start what may start, and take in what has arrived or is late."""
        now = monotonic()
        self._start_all(head, now)
        self._take_in(self._pause(now))
        now = monotonic()
        for errand in [e for e in self.running if e.deadline <= now]:
            self._too_late(errand)

    def _start_all(self, head: _Errand, now: float) -> None:
        for errand in list(self.queue):
            if len(self.running) >= self.limits.connections:
                return
            if errand.done or self._hopeless(errand, now):
                self.queue.remove(errand)
            elif self._may_start(errand, head, now):
                self.queue.remove(errand)
                self._start(errand, now)

    def _may_start(self, errand: _Errand, head: _Errand, now: float) -> bool:
        return (
            self._ready(errand) <= now
            and self.busy[errand.host] < self.limits.per_host
            and (self.held < ON_DISK or errand is head)
        )

    def _ready(self, errand: _Errand) -> float:
        return max(errand.not_before, self.closed_until.get(errand.host, 0.0))

    def _hopeless(self, errand: _Errand, now: float) -> bool:
        """Fails what its host will not hear in time."""
        wait = self._ready(errand) - now
        allowed = errand.deadline - now if errand.deadline else self.limits.seconds
        if wait <= max(allowed, 0.0) and allowed > 0:
            return False
        if wait > allowed:
            self._fail(errand, "url_failed", f"the host asks to wait {wait:.0f} s more")
        else:
            self._too_late(errand)
        return True

    def _start(self, errand: _Errand, now: float) -> None:
        limits = self.limits
        errand.deadline = errand.deadline or now + limits.seconds
        patience = min(PATIENCE, limits.seconds / 2)
        errand.request = Request(errand.deadline, patience, limits.max_bytes, limits.allow_private)
        errand.tries += 1
        self.running[errand] = errand.host
        self.busy[errand.host] += 1
        Thread(target=self._run, args=(errand, errand.request, errand.url), daemon=True).start()

    def _run(self, errand: _Errand, request: Request, url: str) -> None:
        body: Any = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)
        try:
            came: Any = request.get(url, body)
        except BaseException as error:
            came = error
        self.arrivals.put((errand, request, body, came))

    def _pause(self, now: float) -> float:
        """Seconds until something is due, if nothing arrives before."""
        due = [errand.deadline for errand in self.running]
        if len(self.running) < self.limits.connections:
            due += [self._ready(errand) for errand in self.queue if self._ready(errand) > now]
        return min([HEARTBEAT, *(max(at - now, 0.001) for at in due)])

    def _take_in(self, seconds: float) -> None:
        try:
            arrival = self.arrivals.get(timeout=seconds)
            while True:
                self._arrived(*arrival)
                arrival = self.arrivals.get_nowait()
        except queue.Empty:
            return

    def _arrived(self, errand: _Errand, request: Request, body: Any, came: Any) -> None:
        if errand.request is not request:  # given up before
            body.close()
            return
        self._free(errand)
        if isinstance(came, Answer) and came.status == 200:
            errand.body, errand.size = body, body.tell()
            self.held += errand.size
            return
        body.close()
        if isinstance(came, Answer):
            self._answered(errand, came)
        else:
            self._raised(errand, came)

    def _free(self, errand: _Errand) -> None:
        errand.request = None
        self.busy[self.running.pop(errand)] -= 1

    def _answered(self, errand: _Errand, answer: Answer) -> None:
        """Something else than a picture."""
        if answer.status in REDIRECTS:
            self._redirected(errand, answer)
            return
        reason = f"the server answered {answer.status}"
        if answer.status not in PASSING:
            self._fail(errand, "url_gone", reason)
            return
        wait = _seconds_of(answer.retry_after)
        if answer.status in (429, 503) and wait is not None:
            self.closed_until[errand.host] = monotonic() + wait
        self._again(errand, reason, wait or 0.0)

    def _redirected(self, errand: _Errand, answer: Answer) -> None:
        if errand.hops == MAX_REDIRECTS:
            self._fail(errand, "url_gone", f"more than {MAX_REDIRECTS} redirects")
            return
        try:
            errand.url = next_hop(errand.url, answer)
        except ValueError as error:
            self._fail(errand, "url_gone", error)
            return
        errand.host = host_of(errand.url)
        errand.hops += 1
        errand.tries -= 1
        self.queue.insert(0, errand)

    def _raised(self, errand: _Errand, error: BaseException) -> None:
        if isinstance(error, LateError):
            self._too_late(errand)
        elif isinstance(error, FetchError) and not error.passing:
            self._fail(errand, error.code, error)
        elif _lasts(error):
            self._fail(errand, "url_failed", error)
        elif isinstance(error, (OSError, http.client.HTTPException, FetchError)):
            self._again(errand, str(error) or type(error).__name__, 0.0)
        else:
            raise error

    def _again(self, errand: _Errand, reason: str, wait: float) -> None:
        """Tries later, unless that was often enough or would be too late."""
        now = monotonic()
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (errand.tries - 1))
        errand.not_before = now + wait + random.uniform(0, longest)
        if errand.tries >= TRIES or errand.not_before >= errand.deadline:
            tries = f" ({errand.tries} tries)" if errand.tries > 1 else ""
            self._fail(errand, "url_failed", reason + tries)
        else:
            self.queue.insert(0, errand)

    def _too_late(self, errand: _Errand) -> None:
        if errand.request:
            errand.request.hang_up()
            self._free(errand)
        self._fail(errand, "url_failed", f"not complete after {self.limits.seconds:g} s")

    def _fail(self, errand: _Errand, code: str, reason: object) -> None:
        errand.error = error_record(code, reason)

    def hand_over(self, errand: _Errand) -> Fetched:
        """What an errand brought; its place is free then."""
        if errand.body is None:
            return Fetched(error=errand.error)
        with errand.body as body:
            body.seek(0)
            data = body.read()
        self.held -= errand.size
        errand.body, errand.error = None, {}
        return Fetched(data)

    def hang_up(self) -> None:
        """Ends what is still under way."""
        for errand in self.running:
            assert errand.request
            errand.request.hang_up()
        for errand in self.errands:
            if errand.body:
                errand.body.close()


def _lasts(error: BaseException) -> bool:
    """Whether asking again in a moment would be in vain."""
    if isinstance(error, socket.gaierror):
        return error.errno in FINAL_NAMES
    return isinstance(error, ssl.SSLCertVerificationError)


def _seconds_of(text: str | None) -> float | None:
    """How long a Retry-After header asks to wait: seconds or a date (RFC 9110, 10.2.3)."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
