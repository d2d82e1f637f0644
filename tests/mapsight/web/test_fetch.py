"""Fetching: nothing private, nothing endless, nothing but a picture."""

from __future__ import annotations

import ssl
import subprocess
import time
from pathlib import Path

import pytest

from mapsight.web.fetch import FetchError, fetch, is_public
from mapsight.web.http_get import PAGE
from tests.support.loopback import endless, reply, serving

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9


def get(url: str, **options) -> bytes:
    return fetch(url, **{"seconds": 2.0, "allow_private": True, **options})


def refused(pattern: str):
    return pytest.raises(FetchError, match=pattern)


def slow(request, *, before: int, body: bytes = b"\x89PNG") -> None:
    """Sends a byte every 50 ms: headers as well if `before` is 0."""
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body * 1000
    request.wfile.write(text[:before])
    for byte in text[before:]:
        request.wfile.write(bytes([byte]))
        time.sleep(0.05)


def redirect(url: str, status: int = 302):
    return reply(b"elsewhere", status, Location=url)


def test_a_picture_arrives_whole():
    with serving(reply(PICTURE, Content_Type="image/png")) as url:
        assert get(f"{url}/a picture.png?size=ü") == PICTURE


def test_a_chunked_picture_arrives_whole():
    def chunked(request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        request.wfile.write(b"4\r\n\x89PNG\r\n3\r\nabc\r\n0\r\n\r\n")

    with serving(chunked) as url:
        assert get(url) == b"\x89PNGabc"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int):
    with serving(start=redirect("/end", status), end=reply(PICTURE)) as url:
        assert get(f"{url}/start") == PICTURE


def test_five_redirects_are_enough():
    steps = [redirect("/again")] * 5
    with serving(*steps, reply(PICTURE)) as url:
        assert get(url) == PICTURE
    with serving(*steps, redirect("/again")) as url, refused("more than 5 redirects"):
        get(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/",
        "http://127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://0.0.0.0:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[64:ff9b::127.0.0.1]:{port}/",
        "http://[2002:7f00:1::]:{port}/",
        "http://[::1]:{port}/",
    ],
)
def test_loopback_is_refused_however_it_is_written(url: str):
    with serving(reply(PICTURE)) as server, refused("not a public address"):
        fetch(url.format(port=server.rsplit(":", 1)[1]), seconds=2)


def test_a_redirect_to_loopback_is_refused(monkeypatch: pytest.MonkeyPatch):
    # the first host is taken for public, as a server on the internet would be
    monkeypatch.setattr("mapsight.web.http_get.is_public", lambda address: address == "127.0.0.2")
    with (
        serving(reply(PICTURE)) as inner,
        serving(redirect(inner), host="127.0.0.2") as outer,
        refused(r"127\.0\.0\.1 is not a public address"),
    ):
        fetch(outer, seconds=2)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254"),
        *("172.16.0.1", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "168.63.129.16", "::", "::1", "::127.0.0.1", "fe80::1", "fec0::1"),
        *("fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::"),
        *("2001::1", "2001:db8::1", "64:ff9b:1::1", "fe80::1%lo"),
    ],
)
def test_addresses_that_are_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_that_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "//a/b", "http://", "a.jpg"])
def test_only_http_and_https(url: str):
    with refused("not an http or https address"):
        get(url)


def test_a_redirect_to_a_file_is_refused():
    with serving(redirect("file:///etc/passwd")) as url, refused("not an http or https address"):
        get(url)


@pytest.mark.parametrize(
    "url", ["http://a:99999/", "http://[::1/", "http://a\x00b/", "http://a b/"]
)
def test_what_is_no_url_is_refused(url: str):
    with pytest.raises(FetchError):
        get(url)


@pytest.mark.parametrize("before", [0, 200])
def test_slow_headers_and_bodies_end_at_the_deadline(before: int):
    start = time.monotonic()
    with (
        serving(lambda request: slow(request, before=before)) as url,
        refused(r"not complete after 0\.4 s"),
    ):
        get(url, seconds=0.4)
    assert time.monotonic() - start < 1.5


def test_a_server_that_never_answers_ends_at_the_deadline():
    with serving(lambda _: time.sleep(1)) as url, refused(r"not complete after 0\.2 s"):
        get(url, seconds=0.2)


def test_an_endless_body_is_cut_off():
    with serving(endless) as url, refused("more than 50000 bytes"):
        get(url, max_bytes=50000)


def test_a_declared_length_is_believed_when_too_large():
    with (
        serving(reply(PICTURE, Content_Length="999999999")) as url,
        refused("999999999 bytes, at most 50000 allowed"),
    ):
        get(url, max_bytes=50000)


def test_a_body_shorter_than_declared_is_refused():
    with (
        serving(reply(PICTURE, Content_Length="5000")) as url,
        refused(f"after {len(PICTURE)} of 5000|IncompleteRead"),
    ):
        get(url)


def test_a_body_is_not_read_beyond_its_declared_length():
    with serving(reply(PICTURE, Content_Length="100")) as url:
        assert get(url) == PICTURE[:100]


def test_a_compressed_body_is_refused():
    with serving(reply(PICTURE, Content_Encoding="gzip")) as url, refused("encoded as 'gzip'"):
        get(url)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>", b"\xef\xbb\xbf\n <!-- --> <HTML lang=x>"])
def test_a_web_page_is_not_a_picture(page: bytes):
    with (
        serving(reply(page, Content_Type="image/jpeg")) as url,
        refused("a web page, not a picture"),
    ):
        get(url)


@pytest.mark.parametrize("status", [204, 206, 304, 404, 500])
def test_other_answers_are_named(status: int):
    with serving(reply(b"", status)) as url, refused(f"{url}: the server answered {status}"):
        get(url)


def test_nothing_sent_and_nobody_there_are_errors():
    with serving(reply(b"")) as url, refused("sent nothing"):
        get(url)
    with refused("refused"):
        get(url)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(reply(PICTURE)) as url:
        assert get(url) == PICTURE


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path):
    files = [str(tmp_path / name) for name in ("key.pem", "cert.pem")]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files[1], files[0])
    with serving(reply(PICTURE), tls=tls) as url, refused("certificate verify failed"):
        get(url.replace("http://127.0.0.1", "https://localhost"))


def test_a_body_of_comments_is_looked_at_in_no_time():
    assert PAGE.match(b"<!---->" * 500 + b"x") is None
    assert PAGE.match(b"<!-- a -->\n<!-- b --><html>")
