"""Workspaces beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driver.commands.compare import unbeaten
from driver.run import main
from driver.workspace.workspace import Workspace
from tests.support.stage_documents import commit

TEST = {
    "n": 88,
    "accuracy": 0.965909,
    "low": 0.904504,
    "high": 0.988339,
    "model_accuracy": 0.829545,
    "model_low": 0.737631,
    "model_high": 0.893892,
}
RUN = {
    "model": {"alpha": 1.0, "resolution": 224, "precision": "float32"},
    "labelled_by": "head",
    "pictures_per_second": 44.52,
    "runner": "local",
    "host": "here",
    "inputs": ["pictures"],
    "options": {"target_labels": ["Lion"]},
    "evaluation": {"test": TEST},
}


def finished(folder: Path, **changes) -> str:
    """A workspace with committed results."""
    folder.mkdir()
    summary = json.dumps({**RUN, **changes}).encode()
    commit(Workspace(str(folder)), "merge", "f", {"summary.json": summary})
    return str(folder)


def table(capsys, *arguments: str) -> str:
    assert main(["compare", *arguments]) == 0
    return capsys.readouterr().out


def test_a_workspace_is_a_row(tmp_path, capsys):
    one = finished(tmp_path / "a")
    row = table(capsys, one).splitlines()[1].split()
    assert row == [
        one, "1.0", "224", "float32", "head", "88", "0.966", "0.905–0.988", "0.830",
        "0.738–0.894", "44.5", "*",
    ]  # fmt: skip


def test_json_has_what_the_table_has(tmp_path, capsys):
    small = {"alpha": 0.25, "resolution": 128, "precision": "int8"}
    paths = [finished(tmp_path / "a"), finished(tmp_path / "b", model=small)]
    rows = json.loads(table(capsys, *paths, "--format", "json"))
    assert [(row["workspace"], row["alpha"]) for row in rows] == list(
        zip(paths, (1.0, 0.25), strict=True)
    )
    assert rows[0]["low"] == TEST["low"] and rows[0]["unbeaten"]


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"inputs": ["others"]}, "accuracies are not comparable"),
        ({"evaluation": {"test": {**TEST, "n": 9}}}, "accuracies are not comparable"),
        ({"host": "there"}, "speeds are not comparable"),
        ({}, ""),
    ],
)
def test_what_does_not_compare_is_said(tmp_path, capsys, changes, warned):
    text = table(capsys, finished(tmp_path / "a"), finished(tmp_path / "b", **changes))
    assert warned in text if warned else "beware" not in text


def test_nothing_verified_is_no_accuracy(tmp_path, capsys):
    one = finished(tmp_path / "a", labelled_by="model", evaluation={"quality": []})
    text = table(capsys, one)
    assert text.splitlines()[1].split()[4:] == ["model", "0", "–", "–", "44.5"]
    assert "without the head" not in text


def test_only_what_nothing_beats_is_marked():
    points = [(0.9, 10.0), (0.9, 20.0), (0.8, 30.0), (0.7, 30.0), (None, 99.0), (0.9, 20.0)]
    rows = [{"accuracy": a, "pictures_per_second": s} for a, s in points]
    assert unbeaten(rows) == [False, True, True, False, False, True]


def test_a_workspace_without_results_is_named(tmp_path, capsys):
    assert main(["compare", str(tmp_path)]) == 1
    assert f"{tmp_path}: no workspace is there" in capsys.readouterr().err
    Workspace(str(tmp_path)).claim()
    assert main(["compare", str(tmp_path)]) == 1
    assert f"{tmp_path}: stage merge is not finished" in capsys.readouterr().err


def test_results_of_an_older_version_are_named(tmp_path, capsys):
    old = finished(tmp_path / "a")
    run = {name: value for name, value in RUN.items() if name != "evaluation"}
    commit(Workspace(old), "merge", "g", {"summary.json": json.dumps(run).encode()})
    assert main(["compare", old]) == 1
    assert f"{old}: its results are of an older version" in capsys.readouterr().err
