"""The answer to a GET, read from a server that may send anything (RFC 9112).

`http.client` and urllib3 take a chunk of -1 bytes for "all that comes", and hold it. Here
bytes are counted, and the clock is looked at, where they come from the connection: no framing
can say otherwise.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable
from http.client import RemoteDisconnected

from mapsight.web.http_errors import FetchError

__all__ = ["HttpAnswer"]

HEAD_BYTES = 1 << 18
"""Of all lines before a body together, as browsers have it, and of those after it."""
CHUNK_LINE = 4096  # bytes of the line before a chunk, with its extensions
MOST_INTERIM = 32  # answers 1xx before the answer
BUFFER = 1 << 16
MOST_EXTRA = 1 << 20  # bytes of head and framing beside the body

STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9][0-9])(?: [^\n]*)?")
SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
LENGTH = re.compile(r"[0-9]{1,18}")


class HttpAnswer:
    """A status, headers, and a body that `read` gives.

    `length` is how long the server says that the body is, or None.

    Args:
        link: a connection on which the request has been sent.
        seconds_left: the time that the next step may take; raises if there is none.
        max_bytes: that the body may have. With MOST_EXTRA more (or a 64th, if that is more)
            nothing further is read from the connection.

    Raises:
        FetchError: it is no answer of HTTP, or more than is allowed.
        OSError: the connection was lost.
    """

    def __init__(
        self, link: socket.socket, seconds_left: Callable[[], float], max_bytes: int
    ) -> None:
        self._limit = max_bytes
        raw = _Connection(link, seconds_left, max_bytes + max(MOST_EXTRA, max_bytes >> 6))
        self._in = io.BufferedReader(raw, BUFFER)  # type: ignore[type-var]
        self.status, self._headers = self._answer()
        self.length: int | None = None
        self._left: int | None = None  # of the body, or of the chunk
        self._ended = self.status in (204, 304)
        self._chunked = self._framing()

    def getheader(self, name: str, default: str = "") -> str:
        """Return the values of a header, joined by commas."""
        return ", ".join(self._headers.get(name.lower(), ())) or default

    def values(self, name: str) -> list[str]:
        """Return the values of a header, one for each time it is there."""
        return list(self._headers.get(name.lower(), ()))

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes of the body, fewer only at its end.

        Whether it ended before `length` bytes is for the caller to see.

        Raises:
            FetchError: the framing is damaged, or chunks end too early.
            OSError: the connection was lost.
        """
        blocks, missing = [], size
        while missing and (block := self.read1(missing)):
            blocks.append(block)
            missing -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def read1(self, size: int) -> bytes:
        """Return up to `size` bytes of the body, as they come; b"" at its end. Raises as `read`."""
        if self._chunked and not self._left and not self._ended:
            self._left = self._next_chunk()
        if self._ended or self._left == 0:
            return b""
        block = self._in.read1(size if self._left is None else min(size, self._left))
        if self._left is not None:
            if not block and self._chunked:
                raise FetchError("the body ended inside a chunk", passing=True)
            self._left -= len(block)
            if self._chunked and not self._left:
                self._end_of_chunk()
        return block

    def _answer(self) -> tuple[int, dict[str, list[str]]]:
        """Status and headers of the first answer that is not an interim one."""
        for _ in range(MOST_INTERIM + 1):
            status = self._status()
            headers = _headers(self._lines())
            if not 100 <= status < 200 or status == 101:
                return status, headers
        raise FetchError(f"more than {MOST_INTERIM} answers 1xx and no other")

    def _status(self) -> int:
        line = self._in.readline(HEAD_BYTES)
        if not line:
            raise RemoteDisconnected("the server closed the connection without an answer")
        match = STATUS.fullmatch(line.rstrip(b"\r\n"))
        if match is None:
            raise FetchError(f"the server's answer is not HTTP/1.1: {line[:40]!r}")
        return int(match[1])

    def _lines(self) -> list[bytes]:
        """The lines up to an empty one, HEAD_BYTES at most."""
        lines: list[bytes] = []
        left = HEAD_BYTES
        while line := self._in.readline(left):
            left -= len(line)
            if left <= 0:
                raise FetchError(f"headers of more than {HEAD_BYTES:,} bytes")
            if not (bare := line.rstrip(b"\r\n")):
                return lines
            lines.append(bare)
        raise FetchError("the answer ended inside its headers", passing=True)

    def _framing(self) -> bool:
        """Note the length of the body; true if it comes in chunks."""
        codings = [
            coding.strip().lower() for coding in self.getheader("Transfer-Encoding").split(",")
        ]
        codings = [coding for coding in codings if coding not in ("", "identity")]
        if codings == ["chunked"]:
            return True  # RFC 9112, 6.3: whatever Content-Length says
        if codings:
            text = f"the body is encoded as {', '.join(codings)!r}, which was not asked for"
            raise FetchError(text, "not_an_image")
        lengths = {text.strip() for text in self.getheader("Content-Length").split(",")} - {""}
        if lengths:
            if len(lengths) > 1 or not LENGTH.fullmatch(next(iter(lengths))):
                raise FetchError(f"Content-Length is {', '.join(sorted(lengths))[:80]!r}")
            self.length = self._left = int(lengths.pop())
        return False

    def _next_chunk(self) -> int:
        """The size of the next chunk; 0 after the last, when what follows it is read."""
        line = self._in.readline(CHUNK_LINE)
        if not line:
            raise FetchError("the body ended before its last chunk", passing=True)
        size = line.partition(b";")[0].strip()
        if not (line.endswith(b"\n") and SIZE.fullmatch(size)):
            raise FetchError(f"damaged chunks: {line[:40]!r} is no size of one")
        number = int(size, 16)
        if number > self._limit:
            raise FetchError(f"a chunk of {number} bytes", "too_many_bytes")
        if number == 0:
            self._ended = True
            self._trailers()
        return number

    def _trailers(self) -> None:
        """Read what follows the last chunk; the body is complete without it."""
        left = HEAD_BYTES
        while (line := self._in.readline(left)) and line.rstrip(b"\r\n"):
            left -= len(line)
            if left <= 0:
                raise FetchError(f"trailers of more than {HEAD_BYTES:,} bytes")

    def _end_of_chunk(self) -> None:
        line = self._in.readline(2)
        if line not in (b"\r\n", b"\n"):
            if not line:
                raise FetchError("the body ended before its last chunk", passing=True)
            raise FetchError(f"damaged chunks: {line!r} follows one")


