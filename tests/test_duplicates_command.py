"""The command duplicates, and run --duplicates, on pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from driver.options import STAGES

TABLE = Path("workspace/results/duplicates.csv")


@pytest.fixture
def doubled(pictures: Path) -> Path:
    """Twelve pictures; of the first a copy, and a smaller one of lower quality."""
    first = pictures / f"{0:016x}.jpg"
    shutil.copy(first, pictures / f"{100:016x}.jpg")
    with Image.open(first) as image:
        image.resize((30, 20)).save(pictures / f"{101:016x}.jpg", quality=80)
    (pictures / "broken.jpg").write_bytes(b"")
    return pictures


def found(folder: Path) -> list[tuple[int, int, str]]:
    frame = pd.read_csv(folder / TABLE, dtype=str)
    ids = frame[["keeper", "image_id"]].map(lambda text: int(text, 16))
    return list(zip(ids["keeper"], ids["image_id"], frame["kind"], strict=True))


EXPECTED = [(0, 0, "keeper"), (0, 100, "exact"), (0, 101, "near")]


def test_a_finished_workspace_is_looked_through(mapsight, doubled, tmp_path):
    mapsight.ok("--images", "pictures")
    assert not (tmp_path / TABLE).exists()
    done = mapsight("duplicates", "-r", "local", "--out", "copy.csv")
    assert (done.returncode, done.stdout) == (0, "copy.csv\n"), done.stderr
    assert "14 pictures, 1 groups of duplicates with 3 pictures: 1 copies" in done.stderr
    assert found(tmp_path) == EXPECTED
    assert (tmp_path / "copy.csv").read_bytes() == (tmp_path / TABLE).read_bytes()
    mapsight.ok("--images", "pictures", "--results", "out")
    assert (tmp_path / "out" / "duplicates.csv").read_bytes() == (tmp_path / TABLE).read_bytes()
    shutil.copy(doubled / f"{1:016x}.jpg", doubled / f"{102:016x}.jpg")
    mapsight.ok("--images", "pictures")
    assert not (tmp_path / TABLE).exists()  # that of an earlier run would be wrong


def test_a_run_can_look_for_them_too(mapsight, doubled, tmp_path):
    mapsight.ok("--images", "pictures", "--duplicates")
    assert found(tmp_path) == EXPECTED
    again = mapsight("--images", "pictures", "--duplicates")
    assert again.stderr.count("unchanged, not run again") == len(STAGES)


def test_where_there_are_none_the_table_is_empty(mapsight, pictures, tmp_path):
    mapsight.ok("--images", "pictures", "--duplicates")
    assert found(tmp_path) == []


def test_a_workspace_that_is_not_finished_is_refused(mapsight, pictures):
    mapsight.ok("--images", "pictures", "--until", "extract")
    done = mapsight("duplicates")
    assert done.returncode == 1
    assert "run it first" in done.stderr


@pytest.mark.parametrize("wrong", [("--max-distance", "4"), ("--min-cosine", "2")])
def test_what_cannot_be_asked_for_is_refused(mapsight, wrong):
    assert mapsight("duplicates", *wrong).returncode == 2
