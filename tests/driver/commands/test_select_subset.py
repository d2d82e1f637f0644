"""`mapsight select --count`, and folders of what was selected."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

import mapsight as library
from driver.selection import folders
from mapsight.labels.made_with import targets_of
from mapsight.openimages.dataset import (
    annotation_rows,
    csv_splits,
    find_dataset,
    merge_annotations,
    read_descriptions,
)
from mapsight.workspace.workspace import Workspace
from tests.support.paths import ROOT
from tests.support.program import CalledProgram

ID = f"{5:016x}"
DEAD = """
import sys, pathlib, driver.workspace.lock
driver.workspace.lock.sign(pathlib.Path(sys.argv[1]), "run")
"""


@pytest.fixture
def program(environment, finished_once, monkeypatch) -> CalledProgram:
    monkeypatch.chdir(finished_once)
    return CalledProgram(environment, finished_once)


def selected() -> list[str]:
    return [one for ids in library.open("workspace").select().ids() for one in ids]


CHOSEN = ("select", "--count", "8", "--balance", "label", "--diverse", "--no-duplicates")


def test_a_subset_is_what_python_chooses_on_every_runner_and_is_sorted(program):
    named = {"balance": ["label"], "diverse": True, "duplicates": "hide", "sort": "-sharpness"}
    wanted = library.open("workspace").choose(8, **named)
    for runner in ("inline", "local"):
        done = program(*CHOSEN, "--sort=-sharpness", "-r", runner)
        assert done.stdout.splitlines() == [one for ids in wanted.ids() for one in ids]
        assert "8 of" in done.stderr and "not filled: " in done.stderr


def test_a_subset_has_no_more_than_fits(program):
    done = program("select", "--count", "1000", "--near-model")
    assert done.stdout.splitlines() == selected()
    assert f"not filled: all: {len(selected())} of 1,000" in done.stderr


def test_copies_and_links_are_the_pictures_in_folders_of_their_labels(program, tmp_path):
    rows = {row["image_id"]: row for row in table_of(program)}
    for kind in ("copies", "links"):
        folder = tmp_path / kind
        program.ok("select", "--count", "6", "--format", kind, "--out", str(folder))
        files = [path for path in folder.rglob("*") if path.suffix != ".csv" and not path.is_dir()]
        assert len(files) == 6
        for path in files:
            source = Path(rows[path.stem]["source"])
            assert path.read_bytes() == source.read_bytes()
            assert path.is_symlink() == (kind == "links")
            assert path.parent.name == rows[path.stem]["label"]
        listed = csv.DictReader((folder / "selection.csv").open())
        assert sorted(row["image_id"] for row in listed) == sorted(path.stem for path in files)


def table_of(program) -> list[dict[str, str]]:
    return list(csv.DictReader(program.ok("select", "--format", "csv").splitlines()))


def test_what_is_no_file_of_this_machine_is_copied_but_not_linked(finished, tmp_path):
    folder = tmp_path / "chosen"
    (finished.folder / "pictures").rename(finished.folder / "elsewhere")
    refused = finished("select", "--count", "2", "--format", "links", "--out", str(folder))
    assert refused.returncode == 1 and "2 of 2 pictures are not in" in refused.stderr
    assert "no file on this machine; --format copies writes it" in refused.stderr


def test_a_folder_that_holds_something_is_left_alone(program, tmp_path):
    (tmp_path / "mine.txt").write_text("milk\n")
    refused = program("select", "--count", "2", "--format", "copies", "--out", str(tmp_path))
    assert refused.returncode == 2 and "is not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_open_images_folder_says_what_people_said(program, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    said = {"labels": [["/m/096mb", 1.0, "verification"], ["/m/07dm6", 0.7, "machine"]]}
    boxes = {"boxes": [["/m/096mb", 0.1, 0.5, 0.2, 0.6, 0, 1, 0, 0, -1]], "author": "A. Doe"}
    records = {ID: {**said, **boxes}}
    monkeypatch.setattr(folders, "annotations_of", lambda run, ids: records)
    program.ok("select", "--format", "openimages", "--out", str(folder))
    dataset = find_dataset(str(folder))
    assert dataset.pictures == [f"{folder}/images"]
    parts = [
        part
        for kind, files in dataset.files.items()
        if kind in ("labels", "boxes", "images")
        for file in files
        for split in csv_splits(file, kind)
        for image_id, part in annotation_rows(split)
        if image_id == ID
    ]
    merged = merge_annotations(parts)
    assert merged["labels"] == [["/m/07dm6", 0.7, "machine"], ["/m/096mb", 1.0, "verification"]]
    assert merged["boxes"] == boxes["boxes"] and merged["author"] == "A. Doe"
    assert len(list((folder / "images").iterdir())) == len(selected())
    targets = targets_of(Workspace("workspace").committed("classify"))
    names = read_descriptions(dataset.files["descriptions"])
    assert targets and {name: names[name] for name in targets} == targets


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--diverse",), "--diverse needs --count N"),
        (("--balance", "label"), "--balance needs --count N"),
        (("--count", "5", "--limit", "5"), "--count excludes --limit"),
        (("--count", "5", "--balance", "colour"), "--balance 'colour': one of label, style"),
        (("--count", "5", "--format", "copies"), "--format copies needs --out FOLDER"),
    ],
)
def test_a_subset_that_cannot_be_chosen_is_refused(program, arguments, message):
    refused = program("select", *arguments)
    assert refused.returncode == 2 and message in refused.stderr


def test_what_a_killed_selection_left_is_gone_with_the_next(program, tmp_path):
    orphan = tmp_path / ".chosen.part" / "0123456789ab"
    (orphan / "files").mkdir(parents=True)
    subprocess.run([sys.executable, "-c", DEAD, str(orphan)], cwd=ROOT, check=True)
    program.ok("select", "--count", "2", "--format", "copies", "--out", str(tmp_path / "chosen"))
    assert [path.name for path in tmp_path.iterdir()] == ["chosen"]
