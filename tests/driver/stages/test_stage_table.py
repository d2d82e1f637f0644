"""The table of stages: one module a stage, each named once."""

from __future__ import annotations

import pytest

from driver.pipeline.stage import Stage
from driver.stage_table import STAGE_TABLE
from driver.stages import known
from mapsight.workspace.stage_names import STAGES
from tests.support.paths import ROOT

ALL = [*STAGE_TABLE, known.STAGE]


def test_the_command_line_and_workspaces_know_the_stages_in_their_order():
    assert tuple(stage.name for stage in STAGE_TABLE) == STAGES


@pytest.mark.parametrize("stage", ALL, ids=lambda stage: stage.name)
def test_a_stage_is_the_module_of_its_name(stage: Stage):
    folder = "results" if stage.name in ("merge", "render") else "stages"
    assert stage.module == f"driver.{folder}.{stage.name}"
    assert stage.perform.__module__ == stage.module


@pytest.mark.parametrize("number", range(len(STAGE_TABLE)))
def test_a_stage_needs_what_comes_before_it(number: int):
    before = {stage.name for stage in STAGE_TABLE[:number]}
    assert set(STAGE_TABLE[number].needs) <= before


@pytest.mark.parametrize("stage", ALL, ids=lambda stage: stage.name)
def test_what_decides_an_outcome_is_there(stage: Stage):
    files = [*(job.path for job in stage.jobs), *(name for name in stage.data if ":" not in name)]
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert stage.code_digest
