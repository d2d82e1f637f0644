"""Fixtures: where the real weights and pictures are, and small made-up ones."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.storage import schemes
from tests.support.paths import ROOT
from tests.support.pictures import make_pictures
from tests.support.program import CalledProgram, Program

schemes.SCHEMES.add("memory")  # stands for what is far away
settings.register_profile("fast", max_examples=10, deadline=None)
LABELS = ("--target-labels", *DEFAULT_TARGETS)
WHOLE = {"environment", "weights_dir", "openimages_dir", "bad_dir"}
"""Fixtures of tests that run whole programs, or have a model built, which takes seconds."""
WHOLE_PLACES = (
    *("benchmarks", "emr", "end_to_end", "examples", "test_wheel.py"),
    *("driver/commands/test_metadata_alone.py", "driver/nodes/test_archive.py"),
    *("driver/pipeline/test_launch.py", "driver/search/test_no_job.py"),
    *("driver/test_current_folder.py", "driver/test_streams.py"),
    *("mapsight/features/test_convert.py", "mapsight/features/test_decoder_process.py"),
    *("mr_jobs/test_alone.py", "mr_jobs/test_duplicates.py", "mr_jobs/test_fetch.py"),
)
"""Folders and modules most of whose tests start processes, or take seconds."""
LONGEST = (
    *("emr/test_emr.py", "driver/commands/test_fetch.py", "mr_jobs/test_fetch.py"),
    *("end_to_end/test_pipeline.py", "mapsight/features/test_convert.py"),
    *("examples", "mr_jobs/test_duplicates.py", "end_to_end", "test_wheel.py"),
    *("mapsight/features/test_quantize.py", "driver/options/test_defaults.py"),
    *("benchmarks", "driver/commands", "mapsight/report", "emr", "mr_jobs"),
)
"""Folders and modules that take longest begin first, so that none is left to one process alone."""


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").as_posix()


def _turn(item: pytest.Item) -> int:
    """Return where its module stands in `LONGEST`, behind it for all others."""
    place = _place(item)
    return next((n for n, name in enumerate(LONGEST) if place.startswith(name)), len(LONGEST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
    for item in items:
        place = _place(item)
        if place.startswith(WHOLE_PLACES) or not WHOLE.isdisjoint(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.whole)


@pytest.fixture(scope="session", autouse=True)
def job_server() -> Iterator[None]:
    """The process of which jobs are forked is that of all tests of a worker."""
    yield
    if server := sys.modules.get("driver.pipeline.job_server"):
        server.close_job_server()


def folder_from(variable: str) -> Path:
    """The folder a variable names; skips without one, but never in CI."""
    value = os.environ.get(variable)
    if not value:
        if os.environ.get("CI"):
            pytest.fail(f"${variable} must be set in CI")
        pytest.skip(f"set ${variable} to run this test")
    return Path(value).resolve()


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    return folder_from("MAPSIGHT_WEIGHTS")


@pytest.fixture(scope="session")
def openimages_dir() -> Path:
    return folder_from("MAPSIGHT_OPENIMAGES")


@pytest.fixture(scope="session")
def bad_dir() -> Path:
    """$MAPSIGHT_BAD, else the folder `bad` beside $MAPSIGHT_OPENIMAGES."""
    beside = Path(os.environ.get("MAPSIGHT_OPENIMAGES", "/nowhere")).resolve().parent / "bad"
    if "MAPSIGHT_BAD" not in os.environ and beside.is_dir():
        return beside
    return folder_from("MAPSIGHT_BAD")


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a test session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_TESTRUNUID") else base


@pytest.fixture(scope="session")
def model_cache(session_folder: Path) -> Path:
    """One model cache for the session; $MAPSIGHT_TEST_MODELS, if set, for many."""
    cache = Path(os.environ.get("MAPSIGHT_TEST_MODELS") or session_folder / "model_cache").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    return cache


@pytest.fixture(scope="session")
def made_once(session_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Have a folder filled once a session: `made_once(name, fill)` returns it, or a copy.

    The first worker that wants it fills it, others wait for it; each has a copy of its own.
    """

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder = session_folder / "made" / name
        folder.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.with_suffix(".done").exists():
                fill(folder)
                folder.with_suffix(".done").touch()
        if folder.parents[1] == tmp_path_factory.getbasetemp():
            return folder
        return Path(shutil.copytree(folder, tmp_path_factory.mktemp(name) / name, symlinks=True))

    return made


@pytest.fixture(scope="session")
def model_file(weights_dir: Path, model_cache: Path):
    """MobileNet 0.25/128 in float32: the smallest real model."""
    from mapsight.features.convert import ensure_model

    return ensure_model(0.25, 128, "float32", weights=str(weights_dir), cache=model_cache)


@pytest.fixture(scope="session")
def environment(model_file, model_cache: Path) -> dict[str, str]:
    """Environment variables under which the program finds the small model."""
    return {**os.environ, "MAPSIGHT_MODEL_CACHE": str(model_cache), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def mapsight(environment: dict[str, str], tmp_path: Path) -> CalledProgram:
    """The command line, called in this process."""
    return CalledProgram(environment, tmp_path)


@pytest.fixture(scope="session")
def finished_once(made_once, environment: dict[str, str]) -> Path:
    """`pictures`, and the workspace of a run over them; not to be changed."""

    def fill(folder: Path) -> None:
        make_pictures(folder)
        CalledProgram(environment, folder).ok("--images", "pictures")

    return made_once("finished", fill)


@pytest.fixture(scope="session")
def unindexed_once(made_once, environment: dict[str, str]) -> Path:
    """The same of a run without an index, and with the labels of animals; not to be changed."""

    def fill(folder: Path) -> None:
        make_pictures(folder)
        CalledProgram(environment, folder).ok("--images", "pictures", *LABELS, "--no-index")

    return made_once("unindexed", fill)


@pytest.fixture
def finished(finished_once: Path, mapsight: CalledProgram) -> CalledProgram:
    """The command line, in a folder with `pictures` and the workspace of a run over them."""
    shutil.copytree(finished_once, mapsight.folder, dirs_exist_ok=True)
    return mapsight


@pytest.fixture
def mapsight_process(environment: dict[str, str], tmp_path: Path) -> Program:
    """The command line in processes of its own, where a process is what is tested."""
    return Program(environment, tmp_path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_pictures(tmp_path)
