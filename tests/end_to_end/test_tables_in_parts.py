"""Large tables of results as folders of parts, with bounds that small runs reach."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import mapsight as library
from driver.workspace.workspace import Workspace
from mapsight.errors import Failure
from mapsight.results import table_parts
from mapsight.results.table_parts import PREDICTIONS, RANKING

TABLES = (PREDICTIONS, RANKING)
AGAIN = ("--images", "pictures", "--force", "merge")


@pytest.fixture
def small_bounds(monkeypatch):
    monkeypatch.setattr(table_parts, "ONE_FILE_ROWS", 11)
    monkeypatch.setattr(table_parts, "PART_ROWS", 5)


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 by name of all files but summary.json, which has times."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.name not in ("summary.json", ".mapsight-files.json") and file.suffix != ".html"
    }


def others(folder: Path) -> dict[str, str]:
    return {n: digest for n, digest in contents(folder).items() if not n.startswith(TABLES)}


def answers(folder: Path) -> list[object]:
    """What readers of the tables say of a workspace."""
    workspace = library.open(folder / "workspace")
    batches = [workspace.prediction_batches(["image_id", "label"]), workspace.ranking_batches("*")]
    ids = workspace.predictions(["image_id"]).column("image_id").to_pylist()
    return [
        *(table.to_pylist() for table in (workspace.predictions(), workspace.ranking("*"))),
        *([row for batch in rows for row in batch.to_pylist()] for rows in batches),
        *(workspace.search_many(ids[:2], 5, by=by) for by in ("index", "features", "label")),
        workspace.browser.facets(),
        workspace.browser.items(ids),
    ]


def test_parts_are_the_one_file_on_every_runner_and_go_when_it_is_back(
    finished, tmp_path, small_bounds, monkeypatch
):
    results = tmp_path / "workspace" / "results"
    finished.ok("--images", "pictures", "--results", "copy")
    whole, before = contents(results), answers(tmp_path)
    tables = {name: pq.read_table(results / name) for name in TABLES}
    found = []
    for way in (("-r", "inline"), ("-r", "local", "--processes", "2")):
        finished.ok(*AGAIN, *way, "--results", "copy")
        found.append(contents(results))
        assert answers(tmp_path) == before
        assert {n: d for n, d in contents(tmp_path / "copy").items() if "report" not in n} == (
            found[-1]
        )
    assert found[0] == found[1]
    assert {n: d for n, d in whole.items() if n not in TABLES} == others(results)
    assert {name for name in found[0] if name.startswith(TABLES)} == {
        *(f"{PREDICTIONS}/part-{n:05d}.parquet" for n in range(3)),
        *(f"{RANKING}/part-{n:05d}.parquet" for n in range(5)),
    }
    for name, table in tables.items():
        assert ds.dataset(results / name).to_table().equals(table)
        pd.testing.assert_frame_equal(pd.read_parquet(results / name), table.to_pandas())
    assert "merge" in finished.ok("status")
    assert "nothing to do" in finished("--images", "pictures").stderr
    monkeypatch.setattr(table_parts, "ONE_FILE_ROWS", 12)
    finished.ok(*AGAIN, "--results", "copy")  # only the ranking has more rows
    assert (results / PREDICTIONS).is_file() and (results / RANKING).is_dir()
    monkeypatch.setattr(table_parts, "ONE_FILE_ROWS", 1000)
    finished.ok(*AGAIN, "--results", "copy")
    assert contents(results) == whole
    assert (tmp_path / "copy" / PREDICTIONS).is_file()


def test_a_part_that_has_changed_is_noticed_and_made_again(finished, tmp_path, small_bounds):
    results = tmp_path / "workspace" / "results"
    finished.ok(*AGAIN)
    whole = contents(results)
    (part,) = tmp_path.glob(f"workspace/merge/*/{RANKING}/part-00003.parquet")
    part.write_bytes(part.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(Failure, match=r"part-00003\.parquet has changed since it was made"):
        library.open(tmp_path / "workspace").ranking()
    finished.ok("--images", "pictures")
    assert contents(results) == whole


def test_a_run_killed_before_parts_have_their_names_publishes_none(
    finished, tmp_path, small_bounds, monkeypatch
):
    results = tmp_path / "workspace" / "results"
    whole = contents(results)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "rename", _fail)
        assert finished(*AGAIN).returncode == 1
    left = list(tmp_path.glob("workspace/merge/*/*.parquet/part-*"))
    assert left and all("-" in file.stem[len("part-00000") :] for file in left)
    assert contents(results) == whole
    finished.ok(*AGAIN)
    parts = list(tmp_path.glob("workspace/merge/*/*.parquet/part-*"))
    assert sorted(file.name for file in parts) == sorted(
        file.name for file in results.glob("*.parquet/part-*")
    )


def _fail(*_: object) -> None:
    raise OSError("the store is gone")


def test_a_table_is_left_out_of_a_copy_as_a_whole(finished, tmp_path, small_bounds, monkeypatch):
    from driver.results import publish

    finished.ok(*AGAIN)
    parts = (tmp_path / "workspace/results" / PREDICTIONS).iterdir()
    monkeypatch.setattr(publish, "COPY_LIMIT", sum(part.stat().st_size for part in parts) - 1)
    done = finished("--images", "pictures", "--results", "copy")
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("too large to copy"))
    assert PREDICTIONS in line and "part-" not in line
    assert not (tmp_path / "copy" / PREDICTIONS).exists()


def test_a_file_of_the_user_is_not_taken_for_a_part(finished, tmp_path, small_bounds):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / PREDICTIONS).write_text("mine")
    done = finished(*AGAIN, "--results", "copy")
    assert done.returncode == 1 and PREDICTIONS in done.stderr
    assert (tmp_path / "copy" / PREDICTIONS).read_text() == "mine"
