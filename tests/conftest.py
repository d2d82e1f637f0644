"""Fixtures: where the real weights and pictures are, and small made-up ones."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapsight.storage import schemes
from tests.support.paths import ROOT

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


class Program:
    """Runs the command line as people do; `seconds` guard against hanging."""

    seconds = 300

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def command(self, *arguments: str) -> list[str]:
        small = ["--alpha", "0.25", "--resolution", "128"]
        model = small if not arguments or arguments[0].startswith("-") else []
        return [sys.executable, str(ROOT / "driver" / "run.py"), *arguments, *model]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=self.seconds,
        )

    def ok(self, *arguments: str) -> str:
        """Run what must succeed; its standard output."""
        done = self(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it and go on."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that runs the tests in the background has it ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


@pytest.fixture
def mapsight(environment: dict[str, str], tmp_path: Path) -> Program:
    return Program(environment, tmp_path)


def encoded(array: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """An array as an encoded picture."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def scribble(seed: int, width: int = 60, height: int = 40) -> np.ndarray:
    """A small picture with some structure, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def make_pictures(parent: Path) -> Path:
    """A folder of twelve JPEG pictures named by 16-hex ids."""
    folder = parent / "pictures"
    folder.mkdir()
    for seed in range(12):
        name = f"{seed:016x}.jpg"
        (folder / name).write_bytes(encoded(scribble(seed, 60 + seed, 40), "JPEG"))
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_pictures(tmp_path)
