"""The job that fetches, run whole against a server with every bad habit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mapsight.inputs.find import find_inputs
from mapsight.inputs.shards import Image, read_images
from mapsight.inputs.splits import make_plan
from mapsight.inputs.url_lists import MAX_ROWS
from mapsight.records import Split
from tests.support.loopback import (
    Answer,
    Visits,
    dripping,
    endless,
    in_turn,
    reply,
    reset,
    serving,
    silent,
)
from tests.support.memory import watch
from tests.support.paths import ROOT

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LARGE = PICTURE * 1000  # 10 MB
FINE = reply(PICTURE, Content_Type="image/png")
BUSY = reply(b"", 429, Retry_After="1")
BOMB = reply(b"\x1f\x8b" * 5000, Content_Encoding="gzip", Content_Type="image/jpeg")
HTML = reply(b"<!DOCTYPE html><title>404</title>", Content_Type="image/jpeg")
HABITS: dict[str, tuple[Answer, str, int]] = {
    "good": (FINE, "", 1),
    "slow": (dripping, "url_failed", 1),
    "endless": (endless, "too_many_bytes", 1),
    "promises_more": (reply(PICTURE, Content_Length="999999"), "url_failed", 4),
    "promises_less": (reply(PICTURE, Content_Length="100"), "", 1),
    "promises_too_much": (reply(PICTURE, Content_Length=str(1 << 40)), "too_many_bytes", 1),
    "redirected": (reply(b"", 302, Location="/good"), "", 1),
    "redirect_loop": (reply(b"", 301, Location="/redirect_loop"), "url_gone", 6),
    "redirect_to_a_file": (reply(b"", 302, Location="file:///etc/passwd"), "url_refused", 1),
    "bomb": (BOMB, "not_an_image", 1),
    "missing": (reply(b"", 404), "url_gone", 1),
    "forbidden": (reply(b"", 403), "url_gone", 1),
    "busy_then_fine": (in_turn(BUSY, FINE), "", 2),
    "broken_then_fine": (in_turn(reply(b"", 500), FINE), "", 2),
    "broken": (reply(b"", 500), "url_failed", 4),
    "page": (HTML, "not_an_image", 1),
    "reset_then_fine": (in_turn(reset, FINE), "", 2),
    "reset": (reset, "url_failed", 4),
    "silent_then_fine": (in_turn(silent, FINE), "", 2),
    "nothing": (reply(b""), "empty", 1),
}
"""By name: how the server answers, the code that is due ("" for a picture), and how often it is
asked (`good` once more by who is redirected to it)."""

SECONDS = 12.0
PER_HOST = 5


@dataclass
class Done:
    """What a run of the job left and told."""

    images: list[Image]
    counters: dict[str, int]
    asked: dict[str, int]
    at_once: int
    task_bytes: int

    def codes(self) -> dict[str, str]:
        return {
            image.source.rsplit("/", 1)[-1]: image.error["error"] if image.error else ""
            for image in self.images
        }


def planned(folder: Path, urls: list[str]) -> Path:
    """A manifest of one split for a list of URLs."""
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(urls))
    plan = make_plan(find_inputs(str(folder / "urls.txt")), folder, splits=1)
    (split,) = plan.splits["urls"]
    manifest = folder / "manifest.txt"
    manifest.write_text(replace(split, uri=str(folder / "urls.parquet")).to_json() + "\n")
    return manifest


def start(work: Path, urls: list[str], *options: str) -> subprocess.Popen:
    """The job under the local runner, as a process group of its own."""
    manifest = planned(work, urls)
    command = [sys.executable, str(ROOT / "mr_jobs/fetch_images.py"), "-r", "local"]
    command += ["--conf-path", str(ROOT / "mrjob.conf"), "--output-dir", str(work / "out")]
    command += ["--store", str(work.parent / "fetched"), "--seconds", str(SECONDS)]
    command += ["--per-host", str(PER_HOST), *options, str(manifest)]
    with (work / "log").open("w") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=work, start_new_session=True)


def run(folder: Path, urls: list[str], visits: Visits, *options: str) -> Done:
    """Fetch URLs into the folder's store; what came of it."""
    visits.paths.clear()
    visits.most = 0
    work = folder / f"run-{len(list(folder.iterdir()))}"
    process = start(work, urls, *options)
    peaks = watch(process)
    said = (work / "log").read_text()
    assert process.returncode == 0, said
    parts = sorted((work / "out").glob("part-*"))
    records = [json.loads(line.split("\t")[1]) for part in parts for line in part.open()]
    images = [image for record in records for image in read_images(Split(**record["split"]))]
    return Done(images, counters_in(said), dict(visits.paths), visits.most, peaks["mapper"])


