"""Models that are none of ours through the whole pipeline, and text search by a CLIP-like pair."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mapsight.files import sha256_of
from tests.support.models.tiny import tiny_model
from tests.support.paths import ROOT
from tests.support.pictures import make_pictures
from tests.support.program import CalledProgram
from tests.support.results import summary

EXAMPLES = ROOT / "examples"
sys.path.append(str(EXAMPLES))

from draw_catalogue import draw_catalogue, items  # noqa: E402

pytestmark = pytest.mark.whole
EACH = 10
"""Pictures of a label that are searched, none of which the towers have seen."""


@pytest.fixture(scope="module")
def towers(tmp_path_factory, environment) -> Path:
    """A folder with both towers' files, and the pictures by label."""
    catalogue, folder = EXAMPLES / "catalogue" / "openimages", tmp_path_factory.mktemp("towers")
    draw_catalogue(catalogue)
    command = [sys.executable, "-m", "tests.support.models.two_towers", str(folder), str(catalogue)]
    environment = {**environment, "TF_NUM_INTRAOP_THREADS": "2", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "pictures").mkdir()
    truth: dict[str, str] = {}
    labels = json.loads((folder / "labels.json").read_text())
    for label in labels:
        of_label = [i for i in items() if i.label == label and i.subset != "train"][:EACH]
        truth |= {item.id: label for item in of_label}
        for item in of_label:
            (folder / "pictures" / item.file).symlink_to(catalogue / "images" / item.file)
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


@pytest.fixture(scope="module")
def searched(towers, environment) -> CalledProgram:
    program = CalledProgram(environment, towers)
    program.ok("--images", "pictures", "--model", "tower.tflite", "-r", "inline")
    return program


def found(program: CalledProgram, *arguments: str) -> list[dict]:
    out = program.ok("search", *arguments, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


def test_words_find_their_animals(searched, towers):
    truth = json.loads((towers / "truth.json").read_text())
    labels = json.loads((towers / "labels.json").read_text())
    rows = found(searched, "--vector", "words.npy", "--recall", "1")
    right = [truth[row["image_id"]] == labels[int(row["query"][10:-1])] for row in rows]
    assert len(right) == 10 * len(labels)
    assert np.mean(right) > 0.5  # chance is 1 in 11
    assert found(searched, "--vector", "words.npy", "--recall", "1", "--no-job") == rows
    scanned = found(searched, "--vector", "words.npy", "--by", "features", "-r", "inline")
    assert [row["image_id"] for row in scanned] == [row["image_id"] for row in rows]


def test_what_a_model_without_classes_cannot_say_is_absent(searched, towers):
    results = towers / "workspace" / "results"
    table = pq.read_table(results / "predictions.parquet")
    assert set(table["label"].to_pylist()) == {"other"}
    assert set(table["score"].to_pylist()) == {0.0}
    for name in ("top_wnid", "top_mid", "top_label", "top_probability", "model_label"):
        assert table[name].null_count == table.num_rows
    told = summary(towers / "workspace")
    assert told["labelled_by"] == "nothing"
    assert (told["model"]["alpha"], told["model"]["resolution"]) == (None, 64)
    assert (results / "classes.csv").read_text() == "mid,label,pictures,share\n"
    assert not (results / "accuracy.csv").exists()
    page = (towers / "workspace" / "report" / "index.html").read_text()
    assert "no picture has a label" in page
    done = searched("search", "tabby cat")
    assert done.returncode == 1
    assert "the model has no classes" in done.stderr


def test_a_workspace_keeps_one_file_that_says_it_itself(searched, towers):
    (kept,) = (towers / "workspace" / "model").glob("*.tflite")
    extract = json.loads((towers / "workspace" / "extract" / "stage.json").read_text())
    assert sha256_of(kept) == extract["options"]["model"]
    told = searched.ok("model", "--check", str(kept))
    assert "its own mapsight.toml" in told
    assert "32 numbers" in told
    assert "none: labels come from a head alone" in told


def test_a_picture_from_outside_is_looked_at_by_the_same_model(searched, towers):
    path = next((towers / "pictures").iterdir())
    first, *_ = found(searched, str(path), "--top-k", "1")
    assert (first["image_id"], first["score"] > 0.999) == (path.stem, True)


def test_pictures_are_added_and_duplicates_found(searched, towers, tmp_path):
    shutil.copytree(towers, tmp_path / "copy", symlinks=True)
    program = CalledProgram(searched.environment, tmp_path / "copy")
    make_pictures(tmp_path)
    program.ok("add", str(tmp_path / "pictures"))
    assert found(program, "0" * 15 + "3", "--top-k", "1")[0]["image_id"] == "0" * 15 + "3"
    program.ok("duplicates")
    exported = tmp_path / "exported"
    program.ok("export", "--format", "npy", "--out", str(exported))
    assert np.load(exported / "vectors.npy").shape[1] == 32


@pytest.mark.parametrize("d", [8, 4096])
def test_own_classes_are_labels_and_words(mapsight, d):
    make_pictures(mapsight.folder)
    model = mapsight.folder / "defects.tflite"
    model.write_bytes(tiny_model(d, 3))
    names = '["scratch", "dent", "lion"]'
    model.with_suffix(".toml").write_text(f"range = [-1, 1]\nclasses = {names}\n")
    run = ["--images", "pictures", "--model", "defects.tflite", "-r", "inline"]
    mapsight.ok(*run, "--target-labels", "scratch", "Lion", "--until", "recall", "--cells", "2")
    rows = found(mapsight, "dent", "--recall", "1", "--style", "any")
    assert len(rows) == 10
    assert [row["score"] for row in rows] == sorted((r["score"] for r in rows), reverse=True)
    assert {row["label"] for row in rows} <= {"scratch", "Lion", "other"}
    done = mapsight("search", "zebra")
    assert "zebra: no such file, label or image_id" in done.stderr


def test_labels_that_no_class_is_called_are_refused(mapsight):
    make_pictures(mapsight.folder)
    (mapsight.folder / "m.tflite").write_bytes(tiny_model(8))
    (mapsight.folder / "m.toml").write_text("range = [-1, 1]\n")
    done = mapsight("--images", "pictures", "--model", "m.tflite", "--target-labels", "scratch")
    assert "unknown label 'scratch'" in done.stderr
    (mapsight.folder / "m.toml").unlink()
    done = mapsight("--images", "pictures", "--model", "m.tflite")
    assert done.returncode == 1
    assert "--model m.tflite: what black and white become cannot be known" in done.stderr
