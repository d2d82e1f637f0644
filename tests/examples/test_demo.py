"""The demo, run as people run it: no variable, no pictures of their own, no TensorFlow."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

BLOCKED = "import sys; sys.modules['tensorflow'] = None\n"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A finished demo; its working folder is in `args`."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "sitecustomize.py").write_text(BLOCKED)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAPSIGHT_")}
    environment |= {"HOME": str(folder), "PYTHONPATH": str(folder)}
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), "workspace"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    done.args = folder
    return done


def test_it_works_and_says_what_it_works_on(demo):
    assert demo.returncode == 0, demo.stderr
    assert "pictures: the drawn animals" in demo.stderr


def test_it_ends_with_the_report_and_how_to_go_on(demo):
    report = demo.args / "workspace" / "report" / "index.html"
    assert report.is_file()
    assert f"report: {report}" in demo.stderr
    assert "serve --workspace workspace\n" in demo.stderr
    assert demo.stderr.rstrip().endswith("--images /path/to/pictures")


def test_it_searches_for_one_picture(demo):
    assert "$ mapsight search" in demo.stderr
    assert "Cheetah" in demo.stdout


def test_it_says_how_many_held_out_drawings_it_got_right(demo):
    (line,) = (x for x in demo.stderr.splitlines() if x.startswith("right labels in the test"))
    right, _, total = line.split()[-3:]
    assert int(total) == 92
    assert int(right) / int(total) >= 0.9


def test_every_label_of_the_report_is_found_in_the_catalogue(demo):
    with (demo.args / "workspace" / "results" / "labels.csv").open(encoding="utf-8") as file:
        counts = {row["label"]: int(row["pictures"]) for row in csv.DictReader(file)}
    assert len(counts) == 12
    assert all(counts.values())
