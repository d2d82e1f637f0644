"""Many URLs at once, politely: so many connections in all, fewer to one host."""

from __future__ import annotations

import queue
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Any

from mapsight.web.http_get import Answer, Request, host_of
from mapsight.web.manners import Manners
from mapsight.web.retries import asked_pause
from mapsight.web.url_state import Errand, Limits

__all__ = ["Fetched", "Limits", "fetch_many", "manners_of"]

HEARTBEAT = 10.0  # seconds
IN_MEMORY = 1 << 16  # bytes of a body; what is longer goes to a temporary file
ON_DISK = 1 << 30  # bytes that wait for their turn before no more are asked for


@dataclass(frozen=True)
class Fetched:
    """A picture's bytes, or the error that stands for it."""

    data: bytes | None = None
    error: dict[str, Any] | None = None


def fetch_many(
    urls: Sequence[str],
    limits: Limits,
    waiting: Callable[[], None] = lambda: None,
    manners: Manners | None = None,
) -> Iterator[Fetched]:
    """Fetch URLs, and yield what each gives, in order.

    A server that asks for a pause (Retry-After, Crawl-delay) gets it from all its URLs, and its
    robots.txt is read before them. Bodies
    wait for their turn in temporary files. Memory: IN_MEMORY for each URL, and one
    body. Disk: ON_DISK, and one body for each connection.

    Args:
        urls: few enough to be held.
        waiting: called every HEARTBEAT seconds while nothing is ready.
        manners: what is known of hosts, for more than these URLs; None begins anew.

    Raises:
        OSError: this machine has no space or no file handles left.
    """
    crowd = _Crowd([Errand(url, limits) for url in urls], limits, manners or manners_of(limits))
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


def manners_of(limits: Limits) -> Manners:
    """Return the manners that limits ask for, for all URLs that are fetched by them."""
    return Manners(limits.host_pause, heed=not limits.ignore_robots)


_Arrival = tuple[Errand, Request, Any, Any]


class _Crowd:
    """Errands that share connections; other threads only run `_ask`."""

    def __init__(self, errands: list[Errand], limits: Limits, manners: Manners) -> None:
        self.errands = errands
        self._limits, self._manners = limits, manners
        self._to_do = list(errands)  # in order, those to be asked again first
        self._running: dict[Errand, str] = {}  # with the host they talk to
        self._busy: Counter[str] = Counter()  # connections by host
        self._held: dict[Errand, int] = {}  # bytes that wait for their turn
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()

    def step(self, head: Errand) -> None:
        """Start what may start, and take in what arrives or is late."""
        now = monotonic()
        self._start_all(head, now)
        self._take_in(self._pause(now))
        now = monotonic()
        for errand in [errand for errand in self._running if errand.deadline <= now]:
            self._free(errand)
            errand.late()

    def hand_over(self, errand: Errand) -> Fetched:
        """Return what an errand brought, and free the place it took."""
        if errand.body is None:
            return Fetched(error=errand.error)
        with errand.body as body:
            body.seek(0)
            data = body.read()
        self._held.pop(errand)
        return Fetched(data)

    def hang_up(self) -> None:
        """End what is under way, and let go of what nobody took."""
        for errand in self._running:
            if errand.request:
                errand.request.hang_up()
        for errand in self._held:
            if errand.body:
                errand.body.close()

    def _start_all(self, head: Errand, now: float) -> None:
        full = sum(self._held.values()) >= ON_DISK
        for errand in list(self._to_do):
            if len(self._running) >= self._limits.connections:
                return
            self._end_if_hopeless(errand, now)
            if errand.done:
                self._to_do.remove(errand)
            elif self._may_start(errand, now) and (errand is head or not full):
                self._to_do.remove(errand)
                self._start(errand, now)

    def _end_if_hopeless(self, errand: Errand, now: float) -> None:
        """End what is late, or will be before its host wants to hear of it."""
        wait, left = self._ready(errand) - now, errand.seconds_left(now)
        if left <= 0:
            errand.late()
        elif wait > left:
            errand.fail("url_failed", f"its server asks to wait {wait:.0f} s more")

    def _may_start(self, errand: Errand, now: float) -> bool:
        known = self._manners.knows(errand.url)  # robots.txt comes first, and once
        free = self._busy[errand.host] < (self._limits.per_host if known else 1)
        return free and self._ready(errand) <= now

    def _ready(self, errand: Errand) -> float:
        return max(errand.not_before, self._manners.ready(errand.host))

    def _start(self, errand: Errand, now: float) -> None:
        self._running[errand] = errand.host
        self._busy[errand.host] += 1
        self._manners.asked(errand.host, errand.url, now)
        ask = (errand, errand.begin(now), errand.url)
        Thread(target=self._ask, args=ask, daemon=True).start()

    def _ask(self, errand: Errand, request: Request, url: str) -> None:
        body: Any = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        try:
            self._mind(url, request)
            came: Any = request.get(url, body)
        except BaseException as error:
            came = error
        self._arrivals.put((errand, request, body, came))

    def _mind(self, url: str, request: Request) -> None:
        """See that a host allows a URL; if its rules are news, its other URLs may begin now."""
        known = self._manners.knows(url)
        self._manners.check(url, request)
        if not known:
            self._manners.asked(host_of(url), url, monotonic())
            self._arrivals.put(None)

    def _pause(self, now: float) -> float:
        """Seconds until something is due if nothing arrives."""
        due = [errand.deadline for errand in self._running]
        if len(self._running) < self._limits.connections:
            due += [ready for ready in map(self._ready, self._to_do) if ready > now]
        return min([HEARTBEAT, *(max(at - now, 0.001) for at in due)])

    def _take_in(self, seconds: float) -> None:
        try:
            arrival = self._arrivals.get(timeout=seconds)
            while True:
                if arrival:  # else the rules of a host
                    self._arrived(*arrival)
                arrival = self._arrivals.get_nowait()
        except queue.Empty:
            return

    def _arrived(self, errand: Errand, request: Request, body: Any, came: Any) -> None:
        if errand.request is not request or errand.done:  # given up before
            body.close()
            return
        host = self._free(errand)
        if isinstance(came, Answer) and came.status == 200:
            errand.body, self._held[errand] = body, body.tell()
            return
        body.close()
        now = monotonic()
        if isinstance(came, Answer):
            if (wait := asked_pause(came)) is not None:
                self._manners.close(host, now + wait)
            errand.answered(came, now)
        else:
            errand.raised(came, now)
        if not errand.done:
            self._to_do.insert(0, errand)

    def _free(self, errand: Errand) -> str:
        host = self._running.pop(errand)
        self._busy[host] -= 1
        return host
