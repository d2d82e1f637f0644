"""A workspace that is opened from Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import mapsight
from examples.run_document import script_of
from mapsight.errors import Failure, UsageError
from mapsight.index.export import unit_rows
from mapsight.opened import OpenedWorkspace
from mapsight.running import flags_of
from tests.support.paths import ROOT

NEITHER = {"numpy", "pyarrow", "tensorflow", "pandas", "matplotlib", "mrjob", "driver"}


@pytest.fixture(scope="module")
def folder(finished_once) -> Path:
    return finished_once


@pytest.fixture(scope="module")
def workspace(folder) -> OpenedWorkspace:
    return mapsight.open(folder / "workspace")


def test_importing_is_fast_and_brings_nothing():
    script = (
        "import time; t = time.process_time(); import sys, mapsight; mapsight.open, mapsight.run"
    )
    script += "; print(time.process_time() - t, *{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    seconds, *modules = done.stdout.split()
    assert float(seconds) < 0.5 and not NEITHER & set(modules)


def test_the_documentation_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(script_of(ROOT / "docs" / "python.md"), {})
    assert " pictures\n" in capsys.readouterr().out


def test_tables_are_those_of_the_results(workspace, folder):
    summary = json.loads((folder / "workspace/results/summary.json").read_text())
    assert workspace.summary == summary
    predictions, rejected = workspace.predictions(), workspace.rejected()
    assert predictions.num_rows == summary["images_extracted"]
    assert rejected.num_rows == summary["images_rejected"]
    lines = (folder / "workspace/results/rejected.csv").read_text().splitlines()
    assert rejected["image_id"].to_pylist() == [line.split(",")[0] for line in lines[1:]]
    label = predictions["label"][0].as_py()
    assert set(workspace.ranking(label)["label"].to_pylist()) == {label}
    assert str(workspace.accuracy().schema.field("accuracy").type) == "double"
    for read in (workspace.predictions, workspace.prediction_batches):
        with pytest.raises(ValueError, match="column 'lable': one of image_id, label, "):
            read(["image_id", "lable"])
    with pytest.raises(Failure, match="nobody has looked for duplicates"):
        workspace.duplicates()


def test_tables_are_streamed_in_batches(workspace, monkeypatch):
    monkeypatch.setattr("mapsight.opened_tables.BATCH", 5)
    columns = ["image_id", "score"]
    batches = list(workspace.prediction_batches(columns))
    assert pa.Table.from_batches(batches) == workspace.predictions(columns)
    assert max(batch.num_rows for batch in batches) == 5 < len(batches) * 5
    assert pa.Table.from_batches(workspace.ranking_batches()) == workspace.ranking()
    overall = workspace.ranking("*")
    assert pa.Table.from_batches(workspace.ranking_batches("*")) == overall
    assert overall.num_rows == workspace.summary["images_extracted"]


def test_a_ranking_is_named_in_any_case_or_refused_with_near_names(workspace):
    table = workspace.ranking("OTHER")
    assert set(table["label"].to_pylist()) == {"other"}
    assert workspace.ranking("Lamp").num_rows == workspace.ranking("/m/0dtln").num_rows > 0
    for read in (workspace.ranking, workspace.ranking_batches):
        with pytest.raises(ValueError, match=r"label 'Lampp': .* did you mean Lamp\?"):
            read("Lampp")


def test_features_are_of_unit_length_and_in_the_order_of_the_ids(workspace):
    ids, x = workspace.features()
    assert sorted(ids) == sorted(workspace.predictions(["image_id"])["image_id"].to_pylist())
    assert np.allclose(np.linalg.norm(x, axis=1), 1) and x.dtype == np.float32
    some, y = workspace.features(ids[4:1:-1])
    assert some == ids[4:1:-1] and (y == x[4:1:-1]).all()
    rows = workspace.searcher.index.rows_of(ids)
    assert (x == unit_rows(np.stack([rows[name]["vector"] for name in ids]))).all()
    streamed = [name for names, _ in workspace.feature_batches(kind="plain") for name in names]
    assert streamed == ids
    for wrong, message in [({"ids": ["nosuch"]}, "nosuch: no pic"), ({"kind": "old"}, "'old'")]:
        with pytest.raises(ValueError, match=message):
            workspace.features(**wrong)


def test_pictures_are_the_bytes_that_were_read(workspace, folder):
    row = workspace.predictions(["image_id", "source"]).to_pylist()[0]
    assert workspace.picture(row["image_id"]) == (folder / row["source"]).read_bytes()
    assert workspace.thumbnail(row["image_id"], 20)[:2] == b"\xff\xd8"
    with pytest.raises(ValueError, match="nosuch: no picture with this image_id"):
        workspace.picture("nosuch")


def test_a_workspace_that_is_not_there_and_an_unknown_option_are_refused(tmp_path):
    with pytest.raises(Failure, match="nowhere: no workspace is there"):
        mapsight.open(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"imges=x; did you mean --images\?"):
        mapsight.run(imges="x", workspace=str(tmp_path / "w"))
    assert not (tmp_path / "w").exists()


def test_running_opens_the_workspace_and_raises_what_the_command_prints(
    folder, environment, monkeypatch, tmp_path
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match="nothing"):
        mapsight.run(images="nothing", workspace="w", runner="inline")


def test_a_dry_run_opens_nothing(folder, environment, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    assert mapsight.run(images="pictures", workspace="none", dry_run=True) is None
    assert "nothing is run" in capsys.readouterr().out and not (folder / "none").exists()


def test_options_are_flags():
    options = {"ranks": "1-9", "images": ["a", "b"], "no_index": True, "head": None, "quiet": False}
    assert list(flags_of(options)) == ["--ranks=1-9", "--images", "a", "b", "--no-index"]


def test_a_workspace_that_does_not_know_where_its_pictures_are_says_so(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "other")
    workspace = mapsight.open(tmp_path / "other/workspace")
    (tmp_path / "other/workspace/extract/stage.json").unlink()
    image_id = workspace.features()[0][0]
    with pytest.raises(Failure, match="stage extract is not finished"):
        workspace.picture(image_id)


def test_all_features_are_in_memory_once(folder, monkeypatch):
    n, some = 20_000, 2_000
    workspace = mapsight.open(folder / "workspace")
    d = workspace.features()[1].shape[1]
    batch = ["x"] * some, np.ones((some, d), np.float32)
    monkeypatch.setattr(workspace, "feature_batches", lambda kind: [batch] * (n // some))
    monkeypatch.setattr(workspace._index, "parts", [SimpleNamespace(rows=n)])
    tracemalloc.start()
    ids, x = workspace.features()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(ids) == len(x) == n and peak < 1.2 * x.nbytes
