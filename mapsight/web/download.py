"""A large file from a web server: resumed where it broke off, checked, whole or not there."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mapsight.files import write_whole
from mapsight.redaction import public_address, without_secrets
from mapsight.web.checksums import digests, said_md5
from mapsight.web.http_answer import HttpAnswer
from mapsight.web.http_get import (
    HEADERS,
    MAX_REDIRECTS,
    REDIRECTS,
    Answer,
    FetchError,
    LateError,
    Request,
    next_hop,
)
from mapsight.web.retries import PASSING, TRIES, is_ours, may_pass, pause

__all__ = ["DownloadError", "Record", "download", "record_of"]

MOST_BYTES = 16 << 30
MOST_SECONDS = 86400.0
PATIENCE = 60.0  # seconds a server may be silent
BLOCK = 1 << 20
STRONG = re.compile(r'"[^"]*"')
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Told = Callable[[int, int], None]


class DownloadError(ValueError):
    """A file that cannot be had; the message names its address and says why."""


@dataclass(frozen=True)
class Record:
    """What lies beside a downloaded file, as NAME.json.

    `url` is without secrets, `md5` and `etag` are what the server said ("" for nothing),
    `mtime_ns` is the time of the local file, by which a later change of it is noticed.
    """

    url: str
    bytes: int
    sha256: str
    md5: str
    etag: str
    mtime_ns: int


@dataclass(frozen=True)
class _Begun:
    """What lies beside a part: which body it is the beginning of."""

    url: str
    etag: str
    total: int
    md5: str


def record_of(target: Path) -> Record | None:
    """Return what is known of a downloaded file; None unless it is there as it was downloaded.

    A file with another time than recorded is read again for its SHA-256.
    """
    record = _read(_beside(target), Record)
    with suppress(OSError):
        found = target.stat()
        if record and found.st_size == record.bytes:
            same = found.st_mtime_ns == record.mtime_ns
            return record if same or digests(target)[0] == record.sha256 else None
    return None


def download(
    url: str,
    target: Path,
    *,
    allow_private: bool = False,
    refresh: bool = False,
    told: Told = lambda have, total: None,
) -> Record:
    """Download the file at a URL, unless it is there already.

    What broke off goes on where it stopped, in this run or the next, if the server
    still has the same body (Range and If-Range with its ETag, RFC 9110, 13.1.5); else
    from the beginning. The file appears whole, with the size and the MD5 that
    the server says.

    Args:
        refresh: ask whether the server has another one by now (If-None-Match).
        told: called with the bytes that are there, and of how many (0: unknown).

    Raises:
        DownloadError: it cannot be had; what came of it is kept for the next time.
        OSError: this machine cannot store it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    record = record_of(target)
    known = public_address(url)
    if record and record.url == known and not refresh:
        return record
    part = target.with_name(f"{target.name}.part")
    asked = {"If-None-Match": record.etag} if record and record.url == known and record.etag else {}
    begun = _patiently(url, part, asked, allow_private, told)
    if begun is None:  # the server has nothing new
        return record  # type: ignore[return-value]
    return _finished(begun, part, target)


def _patiently(
    url: str, part: Path, asked: dict[str, str], allow_private: bool, told: Told
) -> _Begun | None:
    """Asks until the part is whole; None if the server has nothing new."""
    tries = 0
    while True:
        before = _size(part)
        try:
            return _go_on(url, part, asked, allow_private, told)
        except (OSError, http.client.HTTPException, FetchError, LateError) as error:
            if is_ours(error):
                raise
            kept = _size(part)
            tries = 1 if kept > before else tries + 1
            if tries >= TRIES or not (isinstance(error, LateError) or may_pass(error)):
                what = f"; {kept:,} bytes of it are kept, run again" if kept else ""
                reason = without_secrets(str(error), url) or type(error).__name__
                raise DownloadError(f"{public_address(url)}: {reason}{what}") from error
            time.sleep(pause(tries))


