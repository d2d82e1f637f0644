"""Duplicates found on a cluster: the same table as on one machine."""

from __future__ import annotations

import json

import pytest

from mapsight.storage.hdfs import hdfs_file_system
from tests.hadoop.collection import jpeg, parquet
from tests.hadoop.containers import running
from tests.support.program import CalledProgram

HOME = "hdfs:///user/tester/duplicates"
SIZES = [60, 60, 60, 120, 180]
"""Of each of four pictures two copies, one with other bytes, and two enlarged."""
COPIES = 3
"""Of a fifth, byte for byte, and one with less bytes."""


@pytest.fixture(scope="module")
def there(cluster, environment, tmp_path_factory):
    """The program, in a folder of its own, and pictures on HDFS."""
    folder = tmp_path_factory.mktemp("duplicates")
    variables = {**environment, **cluster.exports()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        pictures = [jpeg(seed, side, side) for seed in range(4) for side in SIZES]
        pictures[2::5] = [data + b"\0" for data in pictures[2::5]]
        pictures += [jpeg(4, 90, 90) + b"\0"] * COPIES + [jpeg(4, 90, 90)]
        ids = [f"{number:016x}" for number in range(len(pictures))]
        hdfs_file_system("").pipe_file(f"{HOME}/pictures.parquet", parquet(pictures, ids, 4))
        program = CalledProgram(variables, folder)
        yield program


def test_groups_are_those_of_one_machine_byte_for_byte(there, cluster):
    run = ["--images", f"{HOME}/pictures.parquet", "--duplicates", "--no-index"]
    there.ok("-r", "local", *run, "--workspace", "here")
    there.ok("-r", "hadoop", *run, "--workspace", f"{HOME}/workspace")
    here, found = (there.folder / name / "results" for name in ("here", "."))
    table = (here / "duplicates.csv").read_text()
    assert (found / "duplicates.csv").read_text() == table
    kinds = [line.split(",")[2] for line in table.splitlines()]
    assert [kinds.count(kind) for kind in ("keeper", "near", "exact")] == [5, 17, COPIES - 1]
    facts, same = (
        json.loads((at / "summary.json").read_text())["duplicates"] for at in (here, found)
    )
    assert facts == same and facts["sizes"] == [
        {"least": 3, "most": 4, "groups": 1, "pictures": 4},
        {"least": 5, "most": 8, "groups": 4, "pictures": 20},
    ]
    done = there("duplicates", "-r", "hadoop", "--workspace", f"{HOME}/workspace")
    counts = f"{COPIES - 1} exact copies and 17 near-duplicates besides the 5 to keep"
    assert f"24 pictures, 5 groups of duplicates: {counts}" in done.stderr
    assert running(cluster) == []
