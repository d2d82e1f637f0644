"""Clients that ask one after the other, and what they waited."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Load", "Request", "loaded"]


@dataclass(frozen=True)
class Request:
    """What is sent, and what the answer must hold."""

    method: str
    path: str
    body: bytes = b""
    kind: str = ""
    holds: str = ""

    def sent(self, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        headers = {"Content-Type": self.kind} if self.kind else {}
        connection.request(self.method, self.path, self.body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@dataclass
class Load:
    """Seconds of each answer of some clients, and those that were no answers or wrong."""

    clients: int
    seconds: float
    waited: list[float] = field(default_factory=list)
    busy: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return answers a second, of all clients together."""
        return len(self.waited) / self.seconds

    def milliseconds(self, percent: float) -> float:
        """Return what so many of the answers took at most."""
        return 1000 * float(np.percentile(self.waited, percent)) if self.waited else float("nan")


def loaded(port: int, requests: Sequence[Request], clients: int, seconds: float) -> Load:
    """Have clients ask for some seconds, each the requests in turn from another one on."""
    load = Load(clients, seconds)
    ends = time.perf_counter() + seconds
    work = [
        threading.Thread(target=_ask, args=(port, requests[i:] + requests[:i], ends, load))
        for i in (number * len(requests) // clients for number in range(clients))
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    return load


def _ask(port: int, requests: Sequence[Request], ends: float, load: Load) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    number = 0
    while time.perf_counter() < ends:
        request = requests[number % len(requests)]
        number += 1
        began = time.perf_counter()
        try:
            status, body = request.sent(connection)
        except (OSError, http.client.HTTPException) as error:
            load.wrong.append(repr(error))
            connection.close()
            continue
        waited = time.perf_counter() - began
        if status == 503:
            load.busy += 1
        elif status != 200 or request.holds not in _first(body):
            load.wrong.append(f"{request.path[:80]}: {status} {body[:200]!r}")
        else:
            load.waited.append(waited)
    connection.close()


def _first(body: bytes) -> str:
    """Return the id of the first answer to a search; "" where there is none."""
    found = json.loads(body)
    rows = found["answers"][0] if "answers" in found else found.get("items", [])
    return rows[0]["image_id"] if rows else ""


def alone(answer: Callable[[int], object], seconds: float) -> Load:
    """Have one caller call a function with 0, 1, 2 … for some seconds."""
    load, number = Load(1, seconds), 0
    ends = time.perf_counter() + seconds
    while (began := time.perf_counter()) < ends:
        answer(number)
        load.waited.append(time.perf_counter() - began)
        number += 1
    return load
