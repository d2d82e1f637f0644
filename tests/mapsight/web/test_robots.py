"""What robots.txt and X-Robots-Tag say, by the examples of RFC 9309 and Google's."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.web.robots import LONGEST_DELAY, MOST_BYTES, disallowing_tag, rules_in

HOST = "http://example.org"


def allows(text: str, path: str) -> bool:
    return rules_in(text.encode()).allow(HOST + path)


def to_all(*lines: str) -> str:
    return "\n".join(["User-agent: *", *lines])


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("/", ["/", "/a.jpg"], []),
        ("/fish", ["/fish", "/fish.html", "/fishheads/yummy.html"], ["/Fish.asp", "/catfish"]),
        ("/fish/", ["/fish/", "/fish/?id=1"], ["/fish", "/fish.html"]),
        ("/*.php", ["/index.php", "/folder/a.php?p", "/folder.php/"], ["/", "/windows.PHP"]),
        ("/*.php$", ["/filename.php", "/a.php/b.php"], ["/filename.php?p", "/filename.php5"]),
        ("/fish*.php", ["/fish.php", "/fishheads/catfish.php?p"], ["/Fish.PHP", "/fis.php"]),
        ("/a*b*ab$", ["/abab", "/axbxab"], ["/ab", "/abb", "/abab/"]),
        ("/foo/bar?baz=%E3%83%84", ["/foo/bar?baz=ツ", "/foo/bar?baz=%e3%83%84"], ["/foo/bar"]),
        ("/foo/bar/%62%61%7A", ["/foo/bar/baz"], ["/foo/bar"]),
        ("*.gif$", ["/a.gif", "/x/y.gif"], ["/a.gif?1"]),
    ],
)
def test_patterns_fit_as_documented(pattern, fits, others):
    text = to_all(f"Disallow: {pattern}")
    assert [path for path in fits if allows(text, path)] == []
    assert [path for path in others if not allows(text, path)] == []


@pytest.mark.parametrize(
    ("lines", "path", "allowed"),
    [
        (["Allow: /p", "Disallow: /"], "/page", True),
        (["Allow: /folder", "Disallow: /folder"], "/folder/page", True),
        (["Allow: /page", "Disallow: /*.htm"], "/page.htm", False),
        (["Allow: /$", "Disallow: /"], "/page.htm", False),
        (["Allow: /$", "Disallow: /"], "/", True),
        (["Disallow:"], "/page", True),
    ],
)
def test_the_longest_rule_decides_and_of_equal_ones_the_kinder(lines, path, allowed):
    assert allows(to_all(*lines), path) == allowed
    assert allows(to_all(*reversed(lines)), path) == allowed


def test_the_groups_of_a_name_come_before_those_for_all():
    text = (
        "User-agent: other\nDisallow: /a\n\nUser-Agent: *\nDisallow: /b\n"
        "user-agent: MapSight/1.0\nUSER-AGENT: more\nDisallow: /c # why\ncrawl-delay: 3\n"
        "Sitemap: /x\nUser-agent: mapsight\nDisallow: /d"
    )
    rules = rules_in(text.encode())
    assert [rules.allow(HOST + path) for path in ("/a", "/b", "/c", "/d")] == [
        True,
        True,
        False,
        False,
    ]
    assert rules.delay == 3.0


@pytest.mark.parametrize(
    ("said", "delay"), [("2.5", 2.5), ("-1", 0), ("nan", 0), ("soon", 0), ("1e30", LONGEST_DELAY)]
)
def test_a_delay_is_a_number_of_seconds_with_a_bound(said, delay):
    assert rules_in(to_all(f"Crawl-delay: {said}").encode()).delay == delay


@given(st.binary(max_size=400), st.text(max_size=40))
def test_no_bytes_are_too_odd(data, path):
    rules_in(b"User-agent: *\nDisallow: /" + data).allow(f"{HOST}/{path}")


def test_a_hostile_pattern_takes_no_time():
    started = time.monotonic()
    text = to_all("Disallow: /" + "a*" * 50_000 + "b$")
    assert allows(text, "/" + "a" * 4000)
    assert len(rules_in(b"x" * (MOST_BYTES + 9)).rules) == 0 and time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("values", "tag"),
    [
        ([], ""),
        (["noarchive"], ""),
        (["noarchive, NoAI"], "noai"),
        (["all", "noimageindex"], "noimageindex"),
        (["none"], "none"),
        (["googlebot: noindex"], ""),
        (["googlebot: noindex", "mapsight: noimageai"], "noimageai"),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noindex"], "noindex"),
    ],
)
def test_a_tag_may_be_for_all_or_for_a_name(values, tag):
    assert disallowing_tag(values) == tag
