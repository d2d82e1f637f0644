"""Charts are drawn at once, and none is missing whatever becomes of a process that draws."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from mapsight.report.charts import drawing
from mapsight.report.charts.drawing import draw_charts

HERE = os.getpid()


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4))


def process_id() -> bytes:
    time.sleep(0.05)
    return b"%d" % os.getpid()


def test_every_chart_is_written_and_others_of_an_earlier_run_are_replaced(tmp_path):
    (tmp_path / "3.svg").write_text("old")
    charts = {str(n): (lambda n=n: b"%d" % n) for n in range(20)}
    draw_charts(tmp_path, charts)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"{n}.svg": str(n) for n in range(20)
    }


def children() -> set[int]:
    """Ids of processes of this one, ended or not: other tests may have left the job server."""
    return {child.pid for child in psutil.Process().children()}


def test_several_processes_draw_and_none_is_left(tmp_path):
    before = children()
    draw_charts(tmp_path, {str(n): process_id for n in range(16)})
    assert len({path.read_text() for path in tmp_path.iterdir()}) > 1
    assert children() == before


def test_what_an_ended_process_leaves_is_drawn_here(tmp_path):
    def ends_others() -> bytes:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return process_id()

    draw_charts(tmp_path, {str(n): ends_others for n in range(8)})
    assert {path.name: int(path.read_text()) for path in tmp_path.iterdir()} == {
        f"{n}.svg": HERE for n in range(8)
    }


def test_what_a_process_that_hangs_leaves_is_drawn_here(tmp_path, monkeypatch):
    def hangs() -> bytes:
        if os.getpid() != HERE:
            time.sleep(60)
        return process_id()

    monkeypatch.setattr(drawing, "PATIENCE_SECONDS", 0.1)
    before = children()
    draw_charts(tmp_path, {str(n): hangs for n in range(8)})
    assert {int(path.read_text()) for path in tmp_path.iterdir()} == {HERE}
    assert children() == before


def test_a_chart_that_cannot_be_drawn_is_an_error_here(tmp_path, capfd):
    def fails() -> bytes:
        time.sleep(0.02)
        raise ValueError("no such chart")

    with pytest.raises(ValueError, match="no such chart"):
        draw_charts(tmp_path, {"a": process_id, "b": fails, "c": process_id})
    assert not (tmp_path / "b.svg").exists() and capfd.readouterr().err == ""


def test_without_charts_there_is_a_folder(tmp_path):
    draw_charts(tmp_path / "plots", {})
    assert not [*(tmp_path / "plots").iterdir()]
