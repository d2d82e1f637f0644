"""Kill −9 at any moment: the rerun gives what an undisturbed run would have given."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mapsight.features.decoder_child import NAME
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram
from tests.support.results import hashes, runs

SECONDS = 60


MANY = ("-r", "local", "--images", "many", "--no-index")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough pictures that extract can be caught in the middle."""
    folder = tmp_path_factory.mktemp("base") / "many"
    folder.mkdir()
    for seed in range(200):
        picture = encoded(scribble(seed, 900, 700), "JPEG", quality=80)
        (folder / f"{seed:016x}.jpg").write_bytes(picture)
    return folder


@pytest.fixture
def many(base: Path, tmp_path: Path) -> Path:
    (tmp_path / "many").symlink_to(base)
    return tmp_path / "many"


@pytest.fixture(scope="module")
def expected(environment: dict[str, str], base: Path) -> dict[str, str]:
    """What an undisturbed run gives."""
    CalledProgram(environment, base.parent).ok(*MANY)
    return hashes(base.parent / "workspace")


@pytest.fixture
def undisturbed(expected: dict[str, str], many: Path) -> dict[str, str]:
    return expected


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def in_extract(workspace: Path) -> bool:
    """Whether a map task of extract has told of pictures already."""
    logs = workspace.glob(".tmp/*/job-*-extract/*/step/*/mapper/*/stderr")
    return any(b"images,read" in log.read_bytes() for log in logs)


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def caught_in_extract(mapsight, workspace: Path):
    started = mapsight.start(*MANY)
    until(lambda: in_extract(workspace))
    return started, family(psutil.Process(started.pid))


def finish(mapsight, workspace: Path, before: dict[str, str], expected: dict[str, str]) -> None:
    """Run again: finished stages are kept, the results are right, nothing is left over."""
    mapsight.ok(*MANY)
    after = runs(workspace)
    assert {name: after[name] for name in before} == before
    assert hashes(workspace) == expected
    assert not list(workspace.glob(".tmp/*"))
    for path in workspace.glob("*/stage.json"):
        document = json.loads(path.read_text())
        folders = {p.name for p in path.parent.iterdir() if p.is_dir()}
        assert folders <= {document["folder"]}


def test_the_driver_is_killed_in_extract(mapsight, undisturbed, tmp_path):
    workspace = tmp_path / "workspace"
    started, processes = caught_in_extract(mapsight, workspace)
    before = runs(workspace)
    assert {"plan", "ingest"} <= set(before)
    os.kill(started.pid, signal.SIGKILL)
    until(lambda: gone(processes))
    assert not (workspace / "results").exists()
    finish(mapsight, workspace, before, undisturbed)


def test_a_task_is_killed_in_extract(mapsight, undisturbed, tmp_path):
    workspace = tmp_path / "workspace"
    started, processes = caught_in_extract(mapsight, workspace)
    before = runs(workspace)
    task = next(p for p in processes if p.name().startswith("mapper "))
    task.kill()
    _, errors = started.communicate(timeout=SECONDS)
    assert started.returncode == 1
    assert re.search(r"extract_features\.py: map task \d+, of \{.+, was ended by SIGKILL", errors)
    until(lambda: gone(processes))
    finish(mapsight, workspace, before, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_clean(mapsight, undisturbed, tmp_path, number):
    workspace = tmp_path / "workspace"
    started, processes = caught_in_extract(mapsight, workspace)
    before = runs(workspace)
    started.send_signal(number)
    _, errors = started.communicate(timeout=SECONDS)
    assert started.returncode == 130
    assert errors.count("mapsight: stopped") == 1
    assert "Traceback" not in errors
    until(lambda: gone(processes))
    assert not list(workspace.glob(".tmp/*"))
    finish(mapsight, workspace, before, undisturbed)


def test_a_killed_decoder_loses_no_picture(mapsight, undisturbed, tmp_path):
    started, processes = caught_in_extract(mapsight, tmp_path / "workspace")
    decoder = next(p for p in processes if p.name() == NAME)
    decoder.kill()
    assert started.wait(timeout=SECONDS) == 0
    assert hashes(tmp_path / "workspace") == undisturbed


def test_a_second_run_is_refused_and_told_of_the_first(mapsight, many, tmp_path):
    started, _ = caught_in_extract(mapsight, tmp_path / "workspace")
    second = mapsight(*MANY)
    assert second.returncode == 1
    assert f"process {started.pid}" in second.stderr
    assert "is in use by run" in second.stderr
    assert started.wait(timeout=SECONDS) == 0


def test_a_full_disk_is_named_and_publishes_nothing(finished, mapsight_process, tmp_path):
    """A limit on file size stands in for a full disk: writing fails the same way."""
    pictures = tmp_path / "pictures"
    before = hashes(tmp_path / "workspace")
    for seed in range(100, 140):
        (pictures / f"{seed:016x}.png").write_bytes(encoded(scribble(seed, 400, 300)))
    command = " ".join(map(str, mapsight_process.command("--images", "pictures")))
    mapsight_process.command = lambda *arguments: ["bash", "-c", f"ulimit -f 200; {command}"]
    failed = mapsight_process()
    assert failed.returncode == 1
    assert "File too large" in failed.stderr or "SIGXFSZ" in failed.stderr
    assert hashes(tmp_path / "workspace") == before
