"""The wheel: what it installs, and that the program runs from it, in an empty folder.

What it requires is linked from the packages that the tests run with: no network is asked.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement

from driver.pipeline.fingerprint import code_digest
from mapsight import __version__
from mapsight.extras import EXTRAS
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

EXTRA_NAMES = sorted({*EXTRAS.values()} - {"kerberos"})
"""But for one that needs headers of the system to be installed."""
TREE = ("mapsight", "driver", "mr_jobs", "model_cache", "examples")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "mrjob.conf")


def run(*words: str | Path, **settings) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this environment but PATH; it must succeed."""
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **settings.pop("env", {})}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, env=clean, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


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


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, and what every installation has."""
    return environment(tmp_path_factory.mktemp("base") / "env", wheel)


@pytest.fixture(scope="session")
def driver(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the extra for the driver."""
    return environment(tmp_path_factory.mktemp("driver") / "env", wheel, "driver")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_it_puts_nothing_but_mapsight_among_the_packages(wheel):
    first = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert first == {"mapsight", f"mapsight-{__version__}.dist-info"}


def test_it_holds_all_modules_jobs_tables_and_templates_of_the_checkout(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    kinds = (".py", ".csv", ".html", ".toml", ".conf")
    library = {str(path.relative_to(ROOT)) for path in (ROOT / "mapsight").rglob("*.*")}
    around = [*ROOT.glob("driver/**/*.*"), *ROOT.glob("mr_jobs/*.*"), ROOT / "mrjob.conf"]
    wanted = library | {f"mapsight/_app/{path.relative_to(ROOT)}" for path in around}
    assert {name for name in wanted if name.endswith(kinds)} - names == set()


def test_its_description_has_no_link_that_an_index_cannot_follow(wheel):
    (own,) = importlib.metadata.distributions(path=[str(wheel)])
    text = str(own.metadata)
    assert "## Two commands" in text
    assert [link for link in re.findall(r"\]\(([^)]*)\)", text) if "://" not in link] == []


def test_it_says_who_made_it_and_for_whom(wheel):
    (own,) = importlib.metadata.distributions(path=[str(wheel)])
    assert own.metadata["Author"] == "The Mapsight developers"
    assert "Programming Language :: Python :: 3.11" in own.metadata.get_all("Classifier")


def test_the_base_tells_version_and_help(base, empty):
    assert run(base / "mapsight", "--version").stdout.split()[-1] == __version__
    assert "usage: mapsight" in run(base / "mapsight", "--help").stdout
    assert list(empty.iterdir()) == []


def test_the_base_names_the_extra_that_a_run_needs(base, empty):
    command = f"'{base / 'mapsight'}' --images x 2>&1 || true"
    assert "pip install 'mapsight[driver]'" in run("sh", "-c", command).stdout


@pytest.mark.parametrize("extra", EXTRA_NAMES)
def test_each_extra_brings_the_modules_it_is_for(base, wheel, tmp_path, extra):
    if extra == "formats":  # whose licences are not for everybody: it is no part of `dev`
        pytest.importorskip("pillow_heif")
        pytest.importorskip("pillow_jxl")
    packages = link_required(tmp_path / "packages", wheel, extra)
    modules = [module for module, name in EXTRAS.items() if name == extra]
    script = f"from mapsight.extras import missing; print(missing({modules}))"
    command = (base / "python", "-c", script)
    assert run(*command, cwd=tmp_path, env={"PYTHONPATH": str(packages)}).stdout == "[]\n"
    assert run(*command, cwd=tmp_path).stdout == f"{modules}\n"


def test_its_code_has_the_fingerprint_of_the_checkout(base, tmp_path):
    roots = ("mr_jobs/extract_features.py", "mapsight/data/imagenet_to_openimages.csv")
    script = "from mapsight.application import find_driver; find_driver()\n"
    script += f"from driver.pipeline.fingerprint import code_digest; print(code_digest(*{roots}))"
    done = run(base / "python", "-c", script, cwd=tmp_path)
    assert done.stdout.strip() == code_digest(*roots)


def test_a_library_of_another_driver_is_told_so(base, tmp_path):
    (tmp_path / "driver.py").write_text("")
    script = "import driver; from mapsight.application import find_driver; find_driver()"
    command = f"'{base / 'python'}' -c '{script}' 2>&1 || true"
    said = run("sh", "-c", command, cwd=tmp_path).stdout.splitlines()[-1]
    assert re.fullmatch(r"ImportError: .*driver\.py was imported as `driver`, which .*", said)


@pytest.fixture
def three(driver: Path, empty: Path, tmp_path: Path):
    """Runs the program on three pictures with the bundled model, in an empty folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(encoded(scribble(number)))
    (model,) = driver.parent.glob("lib/python*/site-packages/mapsight/_app/examples/*/model.tflite")
    words = (driver / "mapsight", "--images", folder, "--model", model, "--workspace", "work")
    return lambda *more: run(*words, *more, env={"HOME": str(tmp_path)})


def test_a_run_with_the_bundled_model_from_an_empty_folder(three, empty):
    said = three("-r", "inline").stderr
    assert (empty / "work" / "report" / "index.html").is_file(), said
    assert pq.read_metadata(empty / "work/results/predictions.parquet").num_rows == 3


def test_tasks_in_processes_of_their_own_find_the_library_and_the_model(three, empty):
    three("-r", "local", "--until", "extract")
    (document,) = empty.glob("work/extract*/**/stage.json")
    assert json.loads(document.read_text())["counters"]["images"]["extracted"] == 3
