"""Good manners towards a server on loopback."""

from __future__ import annotations

import itertools
import time

import pytest

from mapsight.web import manners as module
from mapsight.web import retries
from mapsight.web.fetch_many import Fetched, Limits, fetch_many
from mapsight.web.manners import Manners
from mapsight.web.robots import Rules
from tests.support.loopback import ROBOTS, Answer, Visits, in_turn, reply, serving

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9
FINE = reply(PICTURE)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)


def get(*urls: str, manners: Manners | None = None, **limits) -> list[Fetched]:
    asked = Limits(**{"seconds": 20.0, "allow_private": True, **limits})
    return list(fetch_many(urls, asked, manners=manners))


def robots(text: str) -> dict[str, Answer]:
    return {ROBOTS: reply(text.encode(), Content_Type="text/plain")}


CLOSED = robots("User-agent: *\nDisallow: /private\n")


def test_what_is_disallowed_is_not_asked_for_and_says_why():
    visits = Visits()
    with serving(FINE, visits=visits, **CLOSED) as url:
        fine, closed = get(f"{url}/a", f"{url}/private/b")
    assert fine == Fetched(PICTURE)
    assert closed.error["error"] == "url_disallowed"
    assert closed.error["detail"].startswith(f"robots.txt of {url} does not allow it")
    assert visits.paths == {ROBOTS: 1, "a": 1}


def test_a_user_may_decide_otherwise():
    visits = Visits()
    tagged = reply(PICTURE, X_Robots_Tag="noai")
    with serving(tagged, visits=visits, **CLOSED) as url:
        assert get(f"{url}/private/b", ignore_robots=True) == [Fetched(PICTURE)]
    assert visits.paths == {"private/b": 1}


def test_a_picture_whose_server_says_noai_is_not_used():
    with serving(a=reply(PICTURE, X_Robots_Tag="noai, noimageai"), b=FINE) as url:
        tagged, fine = get(f"{url}/a", f"{url}/b")
    assert (tagged.error["error"], fine) == ("url_disallowed", Fetched(PICTURE))
    assert tagged.error["detail"].startswith("X-Robots-Tag: noai")


def test_a_redirect_leads_nowhere_that_is_disallowed():
    with serving(FINE, **CLOSED) as target:
        away = reply(b"", 302, Location=f"{target}/private/x")
        with serving(away) as url:
            (result,) = get(f"{url}/a")
    assert result.error["error"] == "url_disallowed"


def test_robots_txt_is_read_once_for_many_urls_and_for_the_next_ones():
    visits, manners = Visits(), Manners()
    with serving(FINE, visits=visits, **CLOSED) as url:
        for some in (range(20), range(20, 30)):
            get(*(f"{url}/{n}" for n in some), manners=manners)
    assert visits.paths[ROBOTS] == 1 and visits.paths.total() == 31


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", 404),
        reply(b"", 403),
        reply(b"<html>Disallow: /</html>"),
        reply(b"\x00\xff" * 999),
        reply(b"", 302, Location=f"/{ROBOTS}"),
        reply(b"", 302),
        reply(b"User-agent: *\nAllow: /\n" + b"#" * (2 << 20)),
    ],
)
def test_a_server_without_rules_allows_everything(answer):
    with serving(FINE, **{ROBOTS: answer}) as url:
        assert get(f"{url}/a") == [Fetched(PICTURE)]


def test_a_server_that_cannot_tell_its_rules_now_is_asked_again():
    busy = reply(b"", 503)
    with serving(FINE, **{ROBOTS: in_turn(busy, reply(b"", 404))}) as url:
        assert get(f"{url}/a") == [Fetched(PICTURE)]
    visits = Visits()
    with serving(FINE, visits=visits, **{ROBOTS: busy}) as url:
        (result,) = get(f"{url}/a")
    assert result.error["error"] == "url_failed" and "robots.txt" in result.error["detail"]
    assert visits.paths == {ROBOTS: 4}


def test_private_addresses_are_refused_before_their_robots_txt():
    visits = Visits()
    with serving(FINE, visits=visits, **CLOSED) as url:
        (result,) = get(f"{url}/a", allow_private=False)
    assert result.error["error"] == "url_refused" and not visits.paths


@pytest.mark.parametrize(
    ("rules", "limits"),
    [("User-agent: *\nCrawl-delay: .2", {}), ("", {"host_pause": 0.2})],
)
def test_a_host_gets_its_pauses(rules, limits):
    times: list[float] = []

    def answer(request) -> None:
        times.append(time.monotonic())
        FINE(request)

    with serving(answer, **robots(rules or "#")) as url:
        results = get(*(f"{url}/{n}" for n in range(4)), **limits)
    assert results == [Fetched(PICTURE)] * 4
    assert min(b - a for a, b in itertools.pairwise(times)) > 0.15


def test_servers_are_told_who_asks():
    told: list[str] = []

    def answer(request) -> None:
        told.append(request.headers["User-Agent"])
        FINE(request)

    with serving(answer, **{ROBOTS: answer}) as url:
        get(f"{url}/a", user_agent="mapsight/1 (+https://example.org/me)")
    assert told == ["mapsight/1 (+https://example.org/me)"] * 2


def test_what_is_known_of_hosts_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_HOSTS", 3)
    monkeypatch.setattr(module, "MOST_TEXT", 100)
    manners = Manners()
    for number in range(9):
        manners._keep(f"http://h{number}", Rules(size=40))
        manners.close(f"h{number}", 5.0)
    assert len(manners._rules) == 2 and len(manners._closed_until) == 3
    assert manners.knows("http://h8/a") and not manners.knows("http://h1/a")
