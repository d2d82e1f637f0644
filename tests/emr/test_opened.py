"""Workspaces on S3, opened from Python as those on this machine are."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import numpy as np
import pytest

if not os.environ.get("CI"):
    pytest.importorskip("moto")

from s3fs import S3FileSystem

import mapsight
from mapsight.errors import Failure
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.workspace import Workspace
from tests.emr.account import BUCKET, start
from tests.support.index_world import SOME_CELLS, indexed, scored
from tests.support.results import everything, pictures_of, upload


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The bucket of an account on loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    with start(tmp_path_factory.mktemp("s3")) as account, pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield f"s3://{BUCKET}/opened"


def test_a_workspace_on_s3_gives_what_one_on_this_machine_does(address, finished_once, tmp_path):
    here, there = finished_once / "workspace", f"{address}/whole"
    upload(here, there)
    opened = mapsight.open(there, copy=str(tmp_path / "copy"))
    assert everything(opened) == everything(mapsight.open(here, copy=str(tmp_path / "copy")))


def test_pictures_on_s3_are_found_without_an_index(address, unindexed_once):
    here, there = unindexed_once / "workspace", f"{address}/unindexed"
    upload(here, there)
    assert pictures_of(mapsight.open(there)) == pictures_of(mapsight.open(here))


def test_cells_are_scored_from_s3_as_from_here_and_nothing_else_is_read(
    address, tmp_path, monkeypatch
):
    world = indexed(tmp_path / "w")
    upload(tmp_path / "w", f"{address}/cells")
    ranges: list[int] = []
    fetched = S3FileSystem._cat_file

    async def counted(self, path, version_id=None, start=None, end=None):
        ranges.append((end - start) if end else 0)
        return await fetched(self, path, version_id, start, end)

    monkeypatch.setattr(S3FileSystem, "_cat_file", counted)
    found = scored(f"{address}/cells", world, tmp_path)
    assert found == scored(str(tmp_path / "w"), world, tmp_path) and len(found) == 3
    index = SearchIndex(Workspace(str(tmp_path / "w")))
    assert sum(ranges) == index.bytes_of(np.concatenate(SOME_CELLS))


def test_where_there_is_no_workspace_it_says_so(address):
    for place in (f"{address}/none", "s3://no-such-bucket/none"):
        with pytest.raises(Failure, match=f"{place}: no workspace is there"):
            mapsight.open(place)
