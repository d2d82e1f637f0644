"""How a run divides what there is to read."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.stages.plan import STAGE
from driver.workspace.workspace import Workspace
from tests.support.pictures import encoded, scribble


def planned(folder: Path, processes: int) -> list[int]:
    """Run the stage on 120 small pictures; return the pictures of each split."""
    typed = {**asdict(RunnerOptions()), "processes": processes, "splits": None, "url_column": None}
    typed |= {"results": None, "images": [str(folder / "in")], "openimages": None}
    workspace = Workspace(str(folder / "w"))
    run = pipeline_of(TypedOptions(Namespace(**typed)), workspace, folder)
    run.run([STAGE])
    return [split["rows"] for split in workspace.required("plan")["notes"]["files"]]


def test_a_small_input_is_spread_over_the_processes_that_the_first_run_has(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(120):
        (tmp_path / "in" / f"{n:03}.png").write_bytes(encoded(scribble(n, 8, 8)))
    first = planned(tmp_path, 3)
    assert first == [40, 40, 40]
    assert planned(tmp_path, 1) == first
