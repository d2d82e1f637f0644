"""`mapsight export`: files for others, against the rows of the index."""

from __future__ import annotations

import ast
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from driver.run import main
from mapsight.index.export.facts import FACTS
from mapsight.index.export.plane import PLACES
from mapsight.index.export.row_files import row_schema
from mapsight.index.rows import INT8, INT16, to_int8
from mapsight.labels.head import UNIT
from tests.support.index_world import PLAIN_D, D, IndexWorld, indexed
from tests.support.paths import ROOT

ABOUT = ("README.md", "export.json")


@pytest.fixture(scope="module", params=[INT16, INT8])
def place(request, tmp_path_factory) -> tuple[Path, IndexWorld]:
    folder = tmp_path_factory.mktemp("exported") / "w"
    return folder, indexed(folder, n=500, dtype=request.param)


def export(place, out: Path, kind: str, *arguments: str) -> int:
    workspace = ["--workspace", str(place[0])]
    return main(["export", "--format", kind, "--out", str(out), *workspace, *arguments])


def expected(place, d: int) -> tuple[pd.DataFrame, np.ndarray]:
    """What must come out: rows in their order, and vectors of unit length."""
    folder, world = place
    int8 = json.loads(next(folder.glob("index/stage.json")).read_text())["notes"]["dtype"] == INT8
    x = (to_int8(world.x)[0] if int8 else world.x)[:, :d].astype(float)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0).astype(np.float32)
    frame = pd.DataFrame(world.fields).rename(columns={"row": "shard_row"})
    frame = frame.assign(image_id=world.ids, cell=world.cell, place=range(len(x)))
    frame = frame.sort_values(["cell", "image_id"], ignore_index=True)
    return frame, x[frame["place"]]


def agree(found: pd.DataFrame, frame: pd.DataFrame) -> None:
    assert found["row"].tolist() == list(range(len(frame)))
    for name in ("image_id", "cell", "label", "style", "ppi", "shard_row", "subset", "sha256"):
        assert found[name].tolist() == frame[name].tolist(), name
    assert found["license"].fillna("").tolist() == frame["license"].fillna("").tolist()


@pytest.mark.parametrize(("features", "d"), [("new", D), ("plain", PLAIN_D)])
def test_npy_holds_all_vectors_in_the_order_of_the_rows(place, tmp_path, features, d, capsys):
    assert export(place, tmp_path / "x", "npy", "--features", features) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'x'}\n"
    frame, x = expected(place, d)
    found = np.load(tmp_path / "x" / "vectors.npy", mmap_mode="r")
    assert found.dtype == np.float32 and (found == x).all()
    agree(pd.read_parquet(tmp_path / "x" / "rows.parquet"), frame)
    about = json.loads((tmp_path / "x" / "export.json").read_text())
    assert about["files"]["vectors.npy"]["shape"] == [500, d]
    sizes = {name: told["bytes"] for name, told in about["files"].items()}
    files = {p.name: p.stat().st_size for p in (tmp_path / "x").iterdir() if p.name not in ABOUT}
    assert sizes == files


def test_parquet_has_rows_and_vectors_in_several_files(place, tmp_path, monkeypatch):
    monkeypatch.setattr("mapsight.index.export.writers.FILE_ROWS", 200)
    monkeypatch.setattr("mapsight.index.export.row_files.ROW_GROUP", 64)
    assert export(place, tmp_path / "x", "parquet") == 0
    frame, x = expected(place, D)
    assert len(list((tmp_path / "x").glob("part-*.parquet"))) > 1
    table = ds.dataset(tmp_path / "x", format="parquet", exclude_invalid_files=True).to_table()
    agree(table.to_pandas(), frame)
    flat = table.column("vector").combine_chunks().flatten().to_numpy()
    assert (flat.reshape(-1, D) == x).all()


def test_parquet_has_two_dimensions_that_are_principal_components(place, tmp_path):
    assert export(place, tmp_path / "x", "parquet") == 0
    found = ds.dataset(tmp_path / "x", format="parquet", exclude_invalid_files=True).to_table()
    x = expected_places(place)
    places = np.stack([found.column(name).to_numpy() for name in "xy"], axis=1)
    assert places == pytest.approx(x, abs=2e-3)
    assert places.std(axis=0)[0] >= places.std(axis=0)[1] > 0
    assert export(place, tmp_path / "again", "parquet", "--features", "plain") == 0
    again = ds.dataset(tmp_path / "again", format="parquet", exclude_invalid_files=True)
    assert again.to_table(["x", "y"]) == found.select(["x", "y"])


def expected_places(place) -> np.ndarray:
    """Embeddings along the components that numpy finds by another way, in the rows' order."""
    folder, world = place
    frame, _ = expected(place, D)
    int8 = json.loads(next(folder.glob("index/stage.json")).read_text())["notes"]["dtype"] == INT8
    x = world.x
    if int8:
        numbers, scales = to_int8(x)
        x = np.rint(numbers * scales[:, None])
    real = x[:, :PLAIN_D].astype(float)
    _, _, axes = np.linalg.svd(real - real.mean(axis=0))
    axes = axes[:2] * np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])[:, None]
    return (real @ axes.T / UNIT)[frame["place"]]


