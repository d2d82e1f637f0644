"""The daemons: what each is started with, whether it is ready, and why it ended."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devcluster.addresses import node_address, node_port
from devcluster.layout import class_path
from devcluster.processes import Process, family, marked, start, told
from devcluster.state import Plan

__all__ = [
    "all_names",
    "clients_of",
    "launch",
    "make_folders",
    "processes_of",
    "reason",
    "waits_for",
]

MAIN = {
    "namenode": "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "datanode": "org.apache.hadoop.hdfs.server.datanode.DataNode",
    "resourcemanager": "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    "nodemanager": "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
    "historyserver": "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
}
MARK = "DEVCLUSTER_DAEMON"
HEAP = "-Xmx256m"
ANSWER_SECONDS = 5.0
# no proxy for loopback, whatever the environment says
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
REASONS = (  # the most telling first
    "Failed to bind to|Problem binding|Port in use",
    "Exiting with status",
    "^Caused by|Exception: |Error: | FATAL | ERROR ",
)
OPEN_FOLDERS = ("/tmp", "/tmp/logs", "/tmp/hadoop-yarn", "/tmp/hadoop-yarn/staging")


def all_names(nodes: int) -> list[str]:
    """The names of all daemons, in the order in which they start."""
    of_nodes = [f"{kind} {index}" for kind in ("datanode", "nodemanager") for index in range(nodes)]
    return ["namenode", "resourcemanager", *of_nodes, "historyserver"]


def _parts(name: str) -> tuple[str, int | None]:
    kind, _, index = name.partition(" ")
    return kind, int(index) if index else None


def log_file(plan: Plan, name: str, suffix: str = "log") -> Path:
    """The log of a daemon; `out` is what it says before it has one."""
    return plan.logs / f"{name.replace(' ', '-')}.{suffix}"


def command(plan: Plan, name: str, *arguments: str) -> list[str]:
    """The command line of a daemon."""
    kind, index = _parts(name)
    settings = [plan.conf] if index is None else [plan.node_conf(index), plan.conf]
    return [
        str(plan.java / "bin" / "java"),
        f"@{plan.conf}/jvm.options",
        HEAP,
        "-Dhadoop.root.logger=INFO,file",
        f"-Dhadoop.log.file={log_file(plan, name)}",
        *("-cp", class_path(plan.home, *settings), MAIN[kind], *arguments),
    ]


def environment(plan: Plan, name: str) -> dict[str, str]:
    """The environment of a daemon: nothing of the developer's reaches it, nor the containers."""
    return {
        "PATH": plan.path,
        "HOME": str(Path.home()),
        "USER": plan.user,
        "JAVA_HOME": str(plan.java),
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        MARK: f"{plan.folder}/{name}",
    }


def launch(plan: Plan, name: str) -> Process:
    """Start a daemon."""
    for suffix in ("log", "out"):  # what it says of why it ends must not be of an earlier time
        path = log_file(plan, name, suffix)
        if path.exists():
            path.replace(path.with_suffix(f".{suffix}.old"))
    return start(command(plan, name), environment(plan, name), log_file(plan, name, "out"))


def processes_of(plan: Plan, name: str | None = None) -> set[Process]:
    """A daemon's processes, or all of the cluster's; with a NodeManager go its containers.

    Also those whose parent has died: YARN names its folders to every container, and what the
    container starts inherits that.
    """
    kind, index = _parts(name) if name else (None, None)
    marks = [f"{MARK}={plan.folder}/{name or ''}"]
    if kind in (None, "nodemanager"):
        node = plan.folder / ("node" if index is None else f"node{index}/")
        marks += [f"{variable}={node}" for variable in ("LOCAL_DIRS", "LOG_DIRS")]
    found = marked(*map(str.encode, marks))
    return found.union(*(family(process.pid) for process in found))


def clients_of(plan: Plan) -> set[Process]:
    """The Hadoop commands that use the cluster now."""
    return told(f"@{plan.conf}/jvm.options".encode()) - processes_of(plan)


def _json(url: str) -> dict[str, Any]:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    with OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
        return json.load(answer)


