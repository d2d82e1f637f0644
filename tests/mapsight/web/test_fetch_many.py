"""Many URLs at once: what each gets, what is asked again, and how many at a time."""

from __future__ import annotations

import email.utils
import errno
import itertools
import socket
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.web import fetch_many as fetching
from mapsight.web import retries
from mapsight.web.fetch_many import Fetched, Limits, fetch_many
from mapsight.web.http_get import Answer, FetchError
from mapsight.web.retries import asked_pause, is_ours, may_pass, pause
from tests.support.loopback import (
    Visits,
    dripping,
    endless,
    in_turn,
    reply,
    reset,
    serving,
    silent,
    stored,
)

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)


def get(*urls: str, **limits) -> list[Fetched]:
    return list(fetch_many(urls, Limits(**{"seconds": 20.0, "allow_private": True, **limits})))


def one(answer, **limits) -> tuple[Fetched, int]:
    """What one URL gets, and how often its server was asked."""
    visits = Visits()
    with serving(answer, visits=visits) as url:
        (result,) = get(f"{url}/x", **limits)
    return result, visits.paths["x"]


def failed(result: Fetched) -> tuple[str, str]:
    assert result.data is None
    assert result.error
    return result.error["error"], result.error["detail"]


def test_pictures_come_in_the_order_of_their_urls():
    bodies = {f"p{number}": PICTURE + bytes([number]) for number in range(40)}
    with serving(**{name: reply(body) for name, body in bodies.items()}) as url:
        results = get(*(f"{url}/{name}" for name in bodies))
    assert [result.data for result in results] == list(bodies.values())


def test_a_body_without_the_md5_of_its_etag_is_asked_for_again():
    damaged, whole = stored(PICTURE, md5="0" * 32), stored(PICTURE)
    assert one(in_turn(damaged, whole), check_md5=True) == (Fetched(PICTURE), 2)
    assert one(damaged) == (Fetched(PICTURE), 1)
    code, detail = failed(one(damaged, check_md5=True)[0])
    assert (code, detail[-50:]) == ("url_failed", f"the server says {'0' * 32} (4 tries)"[-50:])


@pytest.mark.parametrize("etag", ['"abc"', f'"{"0" * 32}-2"', f'W/"{"0" * 32}"', f'"{"z" * 32}"'])
def test_an_etag_that_is_no_md5_says_nothing(etag: str):
    assert one(reply(PICTURE, ETag=etag), check_md5=True) == (Fetched(PICTURE), 1)


def test_no_url_is_no_result():
    assert get() == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(status: int):
    assert one(in_turn(reply(b"", status), reply(PICTURE))) == (Fetched(PICTURE), 2)


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 451, 501])
def test_what_is_gone_is_asked_once(status: int):
    result, asked = one(reply(b"", status))
    assert (failed(result), asked) == (("url_gone", f"the server answered {status}"), 1)


def test_a_reset_connection_is_asked_again():
    assert one(in_turn(reset, reset, reply(PICTURE))) == (Fetched(PICTURE), 3)


def test_a_body_that_ends_early_is_asked_again():
    short = reply(PICTURE, Content_Length="5000")
    assert one(in_turn(short, reply(PICTURE))) == (Fetched(PICTURE), 2)


def test_tries_are_counted():
    result, asked = one(reply(b"", 500))
    assert failed(result) == ("url_failed", "the server answered 500 (4 tries)")
    assert asked == retries.TRIES


def test_a_silent_server_is_asked_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mapsight.web.url_state.PATIENCE", 0.2)
    assert one(in_turn(silent, reply(PICTURE))) == (Fetched(PICTURE), 2)


def test_all_tries_together_keep_the_deadline():
    result, asked = one(dripping, seconds=0.5)
    assert (failed(result), asked) == (("url_failed", "not complete after 0.5 s"), 1)


def test_retry_after_is_kept():
    seen = []

    def busy_then_fine(request):
        seen.append(time.monotonic())
        (reply(PICTURE) if len(seen) > 1 else reply(b"", 429, Retry_After="1"))(request)

    assert one(busy_then_fine) == (Fetched(PICTURE), 2)
    assert seen[1] - seen[0] >= 1


def test_a_longer_retry_after_than_allowed_is_not_waited_for():
    result, asked = one(reply(b"", 503, Retry_After="3600"))
    assert failed(result) == ("url_failed", "the server answered 503 and asks to wait 3600 s")
    assert asked == 1


def test_a_host_that_asks_for_a_long_pause_is_left_alone():
    visits = Visits()
    with serving(reply(b"", 429, Retry_After="3600"), visits=visits) as url:
        results = get(*(f"{url}/{number}" for number in range(50)), per_host=2)
    assert visits.paths.total() <= 4
    assert {failed(result)[0] for result in results} == {"url_failed"}


def unhurried(request) -> None:
    time.sleep(0.03)
    reply(PICTURE)(request)


def test_never_more_connections_to_a_host_than_allowed():
    visits = Visits()
    with serving(unhurried, visits=visits) as url:
        get(*(f"{url}/{number}" for number in range(40)), connections=16, per_host=3)
    assert visits.most == 3


def test_never_more_connections_in_all_than_allowed():
    visits = Visits()
    with serving(unhurried, host="0.0.0.0", visits=visits) as url:
        hosts = [f"127.0.0.{number}" for number in range(2, 8)]
        urls = [url.replace("0.0.0.0", host) for host in hosts for _ in range(4)]
        assert len(get(*urls, connections=5, per_host=2)) == 24
    assert visits.most == 5