def test_what_results_do_not_say_is_null(place, tmp_path):
    assert export(place, tmp_path / "x", "parquet") == 0
    found = ds.dataset(tmp_path / "x", format="parquet", exclude_invalid_files=True).to_table()
    for name, kind in FACTS:
        assert (found.schema.field(name).type, found.column(name).null_count) == (kind, 500)


def test_the_recipe_for_duckdb_does_what_the_document_says(place, tmp_path, monkeypatch, capfd):
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    assert export(place, Path("exported"), "parquet") == 0
    capfd.readouterr()
    exec(recipe("DuckDB"), {"__name__": "recipe"})
    frame, x = expected(place, D)
    photos = frame[frame["style"] == "photo"]["label"].value_counts()
    shown = capfd.readouterr().out
    for label, number in photos.items():
        assert re.search(rf"{label} +│ +{number} ", shown)
    cosines = np.round(x[0] @ x.T, 6)
    best = np.lexsort((frame["image_id"], -cosines))[:10]
    assert set(re.findall(r"\b[0-9a-f]{16}\b", shown)) == {*frame["image_id"][best]}


def recipe(program: str) -> str:
    document = (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
    section = document.partition(f"## {program}\n")[2].partition("\n## ")[0]
    return section.partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("program", ["DuckDB", "LightlyStudio", "FiftyOne"])
def test_recipes_are_short_and_name_columns_that_there_are(program):
    assert len(ast.parse(recipe(program)).body) <= 7
    known = {*row_schema(1, (*PLACES, *FACTS)).names}
    for columns in re.findall(r"columns=\[(.*?)\]", recipe(program)):
        assert set(re.findall(r"\w+", columns)) <= known


@pytest.mark.parametrize(("features", "d"), [("new", D), ("plain", PLAIN_D)])
def test_faiss_answers_from_our_cells(place, tmp_path, features, d):
    import faiss

    assert export(place, tmp_path / "x", "faiss", "--features", features) == 0
    frame, x = expected(place, d)
    (tmp_path / "x").rename(tmp_path / "moved")
    name = str(tmp_path / "moved" / "index.faiss")
    index = faiss.read_index(name, faiss.IO_FLAG_ONDISK_SAME_DIR)
    assert (index.ntotal, index.d, index.nlist, index.nprobe) == (500, d, 7, 7)
    sizes = [index.invlists.list_size(cell) for cell in range(7)]
    assert sizes == np.bincount(frame["cell"], minlength=7).tolist()
    scores, rows = index.search(x[:40], 500)
    exact = x[:40] @ x.T
    assert np.allclose(np.take_along_axis(exact, rows, 1), scores, atol=1e-6)
    assert (np.sort(rows) == np.arange(500)).all()
    if features == "plain":
        return  # rows are in their cells by all numbers
    # rows are about as long as each other, so that nearly always a row's own cell comes first
    index.nprobe = 1
    long = np.flatnonzero(np.linalg.norm(x, axis=1))[:40]
    own = index.search(x[long], 1)[1][:, 0]
    assert np.mean(frame["cell"].to_numpy()[own] == frame["cell"].to_numpy()[long]) > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "export: --format and --out are needed (see mapsight export --help)"),
        (["--format", "npy"], "--out is needed"),
        (["--out", "x"], "--format is needed"),
        (["--format", "npy", "--out", "full"], "--out full: is not empty"),
        (["--format", "npy", "--out", "full/file"], "exists and is not a folder"),
        (["--format", "npy", "--out", "no/x"], "there is no folder"),
        (["--format", "csv", "--out", "x"], "invalid choice"),
    ],
)
def test_mistakes_are_one_clear_line(place, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert main(["export", *arguments, "--workspace", str(place[0])]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_without_faiss_it_says_what_to_install(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert export(place, tmp_path / "x", "faiss") == 2
    assert "needs faiss-cpu: pip install 'mapsight[faiss]'" in capsys.readouterr().err


def test_an_empty_folder_is_taken(place, tmp_path):
    (tmp_path / "x").mkdir()
    assert export(place, tmp_path / "x", "npy") == 0
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_changed_block_leaves_nothing(tmp_path, capsys):
    place = tmp_path / "w", indexed(tmp_path / "w")
    path = next((tmp_path / "w" / "index").glob("*/cells-*.arrow"))
    data = bytearray(path.read_bytes())
    data[-500] ^= 1
    path.write_bytes(data)
    assert export(place, tmp_path / "x", "npy") == 1
    assert f"{path.name}: bytes" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_a_full_disk_leaves_nothing(place, tmp_path):
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000));"
        "from driver.run import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["export", "--format", "npy", "--out", "x", "--workspace", str(place[0])]
    command = [sys.executable, "-B", "-c", program, *arguments]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, "x: cannot be written: File too large" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_goes_with_the_next(place, tmp_path):
    program = (
        "import sys, time, mapsight.index.export as e;"
        "e.NpyWriter.close = lambda _: time.sleep(60);"
        "from driver.run import main; main(sys.argv[1:])"
    )
    arguments = ["export", "--format", "npy", "--out", "x", "--workspace", str(place[0])]
    environment = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-B", "-c", program, *arguments]
    killed = subprocess.Popen(command, cwd=tmp_path, env=environment)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".x.part/*/files/vectors.npy")) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [p.name for p in tmp_path.iterdir()] == [".x.part"]
    assert export(place, tmp_path / "x", "npy") == 0
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
