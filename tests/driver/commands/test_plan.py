"""The command plan: its table, its JSON, its errors, and where its figures are from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from driver.commands.plan import FIGURES_FILE, _with_speed, read_figures
from mapsight.capacity.estimate import estimate
from mapsight.capacity.job_costs import Demand, model_seconds
from mapsight.features.speed import Speed
from tests.support.paths import ROOT


def plan(line: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "driver" / "run.py"), "plan", *line.split()]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def table() -> str:
    done = plan("-r emr --images 9000000 --cores 64 --price 0.05")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_has_a_line_for_every_stage(table):
    names = [line.split(" ")[0] for line in table.splitlines()[2:16]]
    assert names == [
        *("stage", "start", "plan", "ingest", "extract", "classify", "vectors", "cluster"),
        *("index", "recall", "count", "rank", "merge", "total"),
    ]


def test_searches_stand_below_the_table(table):
    assert "\n1 query by the index, in one job: " in table
    assert "\n10,000 queries by the index, in one job: " in table


def test_the_table_says_whether_int8_is_faster_here(table):
    assert re.search(r"\nint8 is (no faster than|[\d.]+ times as fast as) float32 on this", table)


@pytest.mark.parametrize("gain", [0.8, 2.0])
def test_int8_is_estimated_as_this_machine_runs_it(gain: float):
    demand = Demand("local", 1000, 2, 60_000, alpha=0.5, resolution=160)
    figures = _with_speed(read_figures()[0], Speed("x", gain, 1.0))
    int8 = model_seconds(replace(demand, precision="int8"), figures)
    assert int8 == pytest.approx(model_seconds(demand, figures) / gain)


def test_what_grows_too_large_is_told():
    found = plan("-r hadoop --images 1000000000 --cores 100")
    assert found.stdout.count("\nwatch: ") == 2
    assert "watch" not in plan("-r hadoop --images 9000000 --cores 100").stdout


def test_the_table_says_what_was_asked(table):
    assert table.startswith("9,000,000 pictures of 300,000 bytes with MobileNet 1.0/224 float32")


def test_the_table_states_its_uncertainty(table):
    assert "within about ±30%" in table


def test_with_openimages_the_table_has_what_reads_metadata():
    found = plan("-r hadoop --images 1900000 --cores 64 --openimages").stdout
    names = [line.split(" ")[0] for line in found.splitlines()[3:12]]
    assert names[2:7] == ["extract", "explore", "annotate", "fit", "classify"]
    assert "300,000 bytes and 30,400,000 rows of metadata with" in found.splitlines()[0]


def test_the_rows_of_metadata_can_be_told():
    found = [
        json.loads(plan(f"--images 1000 --cores 4 --format json {line}").stdout)
        for line in ("--metadata-rows 16000", "--openimages", "--openimages --metadata-rows 16000")
    ]
    assert found[0] == found[1] == found[2]
    assert found[0]["demand"]["rows"] == 16_000


def test_json_holds_the_estimate():
    done = plan("-r hadoop --images 1000 --cores 4 --price 0.5 --format json")
    document = json.loads(done.stdout)
    found = estimate(Demand("hadoop", 1000, 4, 300_000), read_figures()[0])
    assert document["total"]["seconds"] == found.total.seconds
    assert document["cost"] == found.cost(0.5)


def test_without_a_price_there_is_no_cost():
    assert "cost" not in plan("--count 1000").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "plan: --count is needed, how many pictures (see "),
        (
            "--images pictures/",
            "'pictures/' is not a number; plan reads no pictures, but takes",
        ),
        ("--images 0", "'0' is not a positive whole number"),
        ("--images 1 --price -1", "'-1' is not a number from 0"),
        ("--images 1 -r inline", "invalid choice"),
        ("--images 1 --metadata-rows 0", "'0' is not a positive whole number"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message):
    done = plan(arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert message in done.stderr


def test_int8_needs_no_calibration_to_be_planned():
    assert "int8" in plan("--images 1000 --precision int8").stdout


def test_every_figure_says_where_it_is_from():
    document = json.loads(FIGURES_FILE.read_text())
    for name, figure in document["figures"].items():
        assert set(figure) == {"value", "unit", "n", "source"}, name
        source = document["sources"][figure["source"]]
        assert set(source) == {"command", "machine", "date"}, name
