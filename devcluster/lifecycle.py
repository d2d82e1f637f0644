"""A cluster from its start to its end, and the accidents of single daemons."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from devcluster import daemons, state
from devcluster.addresses import choose_first_port
from devcluster.classes import archive_of, make_archive
from devcluster.errors import ClusterError
from devcluster.layout import ensure_hadoop, java_home, need_space, streaming_jar
from devcluster.preparation import prepare, write_options
from devcluster.processes import POLL_SECONDS, end, kill_all
from devcluster.state import Plan, State

__all__ = ["NODE_PATH", "Cluster"]

STATE_BYTES = 2 * 2**30
READY_SECONDS = 180.0
END_SECONDS = 10.0
NODE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _silent(line: str) -> None:
    pass


class Cluster:
    """The cluster of a folder, whether it runs or not.

    Args:
        folder: what it writes goes there.
        say: told what takes long.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = _silent) -> None:
        self.folder, self.say = folder.resolve(), say

    def state(self) -> State:
        """What is known of it.

        Raises:
            ClusterError: there is none.
        """
        known = State.load(self.folder)
        if known is None:
            raise ClusterError(f"no cluster at {self.folder}: up starts one")
        return known

    @property
    def plan(self) -> Plan:
        """What it is made of."""
        return self.state().plan

    def up(
        self,
        nodes: int = 2,
        first_port: int | None = None,
        memory_mb: int = 3072,
        vcores: int = 2,
        path: str = NODE_PATH,
    ) -> bool:
        """Start it, or those of its daemons that have died; back when all are ready.

        A cluster that runs stays as it is: only its number of nodes is compared.

        Args:
            nodes: 1 or more.
            first_port: the first of its ports, which must be free; without it free ones are found.
            memory_mb: what a node has for containers, MiB.
            vcores: of a node.
            path: PATH of the nodes.

        Returns:
            False if it was all running already.

        Raises:
            ClusterError: what is missing, or why it did not start.
        """
        with state.locked(self.folder):
            known = State.load(self.folder)
            if known and known.plan.nodes != nodes:
                raise ClusterError(
                    f"the cluster at {self.folder} has {known.plan.nodes} nodes, not {nodes}:"
                    " end it first, with down"
                )
            if known and known.running:
                return self._complete(known)
            try:
                java = java_home()
                home = ensure_hadoop(self.say)
                need_space(self.folder, STATE_BYTES)
                port = choose_first_port(nodes, first_port)
                plan = Plan(self.folder, nodes, port, _user(), home, java, memory_mb, vcores, path)
                state.check_path(home)
                started = State(plan)
                self._complete(started)
                self._quicken(started)
            except BaseException:
                self._abandon()
                raise
            return True

    def _complete(self, known: State) -> bool:
        """Start the daemons that do not run and wait for all; whether any was missing."""
        names = daemons.all_names(known.plan.nodes)
        missing = [name for name in names if name not in known.running]
        if missing == names:
            known.save()
            prepare(known.plan)
        for name in missing:
            known.daemons.pop(name, None)
        for name in missing:
            if name != "historyserver":  # it would look for the NameNode every 10 s
                self._launch(known, name)
        if missing:
            self._wait(known, [name for name in names if name in known.daemons])
            daemons.make_folders(known.plan)
        if "historyserver" in missing:
            self._launch(known, "historyserver")
        self._wait(known, names)
        return bool(missing)

    def _quicken(self, known: State) -> None:
        """Have what is started from now on load Hadoop's classes from an archive."""
        plan = known.plan
        if archive_of(plan).exists():
            return
        self.say("Hadoop's classes are put into an archive (once, half a minute)")
        try:
            make_archive(plan, self.exports(), [one.pid for one in known.daemons.values()])
        except (ClusterError, OSError) as error:
            self.say(f"no archive of classes: {error}")
        write_options(plan)

    def _launch(self, known: State, name: str) -> None:
        known.daemons[name] = daemons.launch(known.plan, name)
        known.save()

    def _wait(self, known: State, names: Iterable[str]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for name in names:
            while lacks := daemons.waits_for(known.plan, name):
                for other, process in known.daemons.items():
                    if not process.alive:
                        raise ClusterError(
                            f"the {other} ended: {daemons.reason(known.plan, other)}"
                        )
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"{lacks} after {READY_SECONDS:.0f} s: {daemons.reason(known.plan, name)}"
                    )
                time.sleep(4 * POLL_SECONDS)

    def _abandon(self) -> None:
        """End what was started; the logs stay for those who ask why, until `down` or `up`."""
        known = State.load(self.folder)
        if known:
            kill_all(lambda: daemons.processes_of(known.plan))
        else:
            self.folder.rmdir()

    def down(self, keep: bool = False) -> bool:
        """End all its processes, containers and clients too, and remove its folder.

        Args:
            keep: leave the folder, for another `up` with the same data.

        Returns:
            False if there was no cluster.

        Raises:
            ClusterError: a process does not end.
        """
        if State.load(self.folder) is None:
            return False
        with state.locked(self.folder):
            known = State.load(self.folder)
            if known is None:
                self.folder.rmdir()
                return False
            mine = daemons.processes_of(known.plan)
            # a command that waits for a job would ask for many minutes where the cluster has gone
            kill_all(lambda: daemons.clients_of(known.plan))
            if keep:  # else there is nothing that they must still write
                end(known.running.values(), END_SECONDS)
            gone = (daemons.processes_of, daemons.clients_of)
            kill_all(lambda: mine.union(*(find(known.plan) for find in gone)))
            known.daemons.clear()
            known.save()
            if not keep:
                state.remove(self.folder)
            return True

    def kill(self, name: str) -> None:
        """Kill a daemon −9, a NodeManager with all its containers."""
        known = self._with(name)
        kill_all(lambda: daemons.processes_of(known.plan, name))

    def start(self, name: str) -> None:
        """Start a daemon that was killed; back when it has joined.

        Raises:
            ClusterError: it runs, or it does not start.
        """
        with state.locked(self.folder):
            known = self._with(name)
            if name in known.running:
                raise ClusterError(f"the {name} runs, as process {known.running[name].pid}")
            self._launch(known, name)
            self._wait(State(known.plan, {name: known.daemons[name]}), [name])

    def _with(self, name: str) -> State:
        known = self.state()
        if name not in (names := daemons.all_names(known.plan.nodes)):
            raise ClusterError(f"no {name} here, but {', '.join(names)}")
        return known

    def environment(self) -> dict[str, str]:
        """The variables that make `hadoop` usable; PATH is only what goes before it."""
        plan = self.plan
        return {
            "MAPSIGHT_CLUSTER": str(plan.folder),
            "JAVA_HOME": str(plan.java),
            "HADOOP_HOME": str(plan.home),
            "HADOOP_CONF_DIR": str(plan.conf),
            "HADOOP_STREAMING_JAR": str(streaming_jar(plan.home)),
            "PATH": f"{plan.home}/bin",
        }

    def exports(self) -> dict[str, str]:
        """This process's environment with those variables."""
        added = self.environment()
        return {**os.environ, **added, "PATH": f"{added['PATH']}:{os.environ.get('PATH', '')}"}


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise ClusterError(f"user id {os.getuid()} has no name, and Hadoop needs one") from None