def counters_in(said: str) -> dict[str, int]:
    """The job's own counters, from what the runner prints at the end."""
    found: Counter[str] = Counter()
    for line in said.splitlines():
        name, _, value = line.strip().partition("=")
        if name in ("fetched", "kept", "failed", "answered") and value.isdigit():
            found[name] += int(value)
    return dict(found)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Two runs over one list: the second when the server has mended its ways."""
    folder, visits = tmp_path_factory.mktemp("fetch"), Visits()
    answers = {name: answer for name, (answer, _, _) in HABITS.items()}
    large = {f"large{number}": reply(LARGE) for number in range(12)}
    served = {**answers, **large}
    with serving(visits=visits, **served) as url:
        urls = [f"{url}/{name}" for name in served]
        first = run(folder, urls, visits, "--allow-private")
    port = int(url.rsplit(":", 1)[1])
    with serving(FINE, visits=visits, port=port):
        second = run(folder, [*urls, f"{url}/new"], visits, "--allow-private")
    yield {"first": first, "second": second, "names": [*served]}


@pytest.mark.parametrize("name", HABITS)
def test_each_url_gets_what_it_is_due(runs, name: str):
    assert runs["first"].codes()[name] == HABITS[name][1]


@pytest.mark.parametrize("name", HABITS)
def test_each_server_is_asked_as_often_as_makes_sense(runs, name: str):
    extra = 1 if name == "good" else 0
    assert runs["first"].asked[name] == HABITS[name][2] + extra


def test_rows_stand_in_the_order_of_the_list(runs):
    assert list(runs["first"].codes()) == runs["names"]


def test_large_pictures_arrive_whole(runs):
    assert [i.data for i in runs["first"].images if "large" in i.source] == [LARGE] * 12


def test_a_body_longer_than_promised_is_cut_where_promised(runs):
    (image,) = (i for i in runs["first"].images if i.source.endswith("promises_less"))
    assert image.data == PICTURE[:100]


def test_reasons_are_recorded(runs):
    details = {
        i.source.rsplit("/", 1)[-1]: i.error["detail"] for i in runs["first"].images if i.error
    }
    assert details["slow"] == f"not complete after {SECONDS:g} s"
    assert details["missing"] == "the server answered 404"
    assert details["broken"] == "the server answered 500 (4 tries)"
    assert details["page"] == "the server sent a web page, not a picture"


def test_a_host_never_sees_more_connections_than_allowed(runs):
    assert runs["first"].at_once <= PER_HOST


def test_every_url_is_counted_once(runs):
    counters, total = runs["first"].counters, len(runs["names"])
    assert counters["answered"] == total == counters["fetched"] + counters["failed"]


def test_memory_stays_below_its_bound(runs):
    # 120 MB of pictures and an endless one; 120 MB are Python and its libraries
    assert runs["first"].task_bytes < 400 << 20


def test_a_rerun_asks_for_what_failed_in_passing_and_for_what_is_new(runs):
    passing = {name for name, (_, code, _) in HABITS.items() if code == "url_failed"}
    refused = {"redirect_to_a_file"}  # an address that may be allowed now
    assert set(runs["second"].asked) == passing | refused | {"new"}


def test_a_rerun_keeps_what_was_there(runs):
    first = {i.source: i.data for i in runs["first"].images if i.data}
    second = {i.source: i.data for i in runs["second"].images}
    assert {source: second[source] for source in first} == first


def test_a_rerun_has_all_that_can_be_had(runs):
    gone = {"url_gone", "not_an_image", "too_many_bytes", "empty", ""}
    assert set(runs["second"].codes().values()) == gone


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path):
    visits = Visits()
    with serving(FINE, visits=visits) as url:
        done = run(tmp_path, [f"{url}/a", f"{url.replace('127.0.0.1', '2130706433')}/b"], visits)
    assert (set(done.codes().values()), done.asked) == ({"url_refused"}, {})


def test_a_job_that_is_killed_loses_one_chunk_at_most(tmp_path: Path):
    visits = Visits()
    with serving(FINE, visits=visits) as url:
        urls = [f"{url}/{number}" for number in range(4 * MAX_ROWS)]
        process = start(tmp_path / "killed", urls, "--allow-private")
        while visits.paths.total() < 2 * MAX_ROWS and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = visits.paths.total()
        done = run(tmp_path, urls, visits, "--allow-private")
    assert [image.data for image in done.images] == [PICTURE] * len(urls)
    assert before + sum(done.asked.values()) <= len(urls) + MAX_ROWS
