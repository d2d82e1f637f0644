"""Shards of fetched pictures: kept from run to run, whole or not there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mapsight.inputs import fetch_shards
from mapsight.inputs.fetch_shards import Chunk, document_of, fetch_chunk
from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.shards import Image, read_images
from mapsight.web import retries
from mapsight.web.fetch_many import Limits
from tests.support.loopback import Answer, Visits, in_turn, reply, serving

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9
LIMITS = Limits(seconds=20, allow_private=True)
GONE, BROKEN = reply(b"", 404), reply(b"", 500)


class Site:
    """A server that has a picture under every name but those in `answers`, and a store."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.answers: dict[str, Answer] = {}
        self.visits, self.told, self.url = Visits(), Counter[str](), ""

    def answer(self, request) -> None:
        name = request.path.strip("/")
        self.answers.get(name, reply(PICTURE + name.encode()))(request)

    def fetch(self, *names: str, first: int = 0, limits: Limits = LIMITS, **how) -> Chunk:
        """Fetches names, counting anew what was asked for (`asked`) and told."""
        self.visits.paths.clear()
        self.told.clear()
        known = how.pop("known", {})
        rows = [{"url": f"{self.url}/{name}", "image_id": None, **known} for name in names]
        told = lambda name, count: self.told.update({name: count})  # noqa: E731
        return fetch_chunk(rows, str(self.store), first, limits, told=told, **how)

    @property
    def asked(self) -> list[str]:
        return sorted(self.visits.paths)

    def shards(self) -> list[Path]:
        return list(self.store.rglob("*.parquet"))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    site = Site(tmp_path / "fetched")
    with serving(site.answer, visits=site.visits) as site.url:
        yield site


def images(chunk: Chunk) -> list[Image]:
    return list(read_images(chunk.split))


def codes(chunk: Chunk) -> list[str]:
    return [image.error["error"] if image.error else "" for image in images(chunk)]


def pictures(chunk: Chunk) -> list[bytes | None]:
    return [image.data for image in images(chunk)]


def test_a_shard_has_the_pictures_in_the_order_of_the_urls(site: Site):
    chunk = site.fetch("a", "b", "c", first=70)
    assert pictures(chunk) == [PICTURE + name for name in (b"a", b"b", b"c")]
    assert [image.ordinal for image in images(chunk)] == [70, 71, 72]
    assert (chunk.failed, dict(site.told)) == (0, {"kept": 0, "fetched": 3})


def test_a_row_tells_where_its_picture_comes_from(site: Site):
    (image,) = images(site.fetch("a", known={"author": "J. Doe"}))
    url = f"{site.url}/a"
    assert (image.image_id, image.source) == (image_id_of(url), url)
    assert image.provenance == {"original_url": url, "author": "J. Doe"}


def test_given_ids_and_hex_names_are_ids(site: Site):
    (given,) = images(site.fetch("a", known={"image_id": "lion-1", "original_url": "http://o"}))
    (named,) = images(site.fetch("00abcdef00000000.jpg"))
    assert (given.image_id, named.image_id) == ("lion-1", "00abcdef00000000")
    assert given.provenance["original_url"] == "http://o"


def test_errors_stand_where_their_pictures_would(site: Site):
    site.answers |= {"gone": GONE, "page": reply(b"<html>"), "broken": BROKEN}
    chunk = site.fetch("a", "gone", "page", "broken")
    assert codes(chunk) == ["", "url_gone", "not_an_image", "url_failed"]
    assert chunk.failed == 1
    assert dict(site.told) == {"kept": 0, "fetched": 1, "failed": 3}


def test_a_second_run_asks_for_nothing_and_gives_the_same(site: Site):
    first = site.fetch("a", "b")
    assert site.fetch("a", "b") == first
    assert (site.asked, dict(site.told), len(site.shards())) == ([], {"kept": 2}, 1)


def test_a_second_run_asks_again_for_what_failed_and_nothing_else(site: Site):
    site.answers |= {"b": in_turn(*[BROKEN] * 4, reply(PICTURE)), "gone": GONE}
    assert site.fetch("a", "b", "c", "gone").failed == 1
    chunk = site.fetch("a", "b", "c", "gone")
    assert (site.asked, dict(site.told)) == (["b"], {"kept": 3, "fetched": 1})
    assert pictures(chunk) == [PICTURE + b"a", PICTURE, PICTURE + b"c", None]
    assert chunk.failed == 0


def test_a_run_that_gets_nothing_more_keeps_the_shard(site: Site):
    site.answers["b"] = BROKEN
    first = site.fetch("a", "b")
    assert site.fetch("a", "b") == first
    assert (dict(site.told), len(site.shards())) == ({"kept": 1, "failed": 1}, 1)


