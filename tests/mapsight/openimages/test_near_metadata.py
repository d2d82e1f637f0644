"""Open Images folders whose metadata has other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsight.inputs.find import find_inputs
from mapsight.openimages.dataset import find_dataset, kind_of
from mapsight.openimages.near_metadata import missing_metadata

LABELS = "train-annotations-human-imagelabels.csv"


def said(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("ImageID,Source,LabelName,Confidence\n")
    return missing_metadata(str(folder), find_dataset(str(folder)))


@pytest.mark.parametrize(
    "name",
    [
        "labels/classifications.csv",
        "labels/detections.csv",
        f"{LABELS}.gz",
        f"metadata/{LABELS}.gz",
        f"train/{LABELS}",
        "train/labels/classifications.csv",
        "train-annotations-human-imagelabels.CSV",
        "oidv6-class-labels.json",
    ],
)
def test_files_that_come_near_are_named(tmp_path, name):
    text = said(tmp_path, "data/a.jpg", name)
    assert f"no metadata found in {tmp_path}" in text and text.endswith(f"come near: {name}")
    assert "*imagelabels*.csv" in text and "*annotations-bbox*.csv" in text


def test_where_nothing_comes_near_the_names_are_told(tmp_path):
    text = said(tmp_path, "data/a.jpg", "notes.txt")
    assert "published names" in text and "come near" not in text


def test_descriptions_alone_verify_nothing(tmp_path):
    assert "no labels or boxes found" in said(tmp_path, "class-descriptions.csv")


@pytest.mark.parametrize("folder", ["", "metadata/", "labels/", "annotations/"])
def test_published_names_are_read_also_in_usual_folders(tmp_path, folder):
    assert said(tmp_path, "data/a.jpg", f"{folder}{LABELS}") == ""
    dataset = find_dataset(str(tmp_path))
    assert [file.source for file in dataset.files["labels"]] == [f"{tmp_path}/{folder}{LABELS}"]
    keep = lambda name: kind_of(name) is None  # noqa: E731
    found = find_inputs(dataset.pictures[0], keep=keep)
    assert [one.source for one in found] == [f"{tmp_path}/data/a.jpg"]


def test_only_some_names_are_looked_at(tmp_path):
    (tmp_path / "data").mkdir()
    for number in range(500):
        (tmp_path / "data" / f"labels{number}.json").write_text("")
    assert said(tmp_path).endswith(", …")
