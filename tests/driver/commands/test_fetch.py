"""The command fetch against a server that plays the bucket and the metadata."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.support.loopback import reply, stored
from tests.support.openimages_server import Fetcher, Place, files_of, first
from tests.support.openimages_world import MIDS
from tests.support.program import CalledProgram

LION, TIGER, OWL = MIDS.values()
TWO = ["--labels", "Lion,tiger", "--per-label", "6"]


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def fetch(place: Place, environment: dict[str, str], tmp_path: Path) -> Iterator[Fetcher]:
    with place.serving() as (url, visits):
        yield Fetcher(CalledProgram(environment, tmp_path), url, visits)


def test_a_sample_is_that_of_brute_force_and_every_picture_is_there(fetch, place):
    out = fetch("--labels", "Lion", TIGER, "--per-label", "6", "--with-negatives")
    world = place.worlds["validation"]
    keys = [(mid, present) for mid in (LION, TIGER) for present in (True, False)]
    assert fetch.sample() == {(m, p): first(world, m, 6, p) for m, p in keys}
    ids = {i for ids in fetch.sample().values() for i in ids}
    assert fetch.pictures() == {i: place.bytes_of(i) for i in ids}
    assert "Lion   validation         6       6\n" in out and out.splitlines()[4] == "sample"


def test_each_subset_has_as_many_of_each_label(fetch, place):
    fetch(*TWO, subset="test train")
    for subset in ("train", "test"):
        expected = {(mid, True): first(place.worlds[subset], mid, 6) for mid in (LION, TIGER)}
        assert fetch.sample(subset) == expected
    assert fetch.sample("validation") == {}


def test_metadata_is_that_of_the_pictures_in_the_published_formats(fetch, place):
    fetch(*TWO)
    world, ids = place.worlds["validation"], set(fetch.pictures())
    names = {"images": "validation-images-with-rotation.csv"}
    names |= {"labels": "oidv7-val-annotations-human-imagelabels.csv"}
    names |= {"boxes": "validation-annotations-bbox.csv"}
    for kind, name in names.items():
        table = getattr(world, kind)
        expected = table[table.ImageID.isin(ids)].reset_index(drop=True)
        found = pd.read_csv(fetch.to / name, dtype=str, keep_default_na=False)
        pd.testing.assert_frame_equal(found, expected)


def test_license_author_and_landing_page_travel_along(fetch):
    fetch(*TWO)
    for row in fetch.table("urls.csv"):
        home = f"https://pictures.example/{row['image_id']}"
        assert (row["landing_url"], row["original_url"]) == (home, f"{home}.jpg")
        assert (row["author"], row["subset"]) == ("J. Doe", "validation")
        assert row["license"] == "https://license.example/by/2.0/"
    table = pd.concat(map(pd.read_parquet, (fetch.to / "images").iterdir()))
    assert set(table.author) == {"J. Doe"} and set(table.subset) == {"validation"}
    assert (table.original_url == "https://pictures.example/" + table.image_id + ".jpg").all()


def test_lists_for_people_are_safe_for_spreadsheets(fetch):
    fetch("--labels", "Lion", "--per-label", "1000")
    titles = {row["title"] for row in fetch.table("urls.csv")}
    assert {"'=cmd()", "two lines", 'a "quoted", title', "Löwe"} < titles
    (name,) = fetch.to.glob("*images-with-rotation.csv")
    assert {"=cmd()", "two\nlines"} < {row["Title"] for row in fetch.table(name.name)}


def test_a_picture_whose_row_cannot_be_read_is_replaced(fetch, place):
    lions, path = first(place.worlds["test"], LION, 9), "2018_04/test/test-images-with-rotation.csv"
    row = place.body(path).partition(lions[1].encode())[2].partition(b"\n")[0]
    place.answers[path] = stored(place.body(path).replace(row, b',test,"never closed'))
    with place.serving() as (url, visits):
        Fetcher(fetch.program, url, visits)("--labels", "Lion", "--per-label", "3", subset="test")
    assert fetch.sample("test") == {(LION, True): [lions[0], *lions[2:4]]}
    assert [row["ImageID"] for row in fetch.table("missing.csv")] == [lions[1]]


def test_missing_pictures_are_noted_and_replaced_from_the_same_label(fetch, place):
    lions = first(place.worlds["validation"], LION, 20)
    place.missing = {lions[0], lions[3], lions[6]}  # the third is a replacement itself
    fetch("--labels", "Lion", "--per-label", "6")
    assert fetch.sample() == {(LION, True): [lions[n] for n in (1, 2, 4, 5, 7, 8)]}
    assert [row["ImageID"] for row in fetch.table("missing.csv")] == sorted(place.missing)
    assert {row["Error"] for row in fetch.table("missing.csv")} == {"url_gone"}
    assert set(fetch.pictures()) == set(fetch.sample()[LION, True])


def test_a_label_with_fewer_pictures_has_all_of_them(fetch, place):
    every = first(place.worlds["test"], OWL, 1000)
    place.missing = {every[2]}
    out = fetch("--labels", "Owl", "--per-label", "1000", subset="test")
    assert fetch.sample("test") == {(OWL, True): [*every[:2], *every[3:]]}
    assert f"Owl    test    {len(every) - 1:8}\n" in out


def test_depictions_are_left_out_where_they_are_not_wanted(fetch, place):
    fetch("--labels", "Lion", "--per-label", "1000", "--no-depictions")
    expected = place.worlds["validation"].fit(LION, True, depictions=False)
    assert set(fetch.pictures()) == expected < place.worlds["validation"].fit(LION, True)


def test_a_rerun_asks_for_nothing(fetch, place):
    place.missing = {first(place.worlds["validation"], LION, 1)[0]}
    fetch(*TWO)
    before = files_of(fetch.to)
    fetch(*TWO)
    assert fetch.visits.paths.total() == 0
    assert len(before) > 10 and files_of(fetch.to) == before


def test_a_rerun_asks_for_what_failed_in_passing(fetch, place):
    lions = first(place.worlds["validation"], LION, 6)
    place.broken = set(lions[:2])
    out = fetch(*TWO, status=1)
    assert "2 pictures could not be fetched now" in out
    assert not place.broken & set(fetch.pictures()) and not (fetch.to / "missing.csv").exists()
    assert fetch.sample()[LION, True] == lions[2:]
    place.broken = set()
    fetch(*TWO)
    assert fetch.asked() == dict.fromkeys(lions[:2], 1) and fetch.sample()[LION, True] == lions


def test_a_rerun_fetches_what_was_removed(fetch):
    fetch(*TWO)
    before = fetch.pictures()
    for path in (fetch.to / "images").iterdir():
        path.unlink()
    fetch(*TWO)
    assert fetch.pictures() == before and set(fetch.asked()) == set(before)


def test_a_larger_sample_keeps_the_smaller_one(fetch):
    fetch(*TWO)
    small = fetch.pictures()
    fetch("--labels", "Lion,Tiger,Owl", "--per-label", "9")
    assert small.items() < fetch.pictures().items()
    assert set(fetch.asked()) == set(fetch.pictures()) - set(small)
    assert set(fetch.asked().values()) == {1}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--labels", "Lion", "--per-label", "6"], "it holds /m/07dm6 too"),
        (["--labels", "Lion,Tiger", "--per-label", "5"], "it holds 6 pictures of a label"),
        ([*TWO, "--no-depictions"], "it was made without --no-depictions"),
    ],
)
def test_what_would_leave_pictures_over_is_refused(fetch, more: list[str], reason: str):
    fetch(*TWO)
    assert reason in fetch(*more, status=1)


def test_changed_metadata_is_noticed(fetch, place):
    fetch(*TWO)
    path = "v7/oidv7-val-annotations-human-imagelabels.csv"
    place.answers[path] = stored(place.body(path) + b"0000000000000000,verification,/m/x,1\n")
    with place.serving() as (url, visits):
        again = Fetcher(fetch.program, url, visits)
        (fetch.program.folder / "cache").rename(fetch.program.folder / "old")
        out = again(*TWO, status=1)
    assert "oidv7-val-annotations-human-imagelabels.csv has changed since it was made" in out


def test_a_dry_run_fetches_metadata_only(fetch):
    out = fetch(*TWO, "--dry-run")
    assert "different pictures, about" in out and "none was fetched" in out
    assert not fetch.asked() and not fetch.to.exists()
    record = json.loads(next(fetch.program.folder.rglob("*bbox.csv.json")).read_text())
    body = next(fetch.program.folder.rglob("*bbox.csv")).read_bytes()
    assert record["sha256"] == hashlib.sha256(body).hexdigest()


def test_broken_metadata_is_named_and_nothing_is_left(fetch, place):
    place.answers["v5/validation-annotations-bbox.csv"] = reply(b"x", 404)
    with place.serving() as (url, visits):
        out = Fetcher(fetch.program, url, visits)(*TWO, status=1)
    assert out.splitlines()[-1].startswith("mapsight: error: metadata: http://127.0.0.1:")
    assert "validation-annotations-bbox.csv: the server answered 404" in out
    assert not fetch.to.exists()


def test_a_bucket_without_any_of_them_is_an_error(fetch, place):
    place.missing = set(place.worlds["validation"].images.ImageID)
    out = fetch(*TWO, status=1)
    assert "could not be fetched" in out and "the server answered 404" in out
    assert not (fetch.to / "missing.csv").exists()
    place.missing = set()
    fetch(*TWO)
    assert len(fetch.sample()[LION, True]) == 6


def test_metadata_that_breaks_off_goes_on(fetch, place):
    path = "v7/oidv7-val-annotations-human-imagelabels.csv"
    place.answers[path] = stored(place.body(path), cut=9000)
    with place.serving() as (url, visits):
        Fetcher(fetch.program, url, visits)("--labels", "Lion", "--per-label", "2")
        assert visits.paths[path] == -(-len(place.body(path)) // 9000) > 2
    assert fetch.sample() == {(LION, True): first(place.worlds["validation"], LION, 2)}


def test_metadata_with_a_wrong_checksum_is_refused(fetch, place):
    path = "v7/oidv7-val-annotations-human-imagelabels.csv"
    place.answers[path] = stored(place.body(path), md5="0" * 32)
    with place.serving() as (url, visits):
        out = Fetcher(fetch.program, url, visits)(*TWO, status=1)
    assert "the server says 00000000000000000000000000000000; thrown away" in out.splitlines()[-1]


def test_runners_give_the_same_bytes(fetch, place):
    place.missing = {first(place.worlds["train"], LION, 1)[0]}
    many = ["--labels", "Lion,Owl", "--per-label", "150"]
    fetch(*many, subset="train test")
    fetch(*many, "-r", "local", "--processes", "2", subset="train test", to="other")
    assert files_of(fetch.to) == files_of(fetch.to.with_name("other"))
    assert len(fetch.pictures()) > 150


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_stopped_leaves_nothing_half_written(fetch, place, how: int, status: int):
    many = ["--labels", "Lion,Owl", "--per-label", "200"]
    process = fetch.program.start(*fetch.arguments(*many, "-r", "local", subset="train"))
    while fetch.asked().total() < 30 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(how)
    assert process.wait(60) == status
    assert {path.name for path in fetch.to.iterdir()} <= {".fetching", "fetch.json", "images"}
    fetch(*many, subset="train")
    expected = {(mid, True): first(place.worlds["train"], mid, 200) for mid in (LION, OWL)}
    assert fetch.sample("train") == expected
    assert set(fetch.pictures()) == {i for ids in expected.values() for i in ids}


def test_the_folder_is_one_that_openimages_reads(fetch, place):
    fetch("--labels", "Lion,Owl", "--per-label", "5", "--with-negatives", subset="train test")
    targets = ["--target-labels", "Lion,Owl"]
    fetch.program.ok("--openimages", "sample", *targets)
    results = fetch.program.folder / "workspace" / "results"
    found = pd.read_parquet(results / "predictions.parquet").set_index("image_id")
    assert set(found.index) == set(fetch.pictures())
    assert set(found.author) == {"J. Doe"} and set(found.subset) == {"train", "test"}
    lions = {i for s in ("train", "test") for i in fetch.sample(s)[LION, True]}
    assert all("Lion" in found.truth[i] for i in lions)
    assert json.loads((results / "summary.json").read_text())["images_rejected"] == 0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--per-label", "6"], "fetch: --labels is needed (see"),
        ([], "fetch: --labels and --per-label are needed (see"),
        (["--labels", "Lion"], "fetch: --per-label is needed (see"),
        ([*TWO, "-r", "hadoop"], "the cluster needs a --to such as hdfs:///folder"),
        (["--labels", "Lino", "--per-label", "1"], "unknown label 'Lino'; did you mean Lion"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(fetch, more: list[str], reason: str):
    out = fetch(*more, status=2)
    assert reason in out.splitlines()[-1]