def test_what_failed_for_good_is_asked_for_again_when_wanted(site: Site):
    site.answers["gone"] = in_turn(GONE, reply(PICTURE))
    site.fetch("a", "gone")
    assert pictures(site.fetch("a", "gone", again=True)) == [PICTURE + b"a", PICTURE]
    assert site.asked == ["gone"]


def test_refused_addresses_are_asked_once_they_are_allowed(site: Site):
    refused = site.fetch("a", limits=Limits(seconds=20))
    assert (codes(refused), refused.failed, site.asked) == (["url_refused"], 0, [])
    assert (codes(site.fetch("a")), site.asked) == ([""], ["a"])


def test_what_a_server_asks_to_leave_alone_is_asked_for_once_the_user_decides_so(site: Site):
    site.answers["a"] = reply(PICTURE, X_Robots_Tag="noai")
    assert (codes(site.fetch("a", "b")), site.asked) == (["url_disallowed", ""], ["a", "b"])
    assert (codes(site.fetch("a", "b")), site.asked) == (["url_disallowed", ""], [])
    ignoring = replace(LIMITS, ignore_robots=True)
    assert (codes(site.fetch("a", "b", limits=ignoring)), site.asked) == (["", ""], ["a"])


def test_rows_added_removed_and_changed_cost_only_themselves(site: Site):
    site.fetch(*"abcdef")
    chunk = site.fetch(*"abxdefg")
    assert site.asked == ["g", "x"]
    assert pictures(chunk) == [PICTURE + name.encode() for name in "abxdefg"]


def test_new_provenance_asks_for_nothing(site: Site):
    site.fetch("a", "b")
    chunk = site.fetch("a", "b", known={"license": "CC0"})
    assert site.asked == []
    assert [image.provenance["license"] for image in images(chunk)] == ["CC0", "CC0"]


def test_a_shard_serves_wherever_its_chunk_lies(site: Site):
    site.fetch("a", "b", first=0)
    chunk = site.fetch("a", "b", first=1000)
    assert ([image.ordinal for image in images(chunk)], site.asked) == ([1000, 1001], [])


def test_a_url_named_twice_is_two_rows(site: Site):
    site.fetch("a", "a", "b")
    assert len(images(site.fetch("a", "a", "b", "a"))) == 4
    assert site.visits.paths == {"a": 1}


def lose_document(shard: Path) -> None:
    Path(document_of(str(shard))).unlink()


def cut_document(shard: Path) -> None:
    path = Path(document_of(str(shard)))
    path.write_bytes(path.read_bytes()[:-1])


def lose_shard(shard: Path) -> None:
    shard.unlink()


def cut_shard(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [lose_document, cut_document, lose_shard, cut_shard])
def test_a_shard_that_is_not_whole_does_not_exist(site: Site, harm):
    whole = pictures(site.fetch("a", "b"))
    harm(site.shards()[0])
    assert pictures(site.fetch("a", "b")) == whole
    assert site.asked == ["a", "b"]


def test_a_writer_that_dies_leaves_nothing_that_counts(site: Site, monkeypatch):
    class Killed(BaseException):
        pass

    def dies(*_):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(fetch_shards, "document_of", dies)
        site.fetch("a", "b")
    assert len(site.shards()) == 1
    assert codes(site.fetch("a", "b")) == ["", ""]
    assert site.asked == ["a", "b"]


def test_a_damaged_copy_is_never_passed_on(site: Site):
    site.fetch("a", "b")
    shard = site.shards()[0]
    shard.write_bytes(shard.read_bytes().replace(PICTURE + b"b", PICTURE + b"?"))
    chunk = site.fetch("a", "b", "c")
    assert "url_failed" in codes(chunk)
    assert codes(site.fetch("a", "b", "c")) == ["", "", ""]


def test_stores_that_are_no_local_folders_work_the_same(site: Site):
    site.store = "memory://fetched-here"  # type: ignore[assignment]
    first = site.fetch("a", "b")
    assert pictures(first) == [PICTURE + b"a", PICTURE + b"b"]
    assert (site.fetch("a", "b"), site.asked) == (first, [])


def _listed(body: bytes, **changes) -> dict:
    md5 = hashlib.md5(body).hexdigest()
    return {"original_bytes": len(body), "original_md5": md5, **changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"original_bytes": None}, None),
        ({"original_md5": None}, None),
        ({"original_bytes": 5}, "url_gone"),
        ({"original_md5": "0" * 32}, "url_gone"),
        ({"original_bytes": 5, "original_md5": None}, "url_gone"),
    ],
)
def test_another_picture_than_the_list_says_is_gone(changes: dict, code: str | None):
    from mapsight.inputs.fetch_shards import _as_listed
    from mapsight.web.fetch_many import Fetched

    result = _as_listed(_listed(b"picture", **changes), Fetched(b"picture"))
    assert (result.error or {}).get("error") == code
