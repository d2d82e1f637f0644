"""Workspaces on HDFS, opened from Python as those on this machine are."""

from __future__ import annotations

import pytest

import mapsight
from mapsight.errors import Failure
from tests.support.results import everything, pictures_of, upload

HOME = "hdfs:///user/tester/opened"


@pytest.fixture(scope="module", autouse=True)
def shell(cluster):
    """The environment of somebody who uses the cluster."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.exports().items():
            patch.setenv(name, value)
        patch.setenv("MAPSIGHT_HDFS", "webhdfs")
        yield


def test_a_workspace_on_hdfs_gives_what_one_on_this_machine_does(finished_once, tmp_path):
    here, there = finished_once / "workspace", f"{HOME}/whole"
    upload(here, there)
    opened = mapsight.open(there, copy=str(tmp_path / "copy"))
    assert everything(opened) == everything(mapsight.open(here, copy=str(tmp_path / "copy")))


def test_pictures_on_hdfs_are_found_without_an_index(unindexed_once):
    here, there = unindexed_once / "workspace", f"{HOME}/unindexed"
    upload(here, there)
    assert pictures_of(mapsight.open(there)) == pictures_of(mapsight.open(here))


def test_where_there_is_no_workspace_it_says_so():
    with pytest.raises(Failure, match=f"{HOME}/none: no workspace is there"):
        mapsight.open(f"{HOME}/none")
