"""What the pipeline does with stages that are there already."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome, Stage
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.workspace.workspace import Workspace


def write(run: Pipeline, folder: str) -> Outcome:
    (run.local_folder("count", folder) / "part-0").write_text("1")
    return Outcome()


COUNT = Stage("count", write)
RANK = Stage("rank", lambda run, folder: Outcome(), needs=("count",))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path / "w"))


def ran(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """Return the stages that a run did again, and what it said."""
    run = pipeline_of(TypedOptions(Namespace()), workspace, Path(workspace.root))
    run.run([COUNT, RANK])
    return [r.name for r in run.reports if not r.skipped], capsys.readouterr().err


def test_a_stage_of_another_version_is_done_again_once_and_the_run_says_why(workspace, capsys):
    assert ran(workspace, capsys) == (["count", "rank"], "")
    before = workspace.required("count")
    workspace.commit("count", {**before, "code": "0" * 16, "fingerprint": "0" * 16})
    line = "made by another version of Mapsight, done again: count\n"
    assert ran(workspace, capsys) == (["count"], line)
    assert ran(workspace, capsys) == ([], "")
    assert workspace.required("count")["digest"] == before["digest"]
