"""A workspace that changes while it is asked: each answer is of one state or the next."""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mapsight as library
from mapsight.errors import Failure
from mapsight.serve.settings import Settings
from mapsight.serve.state import Keeper
from tests.support.pictures import encoded, scribble
from tests.support.program import Program
from tests.support.served import Running, descriptors, running

CLIENTS = 8
GONE = "0000000000000003"
WAIT = 60.0


@pytest.fixture
def program(served_once: Path, environment, tmp_path: Path) -> Program:
    shutil.copytree(served_once, tmp_path / "served")
    new = tmp_path / "served/new"
    new.mkdir()
    (new / "00000000000000aa.png").write_bytes(encoded(scribble(4242)))
    return Program(environment, tmp_path / "served")


@pytest.fixture
def changing(program: Program) -> Iterator[Running]:
    with running(program.folder / "workspace", watch_seconds=0.2) as one:
        yield one


class Clients:
    """Clients that ask all the time, and what they were answered."""

    def __init__(self, server: Running) -> None:
        self._server, self.seen, self.wrong = server, set[tuple[str, int]](), list[str]()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(CLIENTS)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        paths = (
            "pictures?limit=500",
            "facets",
            "search?q=0000000000000001&top_k=1000&style=any&recall=1",
        )
        while not self._stop.is_set():
            answer = self._server.client.get(f"/api/v1/{paths[number % 3]}")
            if answer.status_code != 200:
                self.wrong.append(answer.text)
                return
            found = answer.json()
            count = found["total"] if "total" in found else len(found["answers"][0])
            self.seen.add((found["state"], count))


def next_state(server: Running, state: tuple[str, int]) -> tuple[str, int]:
    """The state that comes after one, and how many pictures it has."""
    ends = time.monotonic() + WAIT
    while time.monotonic() < ends:
        now = server.json("summary")
        if now["state"] != state[0]:
            return now["state"], now["pictures"]
        time.sleep(0.05)
    raise AssertionError(f"no new state after {WAIT} s: {server.lines[-5:]}")


def test_adding_removing_and_a_new_run_are_taken_up_whole(changing, program):
    first = changing.json("summary")
    states = [(first["state"], first["pictures"])]
    with Clients(changing) as clients:
        program.ok("add", "new/00000000000000aa.png", "-r", "inline")
        states.append(next_state(changing, states[-1]))
        assert changing.json("pictures/00000000000000aa")["width"] == 60
        assert changing.get("pictures/00000000000000aa/thumbnail").status_code == 200
        program.ok("remove", GONE)
        states.append(next_state(changing, states[-1]))
        assert "removed" in changing.get(f"pictures/{GONE}").json()["error"]
        program.ok("-r", "inline", "--images", "open/images", "new", "--openimages", "open")
        states.append(next_state(changing, states[-1]))
    assert [count - first["pictures"] for _, count in states] == [0, 1, 0, 0]
    assert clients.wrong == []
    assert clients.seen == set(states)
    assert changing.server.keeper.error == ""


def test_a_state_that_cannot_be_opened_leaves_the_one_before(changing, program):
    state = changing.json("summary")["state"]
    path = program.folder / "workspace/changes.json"
    path.write_text("{")
    ends = time.monotonic() + WAIT
    while not changing.server.keeper.error and time.monotonic() < ends:
        time.sleep(0.05)
    known = changing.client.get("/healthz").json()
    assert known["ok"] and "not what add and remove write" in known["stale"]
    assert changing.json("pictures", limit=1)["state"] == state
    assert 'mapsight_refreshes_total{result="failed"}' in changing.client.get("/metrics").text
    path.unlink()
    while changing.server.keeper.error and time.monotonic() < ends:
        time.sleep(0.05)
    assert "stale" not in changing.client.get("/healthz").json()


def test_a_state_that_cannot_be_opened_is_let_lie_longer_each_time(served_once: Path, monkeypatch):
    keeper = Keeper(Settings(str(served_once / "workspace"), watch_seconds=2.0), str)
    with monkeypatch.context() as patch:
        patch.setattr("mapsight.serve.state.outside", lambda workspace: "another")
        patch.setattr(keeper, "_change", lambda: 1 / 0)
        pauses = []
        for _ in range(6):
            keeper.look()
            pauses.append(keeper.pause)
    assert pauses == [4.0, 8.0, 16.0, 32.0, 32.0, 32.0] and "zero" in keeper.error
    keeper.look()
    assert (keeper.pause, keeper.error) == (2.0, "")
    keeper.close()


def test_a_state_goes_when_the_last_that_holds_it_does(served_once: Path, monkeypatch):
    keeper = Keeper(Settings(str(served_once / "workspace")), str)
    before, closed = keeper.state, list[bool]()
    monkeypatch.setattr(before, "close", lambda: closed.append(True))
    with keeper.held() as held:
        keeper._change()
        assert held is before and keeper.state is not before and not closed
    assert closed
    keeper.close()


def test_states_that_are_gone_leave_no_descriptor_and_no_process(served_once: Path):
    with running(served_once / "workspace", watch_seconds=1e9) as server:
        keeper, counts = server.server.keeper, list[int]()
        for _ in range(4):
            files = {"file": ("a.png", encoded(scribble(5)))}
            assert server.client.post("/api/v1/search", files=files).status_code == 200
            keeper._change()
            gc.collect()
            counts.append(descriptors())
    assert counts[-1] <= counts[1]


def test_there_is_no_server_without_a_workspace(tmp_path: Path):
    with pytest.raises(Failure, match="no workspace is there"), running(tmp_path / "none"):
        pass


def test_a_workspace_without_an_index_can_be_looked_through(unindexed_once: Path):
    opened = library.open(unindexed_once / "workspace")
    with running(unindexed_once / "workspace") as server:
        assert server.json("summary")["has"]["index"] is False
        items = server.json("pictures")["items"]
        assert [one["image_id"] for one in items] == opened.predictions()["image_id"].to_pylist()
        first = items[0]["image_id"]
        assert server.get(f"pictures/{first}/thumbnail").content == opened.thumbnail(first, 240)
        assert server.json(f"pictures/{first}")["measures"]["format"] == "JPEG"
        answer = server.get("search", q="Lion")
        assert answer.status_code == 404 and "no index" in answer.json()["error"]