def _go_on(
    url: str, part: Path, asked: dict[str, str], allow_private: bool, told: Told
) -> _Begun | None:
    """One try: what is missing of a part, or all of it; None for "not modified"."""
    begun, have = _read(_beside(part), _Begun), _size(part)
    have = (
        have if begun and begun.url == public_address(url) and STRONG.fullmatch(begun.etag) else 0
    )
    if begun and have and have == begun.total:
        return begun
    headers = {**HEADERS, "Accept": "*/*", **asked}
    if begun and have:
        headers |= {"Range": f"bytes={have}-", "If-Range": begun.etag}
    request = Request(time.monotonic() + MOST_SECONDS, PATIENCE, MOST_BYTES, allow_private)
    with _answered(request, url, headers) as response:
        if response.status == 304 and asked:
            return None
        if response.status == 206 and begun and _continues(response, have, begun):
            _copy(request, response, part, have, begun.total, told)
            return begun
        if response.status in (206, 416):
            _beside(part).unlink(missing_ok=True)  # it will begin anew
            raise FetchError(f"answered {response.status} for a part of it", passing=True)
        if response.status != 200:
            reason = f"the server answered {response.status}, expected 200"
            raise FetchError(reason, passing=response.status in PASSING)
        etag = _etag(response)
        begun = _Begun(public_address(url), etag, response.length or 0, said_md5(response) or "")
        part.unlink(missing_ok=True)
        _write(_beside(part), begun)
        _copy(request, response, part, 0, begun.total, told)
        return begun


@contextmanager
def _answered(request: Request, url: str, headers: dict[str, str]) -> Iterator[HttpAnswer]:
    """The response at the end of the redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        with request.asked(url, headers) as response:
            if response.status not in REDIRECTS:
                yield response
                return
            url = next_hop(url, Answer(response.status, response.getheader("Location")))
    raise FetchError(f"more than {MAX_REDIRECTS} redirects")


def _etag(response: HttpAnswer, default: str = "") -> str:
    """The mark of a body, where it can be sent back."""
    etag = response.getheader("ETag", default)
    return etag if etag.isascii() else default


def _continues(response: HttpAnswer, have: int, begun: _Begun) -> bool:
    """Return whether a partial body begins where the part ends, and is of the same whole."""
    found = CONTENT_RANGE.match(response.getheader("Content-Range", ""))
    if found is None or _etag(response, begun.etag) != begun.etag:
        return False
    return int(found[1]) == have and found[2] in ("*", str(begun.total))


def _copy(
    request: Request, response: HttpAnswer, part: Path, have: int, total: int, told: Told
) -> None:
    """The rest of a body, written after what is there."""
    coding = response.getheader("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise FetchError(f"the body is encoded as {coding!r}, which was not asked for")
    with part.open("ab" if have else "wb") as file:
        while block := response.read1(BLOCK):
            have += len(block)
            if have > request.max_bytes:
                raise FetchError(f"more than {request.max_bytes:,} bytes")
            file.write(block)
            told(have, total)
            request.seconds_left()
    if total and have != total:
        raise FetchError(f"the body ended after {have:,} of {total:,} bytes", passing=True)


def _finished(begun: _Begun, part: Path, target: Path) -> Record:
    """The part, checked and under its own name."""
    sha256, md5 = digests(part)
    if begun.md5 and md5 != begun.md5:
        part.unlink()
        _beside(part).unlink(missing_ok=True)
        raise DownloadError(
            f"{begun.url}: its MD5 is {md5}, the server says {begun.md5}; thrown away, run again"
        )
    _beside(target).unlink(missing_ok=True)
    part.replace(target)
    found = target.stat()
    record = Record(begun.url, found.st_size, sha256, begun.md5, begun.etag, found.st_mtime_ns)
    _write(_beside(target), record)
    _beside(part).unlink(missing_ok=True)
    return record


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, kind: Any) -> Any:
    """Return what `_write` wrote; None if that is not there or not whole."""
    try:
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, document: Any) -> None:
    write_whole(path, json.dumps(asdict(document), indent=1).encode())
