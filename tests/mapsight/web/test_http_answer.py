"""Answers whose framing lies, never ends, or is only odd."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from mapsight.web.fetch import FetchError, fetch
from tests.support.loopback import reply, serving

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LIMIT = 1 << 17
MOST = LIMIT + (3 << 20)
"""Limit, framing, and what lies in the buffers of the system."""


def raw(*blocks: bytes | Iterator[bytes]) -> Callable:
    """An answer of exactly these bytes; an iterator may be endless."""

    def answer(request) -> None:
        for block in blocks:
            for piece in [block] if isinstance(block, bytes) else block:
                request.wfile.write(piece)

    return answer


def get(url: str, **options) -> bytes:
    return fetch(url, **{"seconds": 5.0, "allow_private": True, "max_bytes": LIMIT, **options})


def chunks(*pieces: bytes, extension: bytes = b"", end: bytes = b"\r\n") -> bytes:
    lines = b"".join(b"%x%b\r\n%b%b" % (len(p), extension, p, end) for p in pieces)
    return lines + b"0\r\n\r\n"


def endless(block: bytes, sent: list[int]) -> Iterator[bytes]:
    """A block again and again; notes how many bytes could be sent."""
    sent.append(0)
    for _ in itertools.count():
        yield block
        sent[0] += len(block)


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (CHUNKED + b"-1\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b"-7fffffff\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b"ffffffffffffffff\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b"0x10\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b" +4\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b"1_0\r\n", b"\x89PNG" * 4096),
        (CHUNKED + b"4;", b"x" * 4096),
        (CHUNKED, b"1;" + b"x" * 3000 + b"\r\nP\r\n"),
        (CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"Trailer: x\r\n" * 99),
        (OK + b"Content-Length: -1\r\n\r\n", b"\x89PNG" * 4096),
        (OK + b"Content-Length: 99999999999999999999999\r\n\r\n", b"\x89PNG" * 4096),
        (OK + b"\r\n", b"\x89PNG" * 4096),
        (OK, b"X: y\r\n" * 999),
        (OK + b"X: ", b"x" * 4096),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 9),
        (b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n" * 999),
        (b"", b"x" * 4096),
        (b"\x89PNG\r\n", b"\x89PNG" * 4096),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n4\r\n", b"\x1f\x8b\x08\x00" * 4096),
    ],
)
def test_nothing_endless_is_read_far_beyond_the_limit(head: bytes, block: bytes):
    sent: list[int] = []
    with serving(raw(head, endless(block, sent))) as url, pytest.raises(FetchError):
        get(url)
    time.sleep(0.01)
    assert sent[0] < MOST + (12 << 20)  # the system's buffers on both sides


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nPNG!", "Content-Length is '4, 5'"),
        (OK + b"Content-Length: -4\r\n\r\nPNG!", "Content-Length is '-4'"),
        (OK + b"Content-Length: four\r\n\r\nPNG!", "Content-Length is 'four'"),
        (OK + b"Transfer-Encoding: gzip\r\n\r\nPNG!", "encoded as 'gzip'"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nPNG!", "encoded as 'gzip, chunked'"),
        (OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n4\r\nPNG!", "encoded as"),
        (CHUNKED + b"-1\r\nPNG!", "damaged chunks: b'-1"),
        (CHUNKED + b"4\r\nPNG!5\r\n", "damaged chunks: b'5"),
        (CHUNKED + b"\r\nPNG!", "damaged chunks"),
        (CHUNKED + b"4\r\nPNG!\r\n", "ended before its last chunk"),
        (CHUNKED + b"8\r\nPNG!", "ended inside a chunk"),
        (PICTURE, "not HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\nPNG!", "not HTTP"),
        (b"HTTP/1.1 20 OK\r\n\r\nPNG!", "not HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\nPNG!", "answered 101"),
        (OK + b"X: y", "ended inside its headers"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "without an answer"),
        (b"", "without an answer"),
    ],
)
def test_damaged_answers_are_refused(answer: bytes, reason: str):
    with serving(raw(answer)) as url, pytest.raises(FetchError, match=reason):
        get(url)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"\r\n" + PICTURE,
        OK + b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (2312, 2312) + PICTURE,
        OK + b"content-length : 2312\r\n\r\n" + PICTURE + b"more",
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(PICTURE),
        OK + b"Transfer-Encoding: Chunked\r\n\r\n" + chunks(PICTURE[:7], PICTURE[7:]),
        CHUNKED + chunks(PICTURE, extension=b';name="value"'),
        CHUNKED + chunks(PICTURE, end=b"\n"),
        CHUNKED + chunks(*(bytes([byte]) for byte in PICTURE)),
        CHUNKED + chunks(PICTURE)[:-2] + b"X-Checksum: 1\r\n\r\n",
        CHUNKED + chunks(PICTURE)[:-2],
        OK + b"Transfer-Encoding: identity\r\nContent-Length: 2312\r\n\r\n" + PICTURE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\n" + PICTURE,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK + b"\r\n" + PICTURE,
        b"HTTP/1.1 102 Processing\r\n\r\n" + CHUNKED + chunks(PICTURE),
        b"HTTP/1.0 200\r\n\r\n" + PICTURE,
        b"HTTP/1.1 200 OK\nContent-Length: 2312\n\n" + PICTURE,
        OK + b"no header\r\nX: a\r\n folded\r\nTitle: caf\xe9\r\n\r\n" + PICTURE,
        OK + b"X: y\r\n" * 300 + b"\r\n" + PICTURE,
    ],
)
def test_odd_answers_give_what_browsers_show(answer: bytes):
    with serving(raw(answer)) as url:
        assert get(url) == PICTURE


def test_slow_chunks_end_with_the_time():
    def drip(request) -> None:
        request.wfile.write(CHUNKED)
        while True:
            request.wfile.write(b"1\r\nx\r\n")
            time.sleep(0.02)

    begun = time.monotonic()
    with serving(drip) as url, pytest.raises(FetchError, match=r"after 0\.5 s"):
        get(url, seconds=0.5)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/é.png".encode(), "/%C3%A9.png"),
        (b"/\xe9.png", "/%E9.png"),
        ("/写真 1.png?q=ü".encode(), "/%E5%86%99%E7%9C%9F%201.png?q=%C3%BC"),
        (b"a b.png", "/from/a%20b.png"),
        (b"%e9%20x.png", "/from/%e9%20x.png"),
        (b"/end.png#part", "/end.png"),
        (b"?size=2", "/from/here?size=2"),
        (b"../up.png", "/up.png"),
        (b"\\back\\slash.png", "/back/slash.png"),
        (b" \t/blank.png ", "/blank.png"),
        (b"/t\tab.png", "/tab.png"),
        (b"//HOST/host.png", "/host.png"),
        (b"HTTP://HOST/upper.png", "/upper.png"),
    ],
)
def test_redirects_lead_where_browsers_go(location: bytes, path: str):
    asked: list[str] = []

    def answer(request) -> None:
        asked.append(request.path)
        host = request.headers["Host"].encode()
        if len(asked) == 1:
            to = location.replace(b"HOST", host)
            request.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: %b\r\n\r\n" % to)
        else:
            reply(PICTURE)(request)

    with serving(answer) as url:
        assert get(f"{url}/from/here") == PICTURE
    assert asked[1:] == [path]


@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/x", "data:image/png;base64,AA", "javascript:x"),
        *("simplecache::http://127.0.0.1/x", "http://", "http://[::1", "http://a:port/", "", " "),
    ],
)
def test_redirects_elsewhere_are_refused(location: str):
    with (
        serving(reply(b"", 302, Location=location)) as url,
        pytest.raises(FetchError) as caught,
    ):
        get(url)
    assert caught.value.args[0].startswith(url)


def test_a_login_in_an_address_is_used_and_not_shown():
    def answer(request) -> None:
        allowed = request.headers.get("Authorization") == "Basic bWU6cCBzcw=="  # me:p ss
        reply(PICTURE if allowed else b"", 200 if allowed else 401)(request)

    with serving(answer) as url:
        assert get(url.replace("//", "//me:p%20ss@")) == PICTURE
        with pytest.raises(FetchError, match="answered 401") as caught:
            get(url.replace("//", "//me:wrong@"))
    assert "wrong" not in str(caught.value)
