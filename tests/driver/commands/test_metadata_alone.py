"""`--openimages` on metadata without pictures: it is explored, and what cannot be done is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from driver.run import main
from tests.support.odd_metadata import write_odd
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

MODEL = str(ROOT / "examples" / "catalogue" / "model.tflite")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A folder of metadata alone, to run in the one above."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAPSIGHT_WEIGHTS", raising=False)
    (tmp_path / "open").mkdir()
    write_odd(tmp_path / "open")
    return tmp_path / "open"


@pytest.mark.parametrize("beside", ["", "README.md", "truth.csv", "images"])
def test_metadata_alone_is_explored_without_a_model(folder, tmp_path, capfd, beside):
    if beside == "images":
        (folder / beside).mkdir()
    elif beside:
        (folder / beside).write_text("text\n")
    assert main(["--openimages", "open", "--until", "explore"]) == 0
    said = capfd.readouterr()
    tables = tmp_path / "workspace" / "results" / "explore"
    assert said.out == f"{tables}\n"
    assert len(list(tables.glob("*.csv"))) == 17
    assert "metadata of " in said.err


def test_a_whole_run_of_metadata_explores_and_says_why_it_stops(folder, tmp_path, capfd):
    for arguments in ([], ["--until", "classify"]):
        assert main(["--openimages", "open", "--model", MODEL, *arguments]) == 1
        said = capfd.readouterr().err
        assert "open: no pictures found; to fetch them from their URLs: --images open/" in said
        assert "What the metadata says is in " in said
        assert (tmp_path / "workspace/results/explore/splits.csv").is_file()


def test_stages_before_it_say_that_there_are_no_pictures(folder, tmp_path, capfd):
    assert main(["--openimages", "open", "--until", "plan"]) == 1
    assert "open: no pictures found" in capfd.readouterr().err
    assert not (tmp_path / "workspace" / "results").exists()


def test_results_of_pictures_are_not_replaced_by_those_of_metadata(folder, tmp_path, capfd):
    (folder / "images").mkdir()
    for seed in range(3):
        (folder / "images" / f"{seed:016x}.png").write_bytes(encoded(scribble(seed)))
    run = ["--openimages", "open", "--model", MODEL]
    assert main(run) == 0
    before = (tmp_path / "workspace/results/summary.json").read_bytes()
    for path in (folder / "images").iterdir():
        path.unlink()
    assert main(run) == 1
    assert "open: no pictures found" in capfd.readouterr().err
    assert (tmp_path / "workspace/results/summary.json").read_bytes() == before
