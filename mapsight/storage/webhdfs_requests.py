"""Asking NameNodes over HTTP, with patience: standbys, lost DataNodes, broken answers."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, urlsplit

from mapsight.extras import lacking
from mapsight.storage.hadoop_conf import in_streaming_task
from mapsight.storage.hdfs_base import error_of

__all__ = ["NameNodes", "PassingError"]

Result = TypeVar("Result")

PATIENCE, FIRST_PATIENCE = 120.0, 5.0
"""Seconds of failures in a row: of a cluster that has answered (a NameNode's failover takes up to
a minute), and of one that never has."""
LONGEST_PAUSE = 10.0
TIMEOUTS = 10.0, 120.0
"""Seconds to connect, and without a byte."""
SHUN_SECONDS = 60.0
PIECE_BYTES = 64 << 20
TEMPORARY_REDIRECT, MAX_HOPS = 307, 4
"""To a DataNode, or to a NameNode or gateway that sends on to one."""
PASSING_KINDS = frozenset(
    (
        "StandbyException",
        "RetriableException",
        "SafeModeException",
        "ObserverRetryOnActiveException",
        "BlockMissingException",
        "ConnectException",
        "NoRouteToHostException",
        "SocketTimeoutException",
        "LeaseExpiredException",
    )
)
PASSING_STATUS = frozenset((408, 429, 502, 503, 504))


class PassingError(ConnectionError):
    """A fault that may be gone in a moment."""


class NameNodes:
    """The NameNodes of one HDFS: the one that answered last is asked first.

    Raises:
        ImportError: Kerberos without requests-kerberos.
    """

    def __init__(self, addresses: Sequence[str], user: str | None, kerberos: bool) -> None:
        import requests

        self._addresses = list(addresses)
        self._user = {"user.name": user} if user else {}
        # a task runs because its cluster does
        self._answered = in_streaming_task()
        self._shunned, self._shunned_until = "", 0.0
        self._session = requests.Session()
        # proxies of the environment lead to the internet, not into the cluster
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        if kerberos:
            self._session.auth = _kerberos()

    def patiently(self, address: str, attempt: Callable[[], Result]) -> Result:
        """Attempt it until it works, and return the result.

        Raises:
            ConnectionError: faults that did not pass, naming `address`.
        """
        patience, began, tries = PATIENCE if self._answered else FIRST_PATIENCE, time.monotonic(), 0
        while True:
            try:
                return attempt()
            except PassingError as fault:
                tries += 1
                if time.monotonic() - began > patience:
                    line = f"{fault} ({tries} tries)"
                    raise ConnectionError(errno.EIO, line, address) from fault
                # every NameNode is asked once before the first pause
                rounds = tries // max(len(self._addresses), 1)
                time.sleep(min(LONGEST_PAUSE, 0.1 * 2**rounds) if rounds else 0)

    def at_once(self, attempt: Callable[[], object]) -> None:
        """Attempt once what does not matter."""
        with contextlib.suppress(OSError):
            attempt()

    def ask(
        self,
        method: str,
        op: str,
        path: str,
        address: str,
        body: BinaryIO | None = None,
        stream: bool = False,
        **parameters: Any,
    ) -> Any:
        """Ask the NameNode one question, and the DataNode that it names; return the good answer.

        Raises:
            PassingError: no answer, or one that may be another in a moment.
            OSError: the answer is an error; it names `address`.
        """
        if not self._addresses:
            raise ConnectionError(errno.EIO, "no NameNode's web address is known", address)
        asked = self._addresses[0]
        url = f"{asked}/webhdfs/v1{quote(path, safe='/')}"
        parameters |= {"op": op, **self._user, **self._shunning(op)}
        try:
            answer = self._send(method, url, params=parameters, stream=stream)
            self._good(answer, address)
        except PassingError:
            if self._addresses[0] == asked:  # no other thread has turned to the next
                self._addresses = [*self._addresses[1:], asked]
            raise
        self._answered = True
        for _ in range(MAX_HOPS):
            location = answer.headers.get("Location")
            if answer.status_code != TEMPORARY_REDIRECT or not location:
                return answer
            try:
                answer = self._send(method, location, data=_sized(body), stream=stream)
            except PassingError:
                self._shun(location)
                raise
            self._good(answer, address)
        raise OSError(errno.ELOOP, f"sent on more than {MAX_HOPS} times", address)

    def read(self, path: str, address: str, **parameters: Any) -> bytes:
        """Read bytes of a file: what was asked, fewer when the answer breaks off, never none."""
        parameters["length"] = min(parameters["length"], PIECE_BYTES)
        answer = self.ask("GET", "OPEN", path, address, stream=True, **parameters)
        pieces: list[bytes] = []
        with answer:
            try:
                pieces.extend(answer.iter_content(1 << 20))
            except _broken() as error:
                self._shun(answer.url)
                if not pieces:
                    raise PassingError(_line(error)) from error
        if not pieces:
            raise PassingError("an empty answer")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _send(self, method: str, url: str, **kwargs: Any) -> Any:
        import requests

        try:
            return self._session.request(
                method, url, allow_redirects=False, timeout=TIMEOUTS, **kwargs
            )
        except requests.exceptions.SSLError as error:
            raise ConnectionError(errno.EIO, _line(error), url) from error
        except _broken() as error:
            raise PassingError(f"{_host(url)}: {_line(error)}") from error

    def _good(self, answer: Any, address: str) -> None:
        if answer.status_code < 400:
            return
        kind, message = _said(answer)
        lost = kind == "IOException" and "Failed to find datanode" in message
        if lost:
            self._shunned_until = 0.0
        if lost or kind in PASSING_KINDS or (not kind and answer.status_code in PASSING_STATUS):
            raise PassingError(
                f"{_host(answer.url)}: {kind or answer.status_code} {message}".strip()
            )
        if answer.status_code == 401:
            line = message or "not authenticated; with Kerberos, run kinit first"
            raise PermissionError(errno.EACCES, line, address)
        if not kind:
            line = f"{_host(answer.url)} answers {answer.status_code}; is WebHDFS enabled there?"
            raise OSError(errno.EIO, line, address)
        raise error_of(kind, message, address)

    def _shun(self, url: str) -> None:
        """Ask for other DataNodes than that of an address, for a minute."""
        with contextlib.suppress(OSError):
            # the NameNode finds DataNodes by number
            self._shunned = socket.gethostbyname(urlsplit(url).hostname or "")
            self._shunned_until = time.monotonic() + SHUN_SECONDS

    def _shunning(self, op: str) -> dict[str, str]:
        shuns = op in ("OPEN", "CREATE") and time.monotonic() < self._shunned_until
        return {"excludedatanodes": self._shunned} if shuns else {}


def _kerberos() -> Any:
    try:
        from requests_kerberos import OPTIONAL, HTTPKerberosAuth
    except ImportError as error:
        raise ImportError(lacking("WebHDFS with Kerberos", ["requests_kerberos"])) from error
    return HTTPKerberosAuth(mutual_authentication=OPTIONAL)


def _broken() -> tuple[type[Exception], ...]:
    import requests
    import urllib3

    return requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ConnectionError


def _sized(body: BinaryIO | None) -> Any:
    """A body that `requests` sends with its length, also when it is empty."""
    if body is None or body.read(1) == b"":
        return b""
    body.seek(0)
    return body


def _said(answer: Any) -> tuple[str, str]:
    """The name of the Java exception and its message, or two empty texts."""
    try:
        said = answer.json()["RemoteException"]
        return said["exception"], said.get("message") or ""
    except (ValueError, KeyError, TypeError):
        return "", ""


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _line(error: Exception) -> str:
    """Return what went wrong, without the objects that `requests` names."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    text = str(reason or error).splitlines()[0]
    return text.rpartition(">: ")[2] or text
