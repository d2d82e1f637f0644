"""Exports are what was selected."""

from __future__ import annotations

import csv
import io
import shlex

import pyarrow.parquet as pq
import pytest

from mapsight.browse.browser import Browser
from mapsight.browse.command_line import command_of
from mapsight.browse.exports import export
from mapsight.browse.filter_values import FilterError
from mapsight.browse.filters import Filters
from mapsight.browse.items import TABLE_COLUMNS
from mapsight.labels.flags import names_of
from tests.support.browse_world import MadeUp, columns_of, facts

FACTS = facts(200)
BY_ID = {row["image_id"]: row for row in FACTS}


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    folder = tmp_path_factory.mktemp("columns")
    return Browser(columns_of(folder, MadeUp({0: FACTS}, unknown={0: ["zz"]})))


@pytest.fixture(params=[{}, {"label": "Lion", "sort": "-sharpness"}, {"min_ppi": 1e6}], ids=str)
def selection(browser, request, monkeypatch):
    monkeypatch.setattr("mapsight.browse.selection.BATCH", 64)
    named = dict(request.param)
    return browser.select(sort=named.pop("sort", "image_id"), filters=Filters.of(**named))


def exported(selection, form: str) -> bytes:
    return b"".join(export(selection, form))


def ids_of(selection) -> list[str]:
    return [one for ids in selection.ids() for one in ids]


def as_told(known: dict) -> dict:
    """Flags and quality, which columns have as whole numbers."""
    quality = known["quality"] and (known["quality"] - 1) / 1_000_000
    return {"flags": names_of(known["flags"] or 0), "quality": quality}


def test_parquet_has_what_is_known_of_each_picture(selection):
    rows = pq.read_table(io.BytesIO(exported(selection, "parquet"))).to_pylist()
    assert [row["image_id"] for row in rows] == ids_of(selection)
    for row in rows:
        known = dict(BY_ID.get(row["image_id"], {}))
        known |= as_told(known) if known else {}
        assert {name: row[name] for name in TABLE_COLUMNS if name in known} == {
            name: known[name] for name in TABLE_COLUMNS if name in known
        }
        sides = known.get("width"), known.get("height")
        assert row["pixels"] == (sides[0] * sides[1] if all(sides) else None)


def test_csv_has_the_same_and_no_formula(selection):
    text = exported(selection, "csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["image_id"] for row in rows] == ids_of(selection)
    assert text.splitlines()[0] == ",".join(TABLE_COLUMNS)
    for row in rows:
        known = BY_ID.get(row["image_id"], {})
        assert row["truth"] == "; ".join(known.get("truth") or [])
        assert row["ppi"] == str(known.get("ppi") or "")
        assert row["title"] == {"=1+1": "'=1+1", None: ""}.get(title := known.get("title"), title)


def test_ids_are_one_a_line(selection):
    assert exported(selection, "ids").decode().splitlines() == ids_of(selection)


def test_chosen_pictures_are_exported_as_they_were_given(browser):
    chosen = browser.of_ids(["0000a0", "000003", "zz"])
    assert exported(chosen, "ids") == b"0000a0\n000003\nzz\n"
    with pytest.raises(FilterError, match="'nosuch': no picture with this image_id"):
        browser.of_ids(["000003", "nosuch"])
    with pytest.raises(FilterError, match="one of ids, csv, parquet"):
        export(chosen, "xlsx")


def test_a_column_that_is_not_there_is_named(browser):
    with pytest.raises(ValueError, match="column 'colour': one of image_id, label"):
        next(browser.select().batches(["colour"]))


def test_the_command_has_all_filters_quoted():
    filters = Filters.of(
        label=["Tiger", "-x y"], region=[(0, 0), (-1, 0), (0.5, 1)], disputed=True, cell=3
    )
    words = shlex.split(command_of(filters, "-score", "my workspace"))
    assert words[2:] == [
        *("--cell", "3", "--disputed", "--label=-x y", "--label", "Tiger"),
        *("--region", "0,0,-1,0,0.5,1", "--sort=-score", "--workspace", "my workspace"),
    ]
