"""Loopback addresses and ports: the masters have one address, and each node one of its own.

Nodes are told apart by address, as on a real cluster, not by port: YARN counts failures by host
and looks for data by host. Linux has all of 127.0.0.0/8 without being asked.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

from devcluster.errors import ClusterError

__all__ = ["MASTER", "NODE_PORTS", "choose_first_port", "master_port", "node_address", "node_port"]

MASTER = "127.0.0.1"
MASTER_PORTS = (
    "namenode",
    "namenode web",
    "resourcemanager",
    "resourcemanager scheduler",
    "resourcemanager tracker",
    "resourcemanager admin",
    "resourcemanager web",
    "historyserver",
    "historyserver admin",
    "historyserver web",
)
NODE_PORTS = (
    "datanode",
    "datanode web",
    "datanode ipc",
    "nodemanager",
    "nodemanager localizer",
    "nodemanager web",
    "nodemanager shuffle",
)
LOWEST = 15000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def node_address(index: int) -> str:
    """The address of a node, counted from 0."""
    return f"127.0.0.{2 + index}"


def master_port(first: int, name: str) -> int:
    """The port of one of MASTER_PORTS."""
    return first + MASTER_PORTS.index(name)


def node_port(first: int, index: int, name: str) -> int:
    """The port of one of NODE_PORTS on a node; no two nodes have the same."""
    return first + len(MASTER_PORTS) + index * len(NODE_PORTS) + NODE_PORTS.index(name)


def _endpoints(first: int, nodes: int) -> Iterator[tuple[str, str, int]]:
    for name in MASTER_PORTS:
        yield name, MASTER, master_port(first, name)
    for index in range(nodes):
        for name in NODE_PORTS:
            # the shuffle service listens on every address, which Hadoop has no setting for
            address = "" if name == "nodemanager shuffle" else node_address(index)
            yield f"{name} {index}", address, node_port(first, index, name)


def _taken(first: int, nodes: int) -> str | None:
    """What cannot have its address and port, and why; None if all can."""
    for name, address, port in _endpoints(first, nodes):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
            except (OSError, OverflowError) as error:
                return f"port {port} for the {name} cannot be had ({error})"
    return None


def choose_first_port(nodes: int, wanted: int | None = None) -> int:
    """The first of as many free ports in a row as the cluster needs.

    They are taken below those that the kernel gives to outgoing connections: a daemon that is
    killed and started again must find its port free.

    Args:
        nodes: how many.
        wanted: the only one that will do.

    Raises:
        ClusterError: a wanted port is taken, or no free ports were found.
    """
    if wanted is not None:
        if reason := _taken(wanted, nodes):
            raise ClusterError(reason)
        return wanted
    reason = None
    for first in _candidates(len(list(_endpoints(0, nodes)))):
        if (reason := _taken(first, nodes)) is None:
            return first
    raise ClusterError(f"no {nodes} nodes' ports are free from {LOWEST} on: {reason}")


def _candidates(count: int) -> list[int]:
    """Where to look, in random order: two clusters that start at once should not meet."""
    highest = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32768
    if highest < LOWEST + 10 * count:
        highest = 32768
    starts = list(range(LOWEST, highest - count, count))
    return random.sample(starts, min(len(starts), 50))