class _Connection(io.RawIOBase):
    """What arrives on a connection, so many bytes at most, within its time."""

    def __init__(
        self, link: socket.socket, seconds_left: Callable[[], float], max_bytes: int
    ) -> None:
        self._link, self._seconds_left = link, seconds_left
        self._left = self._max = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self._left <= 0:
            raise FetchError(f"more than {self._max} bytes", "too_many_bytes")
        self._link.settimeout(self._seconds_left())
        try:
            size = self._link.recv_into(buffer, min(len(buffer), self._left))
        except TimeoutError:
            self._seconds_left()  # for all of it, rather than for this step
            raise
        self._left -= size
        return size


def _headers(lines: list[bytes]) -> dict[str, list[str]]:
    """Values by name in lower case; a line that is no header is passed over, as browsers do."""
    headers: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in lines:
        if line[:1] in b" \t":
            if last:
                last[-1] += f" {_text(line)}"
            continue
        name, colon, value = line.partition(b":")
        last = headers.setdefault(_text(name).lower(), []) if colon else None
        if last is not None:
            last.append(_text(value))
    return headers


def _text(value: bytes) -> str:
    """UTF-8, which servers send where Latin-1 was meant to be; other bytes as surrogates."""
    return value.strip().decode("utf-8", "surrogateescape")
