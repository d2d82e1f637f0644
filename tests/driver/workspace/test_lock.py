from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from driver.errors import Failure
from driver.workspace.lock import hold_file, hold_heartbeat
from tests.support.paths import ROOT

HOLD = """
import sys, time
from pathlib import Path
from driver.workspace.lock import hold_file
with hold_file(Path(sys.argv[1]), "ws", "run-of-the-holder"):
    print("held", flush=True)
    time.sleep(60)
"""
BEAT, STALE = 0.05, 0.8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


@contextlib.contextmanager
def holder(path: Path):
    """A process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def refusal(lock) -> str:
    """Why a lock cannot be had."""
    with pytest.raises(Failure) as refused, lock:
        pytest.fail("held twice")
    return str(refused.value)


def test_the_second_is_refused_and_told_of_the_first(path):
    with holder(path) as first:
        text = refusal(hold_file(path, "ws", "second"))
    assert text.startswith("ws is in use by run run-of-the-holder ")
    assert f"process {first.pid} " in text


def test_two_holders_in_one_process_are_two(path):
    with hold_file(path, "ws", "first"):
        assert f"process {os.getpid()} " in refusal(hold_file(path, "ws", "second"))


def test_a_refusal_leaves_the_first_its_name(path):
    with hold_file(path, "ws", "first"):
        for _ in range(2):
            assert "run first " in refusal(hold_file(path, "ws", "second"))


def test_a_lock_dies_with_its_holder(path):
    with holder(path) as first:
        first.kill()
        first.wait()
        with hold_file(path, "ws", "second"):
            assert json.loads(path.read_text())["run"] == "second"


def test_a_lock_ends_with_an_error_too(path):
    with pytest.raises(ZeroDivisionError), hold_file(path, "ws", "first"):
        _ = 1 / 0
    with hold_file(path, "ws", "second"):
        pass


@pytest.fixture
def place():
    """(file system, path) of a lock object on a file system without file locks."""
    file_system = fsspec.filesystem("memory")
    folder = f"/{uuid.uuid4().hex}"
    yield file_system, f"{folder}/lock.json"
    with contextlib.suppress(FileNotFoundError):
        file_system.rm(folder, recursive=True)


def heart(place, run_id: str, stale: float = STALE):
    return hold_heartbeat(*place, "ws", run_id, BEAT, stale)


def document(place) -> dict:
    return json.loads(place[0].cat_file(place[1]))


def write(place, **fields) -> None:
    place[0].pipe_file(place[1], json.dumps(fields).encode())


def test_the_living_are_not_disturbed(place):
    with heart(place, "first"):
        time.sleep(2 * STALE)
        text = refusal(heart(place, "second"))
    assert text.startswith(f"ws is in use by run first (process {os.getpid()} on ")


def test_a_heart_beats_and_keeps_its_name(place):
    with heart(place, "first"):
        before = document(place)
        time.sleep(4 * BEAT)
        after = document(place)
    assert after["beat"] > before["beat"]
    assert {**after, "beat": 0} == {**before, "beat": 0}


def test_since_is_when_it_was_taken(place):
    with heart(place, "first"):
        before = document(place)["since"]
        time.sleep(1.1)
        assert document(place)["since"] == before


def test_the_dead_are_buried(place):
    write(place, run="dead", pid=1, host="h", since="s", beat=time.time() - 2 * STALE)
    with heart(place, "second"):
        assert document(place)["run"] == "second"


def test_a_living_run_whose_clock_is_behind_is_not_disturbed(place):
    with heart(place, "first", stale=STALE):
        # as a reader whose clock is ahead sees it: every beat is too old
        text = refusal(heart(place, "second", stale=-1.0))
    assert "in use by run first" in text


@pytest.fixture
def dead() -> dict:
    """What the lock of a process of this machine says, which has just ended."""
    code = (
        "import json; from driver.workspace.lock import _holder; print(json.dumps(_holder('dead')))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)
    return {**json.loads(said), "beat": time.time()}


def test_who_died_on_this_machine_is_buried_at_once(place, dead):
    write(place, **dead)
    with heart(place, "second", stale=60):
        assert document(place)["run"] == "second"


@pytest.mark.parametrize("other", [{"machine": "another"}, {"born": ""}, {"machine": ""}])
def test_of_whom_nothing_is_known_time_decides(place, dead, other):
    write(place, **dead | other)
    assert "run dead " in refusal(heart(place, "second", stale=60))


def test_a_process_that_got_the_number_of_the_dead_is_another(place, dead):
    write(place, **dead | {"pid": os.getpid()})
    with heart(place, "second", stale=60):
        pass


def test_a_lock_that_comes_in_between_is_respected(place, monkeypatch):
    write(place, run="first", beat=time.time())
    monkeypatch.setattr("driver.workspace.lock._refuse_living", lambda *_: None)
    assert "another run" in refusal(heart(place, "second"))


def test_a_released_lock_is_gone(place):
    with heart(place, "first"):
        pass
    assert not place[0].exists(place[1])
    with heart(place, "second"):
        pass


def test_who_was_taken_over_notices_and_leaves_the_lock_alone(place):
    with heart(place, "first") as lost:
        assert not lost.is_set()
        write(place, run="second", beat=time.time())
        assert lost.wait(10 * BEAT)
    assert document(place)["run"] == "second"


def test_a_lock_that_vanished_is_lost(place):
    with heart(place, "first") as lost:
        place[0].rm_file(place[1])
        assert lost.wait(10 * BEAT)


def test_a_store_out_of_reach_for_a_moment_loses_nothing(place, monkeypatch):
    with heart(place, "first") as lost:
        with monkeypatch.context() as broken:
            broken.setattr(MemoryFileSystem, "cat_file", unreachable)
            time.sleep(4 * BEAT)
        assert not lost.wait(4 * BEAT)


def test_a_store_out_of_reach_is_not_a_free_one(place, monkeypatch):
    monkeypatch.setattr(MemoryFileSystem, "cat_file", unreachable)
    with pytest.raises(OSError, match="no route"), heart(place, "first"):
        pytest.fail("held blindly")


def unreachable(*_: object, **__: object) -> bytes:
    raise OSError("no route to the store")