def test_a_redirect_counts_for_the_host_it_leads_to():
    visits = Visits()
    with (
        serving(unhurried, visits=visits) as end,
        serving(reply(b"", 302, Location=end), host="0.0.0.0") as start,
    ):
        urls = [start.replace("0.0.0.0", f"127.0.0.{number}") for number in range(3, 15)]
        assert {r.data for r in get(*urls, per_host=2, connections=12)} == {PICTURE}
    assert visits.most == 2


def test_redirects_are_bounded():
    result, asked = one(reply(b"", 302, Location="/x"))
    assert (failed(result), asked) == (("url_gone", "more than 5 redirects"), 6)


def test_a_redirect_to_nowhere_is_the_end():
    result, _ = one(reply(b"", 301))
    assert failed(result) == ("url_gone", "redirected (status 301) to nowhere")


def test_private_addresses_are_refused_without_being_asked():
    result, asked = one(reply(PICTURE), allow_private=False)
    refused = "127.0.0.1 is not a public address (--allow-private allows it)"
    assert (failed(result), asked) == (("url_refused", refused), 0)


def test_a_redirect_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mapsight.web.http_get.is_public", lambda address: address == "127.0.0.2")
    visits = Visits()
    with (
        serving(reply(PICTURE), visits=visits) as inner,
        serving(reply(b"", 302, Location=inner), host="127.0.0.2") as outer,
    ):
        (result,) = get(outer, allow_private=False)
    assert (failed(result)[0], visits.paths.total()) == ("url_refused", 0)


@pytest.mark.parametrize(
    "url", ["", "list.csv#7", "ftp://a/b", "http://[::1/", "http://a:99999/", "http://" + "a" * 70]
)
def test_what_is_no_address_is_refused(url: str):
    assert failed(get(url)[0])[0] == "url_refused"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(b"<!doctype html><p>", Content_Type="image/jpeg"), "not_an_image"),
        (reply(PICTURE, Content_Encoding="gzip"), "not_an_image"),
        (reply(b""), "empty"),
        (reply(PICTURE, Content_Length="9999999"), "too_many_bytes"),
        (endless, "too_many_bytes"),
    ],
)
def test_bodies_that_are_no_pictures_are_asked_for_once(answer, code: str):
    result, asked = one(answer, max_bytes=100_000)
    assert (failed(result)[0], asked) == (code, 1)


def test_nobody_there_is_a_failure_that_may_pass():
    with serving() as url:
        pass
    assert failed(get(url)[0])[0] == "url_failed"


def test_a_stuck_url_does_not_hold_up_the_others():
    visits = Visits()
    with serving(reply(PICTURE), stuck=silent, visits=visits) as url:
        results = fetch_many(
            [f"{url}/stuck", *(f"{url}/{n}" for n in range(60))], Limits(3, 4, 4, True)
        )
        assert failed(next(results))[0] == "url_failed"
        assert visits.paths.total() - visits.paths["stuck"] == 60
        assert [result.data for result in results] == [PICTURE] * 60


def test_no_more_is_asked_for_while_the_disk_is_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "ON_DISK", 10)
    visits = Visits()
    with serving(reply(PICTURE), stuck=silent, visits=visits) as url:
        urls = [f"{url}/stuck", *(f"{url}/{n}" for n in range(60))]
        next(fetch_many(urls, Limits(1, 4, 4, True)))
    assert visits.paths.total() - visits.paths["stuck"] <= 3


def test_one_is_told_while_nothing_arrives(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "HEARTBEAT", 0.1)
    beats = itertools.count()
    with serving(silent) as url:
        list(fetch_many([url], Limits(1, 4, 4, True), waiting=lambda: next(beats)))
    assert next(beats) >= 3


def test_connections_end_with_the_one_who_asked():
    visits = Visits()
    with serving(reply(PICTURE), stuck=silent, visits=visits) as url:
        results = fetch_many([f"{url}/1", f"{url}/stuck"], Limits(60, 4, 4, True))
        next(results)
        while not visits.paths["stuck"]:
            time.sleep(0.01)
        results.close()
        while visits.now:
            time.sleep(0.01)


def test_a_full_disk_is_not_the_fault_of_a_url(monkeypatch: pytest.MonkeyPatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mapsight.web.http_get._copy", full)
    with serving(reply(PICTURE)) as url, pytest.raises(OSError, match="No space left"):
        get(url)


@given(st.integers(1, 60))
def test_pauses_are_bounded(tries: int):
    assert 0 <= pause(tries) <= retries.LONGEST_PAUSE


@pytest.mark.parametrize(
    ("problem", "passes"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "later"), True),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (ssl.SSLCertVerificationError("expired"), False),
        (ssl.SSLError("broken"), True),
        (ConnectionResetError(), True),
        (FetchError("a page", "not_an_image"), False),
        (ValueError("what"), False),
    ],
)
def test_problems_that_pass(problem: Exception, passes: bool):
    assert may_pass(problem) is passes
    assert not is_ours(problem)


@pytest.mark.parametrize(
    ("text", "status", "seconds"),
    [
        ("120", 429, 120.0),
        (" 0 ", 503, 0.0),
        ("120", 500, None),
        ("soon", 429, None),
        ("-5", 429, None),
        ("٣", 429, None),
        ("9" * 400, 429, 999_999_999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 429, 0.0),
        (None, 429, None),
    ],
)
def test_retry_after_as_servers_write_it(text, status: int, seconds: float | None):
    assert asked_pause(Answer(status, None, text)) == seconds


def test_retry_after_may_be_a_date():
    date = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 90 < (asked_pause(Answer(429, None, date)) or 0) <= 100
