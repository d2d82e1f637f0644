"""`mapsight select`, and `mapsight search --only-ids`."""

from __future__ import annotations

import csv
import json
import shlex

import pyarrow.parquet as pq
import pytest

import mapsight as library
from mapsight.browse.command_line import command_of
from mapsight.browse.filters import Filters
from tests.support.program import CalledProgram

ID = f"{5:016x}"


@pytest.fixture
def program(environment, finished_once, monkeypatch) -> CalledProgram:
    monkeypatch.chdir(finished_once)
    return CalledProgram(environment, finished_once)


def selected(**named) -> list[str]:
    sort = named.pop("sort", "image_id")
    return [one for ids in library.open("workspace").select(sort, **named).ids() for one in ids]


@pytest.mark.parametrize(
    ("named", "sort"),
    [
        ({}, "image_id"),
        ({"min_ppi": 20, "max_bytes": 5000}, "-sharpness"),
        ({"label": ["one", "two"], "duplicates": "hide", "unsure": True}, "score"),
        ({"format": "JPEG", "region": [(0, 0), (1, 0), (1, 1), (0, 1)]}, "-image_id"),
    ],
    ids=str,
)
def test_the_command_of_filters_lists_the_pictures_that_python_selects(program, named, sort):
    if "label" in named:
        counts = library.open("workspace").browser.facets()["label"]
        named = {**named, "label": [one["value"] for one in counts[:2]]}
    words = shlex.split(command_of(Filters.of(**named), sort))
    assert program.ok(*words[1:]).splitlines() == selected(sort=sort, **named)


def test_of_the_first_pictures_csv_and_parquet_have_what_is_known(program, tmp_path):
    arguments = ("select", "--sort=-sharpness", "--limit", "5")
    text = program.ok(*arguments, "--format", "csv")
    program.ok(*arguments, "--format", "parquet", "--out", str(tmp_path / "s.parquet"))
    rows = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert [row["image_id"] for row in rows] == selected(sort="-sharpness")[:5]
    for row, line in zip(rows, csv.DictReader(text.splitlines()), strict=True):
        assert (line["image_id"], line["source"]) == (row["image_id"], row["source"])
        assert float(line["sharpness"]) == row["sharpness"]


def test_a_list_of_ids_is_replaced_and_a_file_of_the_user_is_not(program, tmp_path):
    ours, theirs = tmp_path / "ids.txt", tmp_path / "notes.txt"
    theirs.write_text("milk\n")
    for limit in ("5", "3"):
        program.ok("select", "--out", str(ours), "--limit", limit)
    assert ours.read_text().splitlines() == selected()[:3]
    refused = program("select", "--out", str(theirs))
    assert refused.returncode == 2 and "is not overwritten" in refused.stderr
    assert theirs.read_text() == "milk\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--label", "Othre"), "--label 'Othre': did you mean other?"),
        (("--min-ppi", "much"), "--min-ppi 'much': a number in plain digits"),
        (("--sort", "colour"), "--sort 'colour': one of image_id, score"),
        (("--picture-format", "JPG"), "--picture-format 'JPG': did you mean JPEG?"),
        (("--format", "parquet"), "--format parquet needs --out FILE"),
    ],
)
def test_what_is_wrong_is_said_in_the_name_of_the_option(program, arguments, message):
    refused = program("select", *arguments)
    assert refused.returncode == 2 and message in refused.stderr


def test_only_the_ids_of_answers_are_written(program):
    query = ("search", ID, "--top-k", "4", "-r", "inline")
    rows = [json.loads(line) for line in program.ok(*query, "--format", "json").splitlines()]
    found = program.ok(*query, "--only-ids").splitlines()
    assert found == [row["image_id"] for row in rows] and found[0] == ID
    refused = program(*query, "--only-ids", "--format", "json")
    assert refused.returncode == 2 and "--only-ids excludes --format json" in refused.stderr
