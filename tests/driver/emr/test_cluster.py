"""How a run on EMR gives its cluster back when AWS does not do as asked."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from driver.emr.cluster import EmrCluster
from driver.errors import Failure

ID = "j-1KNOWN"


class Refusing:
    """An account that ends nothing, and does not like to be asked for lists."""

    def __init__(self, ask=None) -> None:
        self._ask = ask

    def clusters(self, prefix: str) -> list[str]:
        raise Failure(f"clusters cannot be listed: {prefix}")

    def terminate(self, clusters: list[str]) -> None:
        raise Failure(f"{clusters[0]} cannot be ended")

    def state(self, cluster: str) -> str:
        return "RUNNING"

    def cancel(self, cluster: str, prefix: str) -> None:
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        raise Failure("not now")


@pytest.fixture
def cluster() -> EmrCluster:
    """One of a search, which has not asked for any yet."""
    cluster = EmrCluster.__new__(EmrCluster)
    cluster._workspace = SimpleNamespace(run_id="r", drop=lambda *names: None)
    cluster._account, cluster._id, cluster._asked = Refusing(), None, False
    return cluster


@pytest.mark.parametrize("known", [ID, None])
def test_why_a_run_failed_stays_said_and_the_cluster_is_named(cluster, capsys, known):
    with pytest.raises(Failure, match=r"^why it failed$"), cluster.attended(alone=False):
        cluster._asked, cluster._id = True, known
        raise Failure("why it failed")
    said = capsys.readouterr().err
    assert f"EMR cluster {known or 'named mapsight-search-r'}" in said
    assert "may still run and cost money" in said
    assert ("cannot be listed" in said) is (known is None)


def test_a_cluster_that_cannot_be_ended_after_a_good_run_is_a_failure(cluster):
    line = rf"EMR cluster {ID} may still run and cost money.* {ID} cannot be ended"
    with pytest.raises(Failure, match=line), cluster.attended(alone=False):
        cluster._asked, cluster._id = True, ID


def test_steps_are_cancelled_undisturbed_and_by_the_way(cluster, capsys):
    cluster._id = ID
    with pytest.raises(KeyboardInterrupt), cluster.attended(alone=False):
        raise KeyboardInterrupt
    assert f"the steps of this run on {ID} could not be ended: not now" in capsys.readouterr().err
