"""Clients that say nothing, send without end, or come all at once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from mapsight.errors import Failure
from mapsight.serve.errors import Refusal
from mapsight.serve.layers.limits import MULTIPART, media_type
from mapsight.serve.routes import search
from mapsight.serve.running import listening
from mapsight.serve.settings import Limits
from tests.support.pictures import encoded, scribble
from tests.support.served import Running, descriptors, running

SMALL = Limits(
    waiting=2,
    connections=150,
    upload_bytes=200_000,
    json_bytes=10_000,
    header_seconds=0.5,
    body_seconds=1.0,
    idle_seconds=1.0,
    request_seconds=2.0,
)


@pytest.fixture(scope="module")
def narrow(served_once: Path) -> Iterator[Running]:
    with running(served_once / "workspace", limits=SMALL, threads=1) as one:
        yield one


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def read(connection: socket.socket) -> bytes:
    """All that comes until the connection is closed."""
    pieces = list[bytes]()
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def settled(before: int) -> bool:
    """Whether there are soon no more descriptors than before."""
    ends = time.monotonic() + 5
    while descriptors() > before and time.monotonic() < ends:
        time.sleep(0.05)
    return descriptors() <= before


def test_a_hundred_that_say_nothing_are_closed_and_others_served_meanwhile(narrow):
    narrow.json("summary")
    before = descriptors()
    silent = [connect(narrow) for _ in range(100)]
    narrow.json("summary")
    assert set(map(read, silent)) == {b""}
    for connection in silent:
        connection.close()
    assert settled(before)


@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_head_that_does_not_end_is_not_waited_for(narrow, begun):
    with connect(narrow) as connection:
        connection.sendall(begun)
        assert read(connection) == b""


def test_a_second_head_that_does_not_end_is_not_waited_for_either(narrow):
    with connect(narrow) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"GET /hea")
        assert b"HTTP" not in read(connection)


def test_connections_over_the_bound_are_closed_at_once(narrow):
    many = [connect(narrow) for _ in range(200)]
    began = time.monotonic()
    assert read(many[-1]) == b"" and time.monotonic() - began < 0.4
    for connection in many:
        connection.close()


def test_a_head_without_end_is_refused(narrow):
    with connect(narrow) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


bodies = pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("search", "multipart/form-data; boundary=x", SMALL.upload_bytes),
        ("search", "application/json", SMALL.json_bytes),
        ("token", "application/json", SMALL.other_bytes),
        ("token", "multipart/form-data; boundary=x", SMALL.other_bytes),
        ("export", "multipart/form-data; boundary=x", SMALL.json_bytes),
    ],
)


@bodies
def test_a_body_may_be_as_long_as_what_reads_it_says(narrow, path, kind, most):
    answer = narrow.client.post(
        f"/api/v1/{path}", content=b"x" * (most + 1), headers={"Content-Type": kind}
    )
    assert (answer.status_code, f"{most:,} bytes" in answer.text) == (413, True)


@bodies
def test_an_endless_body_is_cut_off_at_its_limit(narrow, path, kind, most):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 4096
            yield b"x" * 4096

    with connect(narrow) as connection:
        head = f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        answer = answered(connection, endless())
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < most + 5_000_000  # what lies in the sockets' buffers


def answered(connection: socket.socket, pieces: Iterator[bytes]) -> bytes:
    """Send pieces until there is an answer."""
    connection.settimeout(0)
    for piece in pieces:
        try:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        except (BlockingIOError, ConnectionError):
            time.sleep(0.01)
        try:
            return connection.recv(65536)
        except BlockingIOError:
            continue
    return b""


def test_a_body_that_says_that_it_is_too_long_is_not_read(narrow):
    with connect(narrow) as connection:
        connection.sendall(
            b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_form_in_capitals_is_a_form(narrow):
    boundary = {"Content-Type": "Multipart/Form-Data; boundary=x"}
    part = b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\nLion\r\n--x--\r\n'
    answer = narrow.client.post("/api/v1/search", content=part, headers=boundary)
    assert answer.status_code == 200
    assert media_type(Headers(boundary)) == MULTIPART


def test_all_bodies_together_are_bounded(served_once):
    limits = replace(SMALL, held_bytes=100_000, body_seconds=60.0)
    head = (
        b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 150000\r\n\r\n"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    with running(served_once / "workspace", limits=limits, threads=1) as server:
        with connect(server) as first, connect(server) as second:
            first.sendall(head + part + b"x" * 80_000)
            ends = time.monotonic() + 60
            while server.server.bodies.bytes < 80_000:
                assert time.monotonic() < ends
                time.sleep(0.01)
            second.sendall(head + part + b"x" * 80_000)
            answer = second.recv(65536)
            assert answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer.lower()
            assert server.json("summary")
        ends = time.monotonic() + 5
        while server.server.bodies.bytes and time.monotonic() < ends:
            time.sleep(0.01)
        assert server.server.bodies.bytes == 0


def test_json_is_read_in_a_thread(narrow, monkeypatch):
    threads = list[str]()
    read_it = search.json_queries

    def noted(body: bytes):
        threads.append(threading.current_thread().name)
        return read_it(body)

    monkeypatch.setattr(search, "json_queries", noted)
    assert narrow.client.post("/api/v1/search", json={"queries": ["Lion"]}).status_code == 200
    assert threads[0].startswith("read")


def test_who_leaves_during_a_body_is_no_error(narrow):
    with connect(narrow) as connection:
        connection.sendall(
            b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        time.sleep(0.2)
    lines = narrow.lines
    ends = time.monotonic() + 5
    while not any("/api/v1/search 499" in line for line in lines) and time.monotonic() < ends:
        time.sleep(0.02)
    assert any("/api/v1/search 499" in line for line in lines)
    assert not any("ClientDisconnect" in line for line in lines)


def test_an_export_has_one_place_to_its_end(narrow, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def slow(selection, form):
        for number in range(5):
            yield f"{number}\n".encode()
            begun.set()
            go.wait(1)

    monkeypatch.setattr("mapsight.serve.routes.export.export", slow)
    monkeypatch.setattr(
        "mapsight.serve.routes.browse.summary_of", lambda state: time.sleep(0.05) or {}
    )
    with ThreadPoolExecutor(9) as pool:
        exported = pool.submit(narrow.get, "export")
        begun.wait(5)
        asked = [pool.submit(narrow.get, "summary") for _ in range(8)]
        go.set()
        assert exported.result().text == "0\n1\n2\n3\n4\n"
        assert {one.result().status_code for one in asked} <= {200, 503}
    ends = time.monotonic() + 5
    while narrow.server.read.taken and time.monotonic() < ends:
        time.sleep(0.01)  # an answer is there before its place is given back
    assert narrow.server.read.taken == 0


def test_a_body_that_does_not_come_is_not_waited_for(narrow):
    with connect(narrow) as connection:
        connection.sendall(
            b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        answer = read(connection)
        assert answer.startswith(b"HTTP/1.1 400") and b"no whole body after 1 s" in answer


def test_a_picture_over_the_limit_is_refused(narrow):
    files = {"file": ("a.bmp", encoded(scribble(1, 300, 300), "BMP"))}
    answer = narrow.client.post("/api/v1/search", files=files)
    assert answer.status_code == 413 and answer.json()["error"].endswith("200,000 bytes")


def test_when_too_many_wait_others_are_told_to_come_again(narrow, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr("mapsight.serve.routes.browse.summary_of", lambda state: go.wait(10) and {})
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(narrow.get, "summary") for _ in range(8)]
        while sum(one.done() for one in asked) < 5:
            time.sleep(0.01)
        go.set()
        found = [one.result() for one in asked]
    assert sorted(one.status_code for one in found) == [200] * 3 + [503] * 5
    busy = next(one for one in found if one.status_code == 503)
    assert busy.headers["retry-after"] == "1" and "nosniff" in str(busy.headers)
    narrow.json("labels")


def test_an_answer_that_takes_too_long_is_given_up(narrow, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr("mapsight.serve.routes.browse.summary_of", lambda state: go.wait(10) and {})
    answer = narrow.get("summary")
    go.set()
    assert (answer.status_code, answer.json()["error"]) == (503, "took too long")
    assert "retry-after" in answer.headers


def test_an_error_of_the_program_is_a_500_without_its_words(narrow, monkeypatch):
    def broken(state):
        raise KeyError("a secret")

    monkeypatch.setattr("mapsight.serve.routes.browse.summary_of", broken)
    answer = narrow.get("summary")
    assert answer.status_code == 500 and "secret" not in answer.text
    assert "nosniff" in str(answer.headers)
    narrow.json("labels")
    assert any("a secret" in line for line in narrow.lines)


def test_small_answers_do_not_wait_for_the_one_before():
    """asyncio sets TCP_NODELAY where a socket says that it is TCP."""
    with listening("127.0.0.1", 0) as own:
        assert own.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_named():
    with listening("127.0.0.1", 0) as own, pytest.raises(Failure, match="--port takes another"):
        listening("127.0.0.1", own.getsockname()[1])


def test_work_that_nobody_waits_for_is_not_begun():
    import asyncio

    from mapsight.serve.work import Pool

    async def given_up(pool: Pool) -> list[int]:
        go, begun = threading.Event(), list[int]()
        first = asyncio.create_task(pool.run(go.wait, 5))
        second = asyncio.create_task(pool.run(begun.append, 100))
        await asyncio.sleep(0.05)
        second.cancel()
        with pytest.raises(Refusal):
            await asyncio.gather(*(pool.run(begun.append, n) for n in range(9)))
        go.set()
        await first
        return begun

    pool = Pool("test", 1, 3)
    assert 100 not in asyncio.run(given_up(pool))
    pool.close()
