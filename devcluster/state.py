"""What a cluster is, and what is known of it: one folder, outside the project."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devcluster.addresses import master_port, node_address, node_port
from devcluster.errors import ClusterError
from devcluster.processes import Process

__all__ = ["Plan", "State", "default_folder", "locked"]

FILE = "cluster.json"


def default_folder() -> Path:
    """$MAPSIGHT_CLUSTER, else a folder among the user's state."""
    if named := os.environ.get("MAPSIGHT_CLUSTER"):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mapsight" / "cluster"


@dataclass(frozen=True)
class Plan:
    """What a cluster is made of.

    Args:
        folder: holds all of it, absolute.
        nodes: DataNodes, and as many NodeManagers.
        first_port: of those that follow from it, see `addresses`.
        user: who runs it, and its only user.
        home: HADOOP_HOME.
        java: JAVA_HOME.
        memory_mb: of a node, for containers, MiB.
        vcores: of a node, for containers.
        path: PATH of the nodes.
    """

    folder: Path
    nodes: int
    first_port: int
    user: str
    home: Path
    java: Path
    memory_mb: int
    vcores: int
    path: str

    @property
    def conf(self) -> Path:
        """HADOOP_CONF_DIR."""
        return self.folder / "conf"

    @property
    def logs(self) -> Path:
        """The logs of the daemons."""
        return self.folder / "logs"

    @property
    def class_path(self) -> str:
        """What containers load classes from, comma-separated as Hadoop has it."""
        return f"{self.conf},{self.home},{self.home}/share/hadoop/lib/*"

    def node_folder(self, index: int) -> Path:
        """What a node has on its disk."""
        return self.folder / f"node{index}"

    def node_conf(self, index: int) -> Path:
        """What a node's daemons are told besides."""
        return self.node_folder(index) / "conf"

    def master_url(self, name: str) -> str:
        """Where a master's web pages are: namenode, resourcemanager or historyserver."""
        return f"http://127.0.0.1:{master_port(self.first_port, f'{name} web')}"

    def node_url(self, name: str, index: int) -> str:
        """Where the web pages of a datanode or nodemanager are."""
        return f"http://{node_address(index)}:{node_port(self.first_port, index, f'{name} web')}"


@dataclass
class State:
    """A plan and the processes that were started for it, by the daemons' names."""

    plan: Plan
    daemons: dict[str, Process] = field(default_factory=dict)

    @property
    def running(self) -> dict[str, Process]:
        """Those that have not ended."""
        return {name: process for name, process in self.daemons.items() if process.alive}

    def save(self) -> None:
        """Write it down, the whole of it or nothing."""
        document = {
            "plan": asdict(self.plan),
            "daemons": {name: asdict(process) for name, process in self.daemons.items()},
        }
        new = self.plan.folder / f".{FILE}"
        new.write_text(json.dumps(document, indent=1, default=str) + "\n")
        new.replace(self.plan.folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> State | None:
        """What was written down; None where no cluster is.

        Raises:
            ClusterError: the file is damaged.
        """
        try:
            document = json.loads((folder / FILE).read_text())
            return cls(_plan(document["plan"]), _processes(document["daemons"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ClusterError(f"{folder / FILE} is damaged ({error!r})") from None


def _plan(document: dict[str, Any]) -> Plan:
    paths = {name: Path(document[name]) for name in ("folder", "home", "java")}
    return Plan(**{**document, **paths})


def _processes(document: dict[str, Any]) -> dict[str, Process]:
    return {name: Process(**fields) for name, fields in document.items()}


def check_path(path: Path) -> None:
    """Raise ClusterError for a path that Hadoop's settings and scripts cannot hold."""
    if not re.fullmatch(r"[\w./@+-]+", str(path), re.ASCII):
        raise ClusterError(f"Hadoop cannot use the folder {path}: only a-z A-Z 0-9 _ . / @ + -")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one who changes the cluster of a folder, which is made; waits for others.

    Raises:
        ClusterError: the folder cannot be made, or holds something that is not a cluster.
    """
    check_path(folder)
    while True:
        descriptor = _open(folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_still(folder, descriptor):  # removed by whom this waited for
                continue
            if any(folder.iterdir()) and not (folder / FILE).exists():
                raise ClusterError(f"{folder} is not empty and not a cluster: name another --state")
            yield
            return
        finally:
            os.close(descriptor)


def _open(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ClusterError(f"cannot use {folder}: {error.strerror}") from None


def _is_still(folder: Path, descriptor: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    return False


def remove(folder: Path) -> None:
    """Remove a cluster's folder; the file that says it is one goes last."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != FILE:
            entry.unlink()
    (folder / FILE).unlink(missing_ok=True)
    folder.rmdir()
