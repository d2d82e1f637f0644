"""The command duplicates, and run --duplicates, on pictures."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.Image import Transpose as Way

from mapsight.workspace.stage_names import STAGES
from tests.support.duplicate_records import scene

TABLE = Path("workspace/results/duplicates.csv")
FOUND = (
    "18 pictures, 1 group of duplicates: 1 exact copy, 1 near-duplicate, 1 mirrored copy and"
    " 1 turned copy besides the 1 to keep;"
)


@pytest.fixture
def doubled(pictures: Path) -> Path:
    """Twelve pictures; of the first copies; and black ones of two sizes, which are none."""
    first = pictures / f"{0:016x}.jpg"
    levels = np.rint(scene(np.random.default_rng(0))).clip(0, 255).astype(np.uint8)
    Image.fromarray(levels).convert("RGB").save(first, quality=95)
    shutil.copy(first, pictures / f"{100:016x}.jpg")
    with Image.open(first) as image:
        image.resize((48, 48)).save(pictures / f"{101:016x}.jpg", quality=80)
        for number, way in ((102, Way.FLIP_LEFT_RIGHT), (103, Way.ROTATE_90)):
            image.transpose(way).save(pictures / f"{number:016x}.jpg", quality=60)
    for side in (40, 90):
        Image.new("RGB", (side, side)).save(pictures / f"{1000 + side:016x}.png")
    (pictures / "broken.jpg").write_bytes(b"")
    return pictures


def found(folder: Path) -> dict[int, str]:
    """Kinds of the pictures of the group, whose keeper is the first picture and comes first."""
    frame = pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False)
    ids = frame[["keeper", "image_id"]].map(lambda text: int(text, 16))
    assert not ids["keeper"].any() and not ids["image_id"][:1].any()
    assert (frame["kept_because"].eq("") == frame["kind"].eq("keeper")).all()
    return dict(zip(ids["image_id"], frame["kind"], strict=True))


def told(folder: Path) -> tuple[int | None, list[int], bool]:
    """Pictures in groups as summary.json has them, pictures of groups shown, chapter or none."""
    summary = json.loads((folder / "workspace" / "results" / "summary.json").read_text())
    facts = summary["duplicates"]
    page = (folder / "workspace" / "report" / "index.html").read_text()
    chapter = re.search(r'<section id="duplicates">.*?</section>', page, re.S)
    sheets = chapter[0].split("<ol")[1:] if chapter else []
    assert [sheet.count(">keep<") for sheet in sheets] == [1] * len(sheets)
    shown = [sheet.count("<img") for sheet in sheets]
    return facts and facts["in_groups"], shown, bool(chapter)


KINDS = {0: "keeper", 100: "exact", 101: "near", 102: "mirrored", 103: "turned"}


def test_a_finished_workspace_is_looked_through(mapsight, doubled, tmp_path):
    mapsight.ok("--images", "pictures")
    assert not (tmp_path / TABLE).exists()
    done = mapsight("duplicates", "-r", "local", "--out", "copy.csv")
    assert (done.returncode, done.stdout) == (0, "copy.csv\n"), done.stderr
    assert FOUND in done.stderr
    assert found(tmp_path) == KINDS
    assert (tmp_path / "copy.csv").read_bytes() == (tmp_path / TABLE).read_bytes()
    mapsight.ok("--images", "pictures", "--results", "out")
    assert (tmp_path / "out" / "duplicates.csv").read_bytes() == (tmp_path / TABLE).read_bytes()
    shutil.copy(doubled / f"{1:016x}.jpg", doubled / f"{104:016x}.jpg")
    assert told(tmp_path) == (5, [5], True)  # the report of that run, not of the one before
    mapsight.ok("--images", "pictures")
    assert not (tmp_path / TABLE).exists()  # that of an earlier run would be wrong
    assert told(tmp_path) == (None, [], False)


def test_a_run_can_look_for_them_too(mapsight, doubled, tmp_path):
    done = mapsight("--images", "pictures", "--duplicates")
    assert FOUND in done.stderr
    assert found(tmp_path) == KINDS
    assert told(tmp_path) == (5, [5], True)
    again = mapsight("--images", "pictures", "--duplicates")
    assert again.stderr.count("unchanged, not run again") == len(STAGES)


def test_where_there_are_none_the_table_is_empty(finished, tmp_path):
    finished.ok("--images", "pictures", "--duplicates")
    assert found(tmp_path) == {}
    assert told(tmp_path) == (0, [], True)


def test_a_workspace_that_is_not_finished_is_refused(mapsight, pictures):
    mapsight.ok("--images", "pictures", "--until", "extract")
    done = mapsight("duplicates")
    assert done.returncode == 1
    assert "run it first" in done.stderr


@pytest.mark.parametrize("wrong", [("--max-distance", "9"), ("--min-cosine", "2")])
def test_what_cannot_be_asked_for_is_refused(mapsight, wrong):
    assert mapsight("duplicates", *wrong).returncode == 2
