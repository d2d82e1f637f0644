"""Who may ask a server, and what browsers are told about its answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mapsight.serve.layers.safety import HEADERS, Guard, cookie_of
from mapsight.serve.settings import Settings
from tests.support.served import Running, running

TOKEN = "EDDN1P4GJ8ZYHM3R"
EVERYTHING = ("/", "/page/app.js", "/healthz", "/metrics", "/nothing", "/api/v1/summary",
              "/api/v1/nothing", "/api/v1/openapi.json", "/api/v1/pictures?limit=0")  # fmt: skip


@pytest.fixture(scope="module")
def guarded(served_once: Path) -> Iterator[Running]:
    with running(served_once / "workspace", token=TOKEN, allow_hosts=("pictures.example",)) as one:
        yield one


def raw(server: Running, text: str) -> bytes:
    """What is answered to bytes as they stand."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ends_safely(answer: httpx.Response) -> bool:
    return all(answer.headers[name] == value for name, value in HEADERS.items())


@pytest.mark.parametrize("path", EVERYTHING)
def test_every_answer_has_a_policy_and_nosniff(server, path):
    assert ends_safely(server.client.get(path))
    assert ends_safely(server.client.get(path, headers={"Host": "evil.example"}))
    assert ends_safely(server.client.request("BREW", path))


def test_what_is_no_http_is_answered_so_too(server):
    head = raw(server, "nonsense\r\n\r\n").lower()
    assert head.startswith(b"http/1.1 400") and b"nosniff" in head and b"default-src" in head


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[::2]:80"]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/summary", "/healthz"])
def test_other_hosts_are_refused(server, host, path):
    assert server.client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:9", "LOCALHOST", "127.0.0.1", "[::1]:80"])
def test_names_of_this_machine_are_served(server, host):
    assert server.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_name_that_is_allowed_is_served(guarded):
    headers = {"Host": "pictures.example"}
    assert guarded.client.get("/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_pages_of_others_cannot_ask(server, headers):
    for method, path in (("GET", "summary"), ("POST", "search"), ("POST", "token")):
        answer = server.client.request(method, f"/api/v1/{path}", headers=headers)
        assert answer.status_code == 403, path
    assert server.client.post("/", headers=headers).status_code == 403


def test_its_own_page_can_ask(server):
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert server.client.get("/api/v1/summary", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/../../etc/passwd", "//etc",
     "/page//etc/passwd", "/page/map", "/page/", "/page/.", "/page/__init__.py", "/%ff%fe",
     "/page/\\..\\app.py", "/report/../mapsight-workspace.json", "/report/plots/..%2findex.html",
     "/report/.%2e/results/summary.json", "/report/thumbs", "/report/plots/none.svg",
     "/api/v1/pictures/..%2f..%2fx/image", "/api/v1/pictures/%00/image"],
)  # fmt: skip
def test_paths_lead_to_no_other_file(server, path):
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.split(b"\r\n")[0].split()[1] == b"404", answer


def test_without_the_token_nothing_of_the_pictures_is_told(guarded, ids):
    for path in ("summary", f"pictures/{ids[0]}/image", "openapi.json", "nothing"):
        answer = guarded.get(path)
        assert (answer.status_code, answer.json()) == (401, {"error": "a token is needed"})
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/metrics", "/report/", "/report/index.html", "/report/plots/ppi.svg"):
        assert guarded.client.get(path).status_code == 401


@pytest.mark.parametrize("given", ["x", TOKEN[:-1], TOKEN + "x", TOKEN.lower(), "\xff\xe9"])
def test_another_token_is_none(guarded, given):
    headers = {"Authorization": f"Bearer {given}".encode("latin-1")}
    assert guarded.client.get("/api/v1/summary", headers=headers).status_code == 401
    cookie = {"Cookie": f"mapsight-0={given}".encode("latin-1")}
    assert guarded.client.get("/api/v1/summary", headers=cookie).status_code == 401


def test_the_token_is_not_taken_from_an_address(guarded):
    assert guarded.get("summary", token=TOKEN).status_code == 401


def test_a_program_sends_the_token_in_a_header(guarded):
    for kind in ("Bearer", "bearer"):
        headers = {"Authorization": f"{kind} {TOKEN}"}
        assert guarded.client.get("/api/v1/summary", headers=headers).status_code == 200


def test_a_page_gets_a_cookie_for_the_token(guarded):
    with httpx.Client(base_url=guarded.url) as client:
        given = client.post("/api/v1/token", json={"token": TOKEN})
        written = given.headers["set-cookie"]
        assert given.status_code == 204 and TOKEN not in written
        assert "HttpOnly" in written and "SameSite=strict" in written
        assert client.get("/api/v1/summary").status_code == 200
        assert written.startswith("mapsight-0=") and "secure" not in written.lower()


def test_a_cookie_is_of_one_port_and_secure_behind_https(served_once):
    with running(served_once / "workspace", token=TOKEN, allow_hosts=("a.example",)) as one:
        headers = {"Host": "a.example", "Origin": "https://a.example"}
        given = one.client.post("/api/v1/token", json={"token": TOKEN}, headers=headers)
        assert "secure" in given.headers["set-cookie"].lower()
        other = {"Cookie": f"mapsight-8001={cookie_of(TOKEN)}"}
        assert one.client.get("/api/v1/summary", headers=other).status_code == 401


def test_the_host_name_is_one_of_this_machine_where_others_reach_it(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Pictures")
    monkeypatch.setattr("socket.getfqdn", lambda: "pictures.example")
    for host, served in (("0.0.0.0", True), ("127.0.0.1", False)):
        guard = Guard(None, Settings("w", host=host))
        for name in ("pictures:8000", "Pictures.example"):
            assert guard._is_ours(name) == served


@pytest.mark.parametrize(
    ("body", "status"),
    [('{"token": "x"}', 401), ('{"token": 3}', 401), ('{"token": "\\ud800"}', 401), ("[]", 400),
     ("{", 400)],
)  # fmt: skip
def test_no_cookie_for_another_token(guarded, body, status):
    answer = guarded.client.post("/api/v1/token", content=body)
    assert answer.status_code == status and "set-cookie" not in answer.headers


def test_the_token_cannot_be_had_from_its_cookie():
    assert cookie_of(TOKEN) != cookie_of(TOKEN + "x") and TOKEN not in cookie_of(TOKEN)


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_what_only_this_machine_reaches(host, own):
    assert Settings("w", host=host).is_loopback == own


def test_the_log_has_routes_and_no_words_of_callers(server, ids):
    server.lines.clear()
    server.get("search", q=ids[0], label="Tiger")
    server.get(f"pictures/{ids[0]}/thumbnail")
    server.client.get("/secret/path")
    server.client.get("/healthz")  # over the same connection: the line of the one before is there
    routes = [line.split()[1:4] for line in server.lines]
    assert routes == [
        ["GET", "/api/v1/search", "200"],
        ["GET", "/api/v1/pictures/{image_id:path}/thumbnail", "200"],
        ["GET", "none", "404"],
        *routes[3:],
    ]
    assert ids[0] not in "".join(server.lines)


def test_figures_are_for_prometheus(server):
    server.json("labels")
    text = server.client.get("/metrics").text
    assert 'mapsight_requests_total{method="GET",route="/api/v1/labels",status="200"}' in text
    for name in ("mapsight_request_seconds_bucket", "mapsight_waiting", "mapsight_cached_bytes",
                 "process_resident_memory_bytes", "process_open_fds"):  # fmt: skip
        assert name in text
