"""Downloads from a server that breaks off, changes its mind, or lies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsight.web import download as module
from mapsight.web.download import DownloadError, Record, download, record_of
from tests.support.loopback import Visits, reply, serving, stored

BODY = bytes(range(256)) * 5000
OTHER = BODY[::-1]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pause", lambda tries: 0.0)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "cache" / "boxes.csv"
    left = {path.name for path in tmp_path.rglob("*.part*") if path.name.count(".part") > 1}
    assert not left


def had(url: str, target: Path, **options) -> Record:
    return download(f"{url}/boxes.csv", target, allow_private=True, **options)


def get(target: Path, *answers, **options) -> tuple[bytes, Record, int]:
    """(bytes, record, requests) of a download from a server that answers so in turn."""
    visits = Visits()
    with serving(*answers, visits=visits) as url:
        record = had(url, target, **options)
    return target.read_bytes(), record, visits.paths.total()


def test_a_file_arrives_whole_with_a_record_beside_it(target: Path):
    body, record, _ = get(target, stored(BODY))
    assert body == BODY
    assert (record.bytes, record.sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert record.md5 == record.etag.strip('"') == hashlib.md5(BODY).hexdigest()
    assert record_of(target) == record
    assert {p.name for p in target.parent.iterdir()} == {"boxes.csv", "boxes.csv.json"}


def test_what_is_there_is_not_asked_for(target: Path):
    visits = Visits()
    with serving(stored(BODY), visits=visits) as url:
        assert had(url, target) == had(url, target)
    assert visits.paths.total() == 1


def test_what_broke_off_goes_on_where_it_stopped(target: Path):
    answers = [stored(BODY, cut=100_000), stored(BODY, cut=300_000), stored(BODY)]
    told: list[int] = []
    body, _, requests = get(target, *answers, told=lambda have, total: told.append(have))
    assert (body, requests) == (BODY, 3)
    assert told == sorted(told) and told[-1] == len(BODY)  # nothing came twice


def test_any_number_of_breaks_is_borne_while_there_is_progress(target: Path):
    body, _, requests = get(target, stored(BODY, cut=100_000))
    assert (body, requests) == (BODY, 13)


def test_a_later_run_goes_on_too(target: Path):
    told: list[int] = []
    with serving(stored(BODY, cut=100_000), reply(status=404), stored(BODY)) as url:
        with pytest.raises(DownloadError, match="404, expected 200; 100,000 bytes of it are kept"):
            had(url, target)
        assert not target.exists()
        had(url, target, told=lambda have, total: told.append(have))
    assert target.read_bytes() == BODY and told[0] > 100_000


def test_a_body_that_changed_meanwhile_begins_anew(target: Path):
    body, record, _ = get(target, stored(BODY, cut=100_000), stored(OTHER))
    assert (body, record.md5) == (OTHER, hashlib.md5(OTHER).hexdigest())


def test_a_part_of_something_else_is_not_put_together(target: Path):
    lying = reply(b"x" * 10, 206, Content_Range="bytes 7-16/17")
    body, _, requests = get(target, stored(BODY, cut=100_000), lying, stored(BODY))
    assert (body, requests) == (BODY, 3)


def test_a_server_without_etag_begins_anew(target: Path):
    weak = {"ETag": 'W/"1"'}
    answers = [stored(BODY, cut=100_000, **weak), stored(BODY, **weak)]
    assert get(target, *answers)[::2] == (BODY, 2)


def test_a_wrong_checksum_throws_the_file_away(target: Path):
    with pytest.raises(DownloadError, match=r"its MD5 is .*, the server says 0000"):
        get(target, stored(BODY, md5="0" * 32))
    assert list(target.parent.iterdir()) == []


def test_a_missing_file_is_named(target: Path):
    with pytest.raises(DownloadError, match=r"/boxes.csv: the server answered 404, expected 200$"):
        get(target, reply(status=404))


def test_a_busy_server_is_asked_four_times(target: Path):
    visits = Visits()
    with serving(reply(status=503), visits=visits) as url, pytest.raises(DownloadError):
        had(url, target)
    assert visits.paths.total() == 4


def test_redirects_are_followed(target: Path):
    with serving(stored(BODY)) as there:
        assert get(target, reply(status=302, Location=f"{there}/x"))[0] == BODY


def test_private_addresses_need_permission(target: Path):
    with serving(stored(BODY)) as url, pytest.raises(DownloadError, match="not a public address"):
        download(f"{url}/boxes.csv", target)


def test_a_refresh_costs_nothing_while_nothing_changed(target: Path):
    with serving(stored(BODY)) as url:
        first = had(url, target)
        assert had(url, target, refresh=True) == first


def test_a_refresh_notices_a_change(target: Path):
    with serving(stored(BODY), stored(OTHER)) as url:
        first = had(url, target)
        assert had(url, target, refresh=True).sha256 != first.sha256
    assert target.read_bytes() == OTHER


@pytest.mark.parametrize("size", [len(BODY), len(BODY) - 1])
def test_a_file_altered_here_is_fetched_again(target: Path, size: int):
    with serving(stored(BODY)) as url:
        had(url, target)
        target.write_bytes(bytes(size))
        assert record_of(target) is None
        had(url, target)
    assert target.read_bytes() == BODY


def test_a_file_that_was_only_touched_is_kept(target: Path):
    with serving(stored(BODY)) as url:
        record = had(url, target)
    target.touch()
    assert record_of(target) == record
