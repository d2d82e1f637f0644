"""The wheel, and environments that hold it and what it requires, as pip would make them.

What it requires is linked from the packages that the tests run with: no network is asked.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.paths import ROOT


def run(*words: str | Path, **settings) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this environment but PATH; it must succeed."""
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **settings.pop("env", {})}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, env=clean, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


TREE = ("mapsight", "driver", "mr_jobs", "model_cache", "examples")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "mrjob.conf")


def build_wheel(folder: Path) -> Path:
    """Build an sdist of the checkout, and the wheel of that; nothing is written to the former."""
    tree = folder / "tree"
    for name in TREE:
        shutil.copytree(ROOT / name, tree / name, ignore=_made)
    for name in FILES:
        shutil.copy(ROOT / name, tree)
    run(sys.executable, "setup.py", "-q", "sdist", "-d", folder, cwd=tree)
    (source,) = folder.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    run(*pip, "--no-index", "-w", folder, source, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _made(folder: str, names: list[str]) -> set[str]:
    """What programs made in a checkout, as `shutil.copytree` asks for it."""
    if folder == str(ROOT / "model_cache"):
        return {name for name in names if not name.endswith((".toml", ".md"))}
    return {"__pycache__"} | ({"openimages"} if folder.endswith("catalogue") else set())


def environment(folder: Path, wheel: Path, extra: str = "") -> Path:
    """Make an environment of a wheel and what it requires, and return its `bin` folder."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps")
    run(*pip, "--no-index", "--no-compile", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    link_required(packages, wheel, extra)
    return folder / "bin"


def link_required(packages: Path, wheel: Path, extra: str = "") -> Path:
    """Link what a wheel requires, with an extra, into a folder of packages, and return that.

    Raises:
        PackageNotFoundError: the tests' own environment lacks what the extra brings.
    """
    packages.mkdir(exist_ok=True)
    (own,) = importlib.metadata.distributions(name="mapsight", path=[str(wheel)])
    for entry in _required(own, extra):
        place = packages / entry.name
        if not place.is_symlink():
            place.symlink_to(entry)
    return packages


def _required(own: importlib.metadata.Distribution, extra: str) -> Iterator[Path]:
    """The files and folders in site-packages of what a distribution requires, all the way down."""
    todo, seen = [(own, extra)], set[tuple[str, str]]()
    while todo:
        each, wanted = todo.pop()
        if (each.metadata["Name"], wanted) in seen:
            continue
        seen.add((each.metadata["Name"], wanted))
        if each is not own:
            yield from _entries(each)
        for requirement in map(Requirement, each.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                found = importlib.metadata.distribution(requirement.name)
                todo += [(found, more) for more in ("", *requirement.extras)]


def _entries(distribution: importlib.metadata.Distribution) -> set[Path]:
    first = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    return {Path(str(distribution.locate_file(name))) for name in first}