def _bean(url: str, service: str, name: str) -> dict[str, Any]:
    return _json(f"{url}/jmx?qry=Hadoop:service={service},name={name}")["beans"][0]


def _namenode_waits(plan: Plan) -> str:
    bean = _bean(plan.master_url("namenode"), "NameNode", "FSNamesystemState")
    live = bean["NumLiveDataNodes"]
    if bean["FSState"] == "Operational":
        return ""
    return f"the NameNode is in safe mode, with {live} of {plan.nodes} DataNodes"


def live_datanodes(plan: Plan) -> set[str]:
    """The addresses of the DataNodes that the NameNode hears."""
    info = _bean(plan.master_url("namenode"), "NameNode", "NameNodeInfo")
    return {name.rpartition(":")[0] for name in json.loads(info["LiveNodes"])}


def _datanode_waits(plan: Plan, index: int) -> str:
    info = _bean(plan.node_url("datanode", index), "DataNode", "DataNodeInfo")
    actors = json.loads(info["BPServiceActorInfo"])
    heard = node_address(index) in live_datanodes(plan)
    if heard and actors and all(actor["ActorState"] == "RUNNING" for actor in actors):
        return ""
    return f"DataNode {index} has not joined"


def running_nodemanagers(plan: Plan) -> dict[str, dict[str, Any]]:
    """What the ResourceManager says of the NodeManagers that it hears, by host:port."""
    url = f"{plan.master_url('resourcemanager')}/ws/v1/cluster/nodes?states=RUNNING"
    nodes = (_json(url)["nodes"] or {}).get("node", [])
    return {node["id"]: node for node in nodes}


def _nodemanager_waits(plan: Plan, index: int) -> str:
    info = _json(f"{plan.node_url('nodemanager', index)}/ws/v1/node/info")["nodeInfo"]
    port = node_port(plan.first_port, index, "nodemanager")
    node = running_nodemanagers(plan).get(f"{node_address(index)}:{port}")
    # one that was killed and started again is listed as before until it is heard
    if node and node["lastHealthUpdate"] >= info["nmStartupTime"]:
        return ""
    return f"NodeManager {index} has not joined ({info['healthReport'] or 'healthy'})"


def _resourcemanager_waits(plan: Plan) -> str:
    info = _json(f"{plan.master_url('resourcemanager')}/ws/v1/cluster/info")["clusterInfo"]
    return "" if info["state"] == "STARTED" else f"the ResourceManager is {info['state']}"


def _historyserver_waits(plan: Plan) -> str:
    info = _json(f"{plan.master_url('historyserver')}/ws/v1/history/info")["historyInfo"]
    return "" if info["startedOn"] else "the history server has not started"


WAITS: dict[str, Callable[..., str]] = {
    "namenode": _namenode_waits,
    "datanode": _datanode_waits,
    "resourcemanager": _resourcemanager_waits,
    "nodemanager": _nodemanager_waits,
    "historyserver": _historyserver_waits,
}


def waits_for(plan: Plan, name: str) -> str:
    """What a daemon still lacks to be ready; nothing when it is."""
    kind, index = _parts(name)
    try:
        return WAITS[kind](plan, *(() if index is None else (index,)))
    except (OSError, ValueError, LookupError, TypeError) as error:
        problem = getattr(error, "reason", error)
        return f"the {name} does not answer ({problem})"


def reason(plan: Plan, name: str) -> str:
    """The line of a daemon's log that says why it ended, or nothing."""
    for suffix in ("log", "out"):
        path = log_file(plan, name, suffix)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        for pattern in REASONS:
            if found := [line for line in lines if re.search(pattern, line)]:
                return f"{found[-1].strip()[:400]} [{path}]"
    return f"no reason given [{log_file(plan, name, 'out')}]"


def make_folders(plan: Plan) -> None:
    """Make the folders in HDFS that jobs expect, and the user's own."""
    for path, mode in [*((path, 1777) for path in OPEN_FOLDERS), (f"/user/{plan.user}", 755)]:
        url = f"{plan.master_url('namenode')}/webhdfs/v1{path}"
        query = f"?op=MKDIRS&permission={mode}&user.name={plan.user}"
        OPENER.open(urllib.request.Request(url + query, method="PUT"), timeout=30).close()
