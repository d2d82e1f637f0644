"""Fixtures: where the real weights and pictures are, and small made-up ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mapsight.storage import schemes
from tests.support.paths import ROOT
from tests.support.pictures import make_pictures
from tests.support.program import Program

schemes.SCHEMES.add("memory")  # stands for what is far away


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
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model cache for all workers of a test session."""
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if shared else base) / "model_cache"
    cache.mkdir(exist_ok=True)
    return cache


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
def mapsight(environment: dict[str, str], tmp_path: Path) -> Program:
    return Program(environment, tmp_path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_pictures(tmp_path)
