"""A server that answers as YARN does, and what asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from driver.hadoop import task_logs as yarn_logs
from driver.hadoop import yarn as module
from driver.hadoop.yarn import Yarn
from tests.driver.hadoop.yarn_answers import Cluster, serving


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with serving() as cluster:
        yield cluster


@pytest.fixture
def yarn(cluster, monkeypatch) -> Yarn:
    """YARN with one ResourceManager, which has all applications; waiting takes no time."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    monkeypatch.setattr(yarn_logs, "POLL_SECONDS", 0)
    monkeypatch.setattr(yarn_logs, "WAIT_SECONDS", 2)
    monkeypatch.setenv("HADOOP_HOME", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    return Yarn(cluster.conf())
