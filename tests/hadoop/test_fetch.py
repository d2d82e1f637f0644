"""The command fetch with tasks on a cluster and the sample on HDFS: the same bytes as here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsight.storage.hdfs import hdfs_file_system
from tests.support.openimages_server import Fetcher, Place, files_of, first
from tests.support.openimages_world import MIDS
from tests.support.program import CalledProgram

SAMPLE = "hdfs:///user/tester/sample"
LABELS = ["--labels", "Lion,Owl", "--per-label"]


def fetched(path: str) -> dict[str, bytes]:
    """What lies in a folder of HDFS, without what is hidden."""
    hdfs = hdfs_file_system("")
    base = hdfs._strip_protocol(path)
    names = [name[len(base) + 1 :] for name in hdfs.find(base)]
    return {name: hdfs.cat_file(f"{base}/{name}") for name in names if name[0] != "."}


def test_a_growing_sample_on_hdfs_is_that_of_one_machine(
    cluster, environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place, variables = Place(), {**environment, **cluster.exports()}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    place.missing = {first(place.worlds["train"], MIDS["Lion"], 1)[0]}
    with place.serving() as (url, visits):
        fetch = Fetcher(CalledProgram(variables, tmp_path), url, visits)
        for count in ("20", "40"):
            fetch(*LABELS, count, "-r", "hadoop", subset="train", to=SAMPLE)
            fetch(*LABELS, count, subset="train")
            assert fetched(SAMPLE) == files_of(fetch.to)
