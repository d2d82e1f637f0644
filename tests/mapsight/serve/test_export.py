"""The map, files of selections and the command that gives the same."""

from __future__ import annotations

import io
import shlex

import pyarrow.parquet as pq
import pytest

from mapsight.browse.exports import export
from mapsight.serve import answers

QUERY = {"label": "Tiger", "duplicates": "hide", "sort": "-sharpness"}


def selected(opened):
    return opened.select("-sharpness", label="Tiger", duplicates="hide")


@pytest.mark.parametrize("form", ["ids", "csv", "parquet"])
def test_a_file_of_all_that_fit_is_that_of_the_library(server, opened, form):
    answer = server.get("export", **QUERY, format=form)
    assert answer.content == b"".join(export(selected(opened), form))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-mapsight-state"] == opened.browser.state


def test_pictures_of_a_format_are_filtered_beside_the_format_of_the_file(server, opened):
    answer = server.get("export", format=["JPEG", "csv"])
    assert answer.content == b"".join(export(opened.select(format="JPEG"), "csv"))
    assert server.get("export", format=["ids", "csv"]).status_code == 400


def test_a_file_of_named_pictures_has_them_in_their_order(server, ids):
    wanted = [ids[7], ids[2], ids[7], ids[5]]
    sent = server.client.post("/api/v1/export", json={"ids": wanted})
    assert sent.text.split() == [ids[7], ids[2], ids[5]]
    table = server.client.post("/api/v1/export", json={"ids": wanted, "format": "parquet"})
    rows = pq.read_table(io.BytesIO(table.content))
    assert rows["image_id"].to_pylist() == [ids[7], ids[2], ids[5]]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "ids"),
        ({"ids": "x"}, 400, "ids"),
        ({"ids": [1]}, 400, "ids"),
        ({"ids": ["nothing"]}, 404, "ids"),
        ({"ids": ["x"] * 100_001}, 400, "ids"),
        ({"ids": [], "format": "xlsx"}, 400, "format"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_exported_is_refused(server, body, status, field):
    answer = server.client.post("/api/v1/export", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_the_command_gives_the_same(server):
    words = shlex.split(server.json("command", **QUERY)["command"])
    assert words[:2] == ["mapsight", "select"] and "--sort=-sharpness" in words
    assert words[words.index("--label") + 1] == "Tiger" and "--workspace" in words


def test_the_map_is_that_of_the_library(server, opened):
    found = server.json("map")
    answers.Cells.model_validate(found)
    assert found["cells"] == opened.browser.map()


def test_a_cell_has_its_pictures(server):
    cell = server.json("map")["cells"][0]
    found = answers.CellPictures.model_validate(server.json(f"map/{cell['cell']}"))
    assert len(found.pictures) == cell["pictures"]
    assert {one.cell for one in found.pictures} == {cell["cell"]}


@pytest.mark.parametrize("cell", ["99999", "x", "-1", "1e3", "%D9%A3"])
def test_there_are_no_other_cells(server, cell):
    answer = server.get(f"map/{cell}")
    assert (answer.status_code, answer.json()["field"]) == (404, "cell")
