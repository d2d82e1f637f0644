"""The stage explore as part of the program."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from mapsight.openimages.columns import NAMES
from mapsight.workspace.stage_names import STAGES
from tests.support.odd_metadata import write_odd
from tests.support.paths import ROOT
from tests.support.pictures import make_pictures
from tests.support.program import CalledProgram, Program


@pytest.fixture(scope="module")
def ran(environment, made_once) -> Program:
    """A workspace, and its results copied to `there`, of twelve pictures with odd metadata."""

    def fill(folder: Path) -> None:
        (folder / "openimages").mkdir()
        make_pictures(folder).rename(folder / "openimages" / "images")
        write_odd(folder / "openimages")
        run = ("--openimages", "openimages", "--target-labels", "Lion", "--results", "there")
        CalledProgram(environment, folder).ok(*run)

    return CalledProgram(environment, made_once("explore", fill))


def test_tables_are_published_and_copied(ran):
    published = sorted((ran.folder / "workspace/results/explore").glob("*.csv"))
    assert len(published) == 17
    for path in published:
        assert path.read_bytes() == (ran.folder / "there/explore" / path.name).read_bytes()


def test_the_summary_tells_what_the_tables_do(ran):
    told = json.loads((ran.folder / "there/summary.json").read_text())["explore"]
    rows = pd.read_csv(ran.folder / "there/explore/splits.csv").set_index("subset")
    for name in ("pictures", "sure", "boxes", "not_listed", "without_label"):
        assert told[name] == rows[name]["all"]
    assert (told["files"], told["image_lists"]) == (9, 3)


def test_the_report_has_the_chapter_and_is_written_again(ran):
    page = (ran.folder / "there/report/index.html").read_text()
    assert 'id="metadata"' in page
    ran.ok("report", "--out", "again")
    assert (ran.folder / "again/index.html").read_text() == page


def test_nothing_is_explored_twice(ran):
    done = ran("--openimages", "openimages", "--target-labels", "Lion")
    assert done.returncode == 0, done.stderr
    # duplicates are looked for only where they are asked for
    assert done.stderr.count("unchanged, not run again") == len(STAGES) - 1


def test_another_target_needs_no_new_exploration(ran):
    done = ran("--openimages", "openimages", "--target-labels", "Tiger", "--workspace", "workspace")
    lines = [line.split() for line in done.stderr.splitlines() if line]
    assert ["explore", "unchanged,", "not", "run", "again"] in lines
    facets = pd.read_csv(ran.folder / "workspace/results/explore/facets.csv")
    assert set(facets["target"]) == {"Tiger"}


def test_a_foreign_file_is_refused_before_anything_runs(ran, tmp_path):
    shutil.copytree(ran.folder / "openimages", tmp_path / "openimages")
    (tmp_path / "openimages/train-annotations-bbox.csv").write_text("image,label\na,b\n")
    program = CalledProgram(ran.environment, tmp_path)
    done = program("--openimages", "openimages")
    assert done.returncode == 2
    assert "train-annotations-bbox.csv: not a file of boxes: found the columns image, label" in (
        done.stderr
    )
    assert "missing ImageID, LabelName, XMin" in done.stderr
    assert not (tmp_path / "workspace/plan").exists()


def test_without_metadata_nothing_is_explored(finished):
    assert not (finished.folder / "workspace/results/explore").exists()


def test_every_table_and_column_is_documented(ran):
    text = (ROOT / "docs/explore.md").read_text()
    for path in (ran.folder / "there/explore").glob("*.csv"):
        assert f"`{path.name}`" in text
    columns = pd.read_csv(ran.folder / "there/explore/splits.csv").columns
    assert [name for name in [*columns[1:], *NAMES.values()] if f"`{name}`" not in text] == []
