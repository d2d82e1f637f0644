"""A cluster of two nodes for all tests of a process.

Two processes (`-n 2 --dist loadgroup`) have one each: what is killed in one, the other has still.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.errors import ClusterError
from devcluster.layout import need_tools
from devcluster.lifecycle import Cluster

HERE = Path(__file__).resolve().parent
WHOLE_RUNS = ("test_pipeline.py",)
"""Half of the work; accidents, HDFS and YARN are the other."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hadoop: needs Java and Maven, for a cluster")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.hadoop)
            group = "whole runs" if item.path.name in WHOLE_RUNS else "the rest"
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def tools() -> None:
    """Java and Maven; skips without, but never in CI."""
    try:
        need_tools()
    except ClusterError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def cluster(tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes that is ready; a test that kills a daemon starts it again."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    heir = end_after_this_process(cluster)
    try:
        cluster.up(nodes=2)
        yield cluster
    finally:
        cluster.down()
        heir.terminate()
        heir.wait()


def end_after_this_process(cluster: Cluster) -> subprocess.Popen[bytes]:
    """Ends the cluster when the tests are killed in a way that leaves them no time to."""
    program = [sys.executable, HERE.parents[1] / "devcluster" / "cluster.py"]
    arguments = ["--state", cluster.folder, "down", "--after", str(os.getpid())]
    return subprocess.Popen([*program, *arguments], start_new_session=True)


class Commands:
    """Runs the commands of Hadoop, and what uses them, as people do."""

    def __init__(self, cluster: Cluster) -> None:
        self.environment = {**cluster.exports(), "SECRET_OF_THE_DEVELOPER": "seen"}

    def __call__(self, *command: str | Path) -> str:
        """Run what must succeed; its standard output."""
        done = subprocess.run(
            list(map(str, command)), env=self.environment, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        return done.stdout.decode()

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Start it and go on; standard error is a pipe."""
        return subprocess.Popen(
            list(map(str, command)), env=self.environment, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="session")
def run(cluster: Cluster) -> Commands:
    return Commands(cluster)
