"""The settings of every daemon and client."""

from __future__ import annotations

from devcluster.addresses import MASTER, master_port, node_address, node_port
from devcluster.classes import FLAGS, sharing
from devcluster.state import Plan

__all__ = ["client_settings", "java_flags", "node_settings"]

REMOTE_LOGS = "/tmp/logs"  # in HDFS
STAGING = "/tmp/hadoop-yarn/staging"  # in HDFS, where mrjob looks for history
MEMORY_STEP_MB = 256
Settings = dict[str, object]


def java_flags(plan: Plan) -> list[str]:
    """What every Java of the cluster is started with."""
    return [
        "--add-opens=java.base/java.lang=ALL-UNNAMED",  # Hadoop 3.3 looks into what Java 17 shuts
        # names are not asked of the machine's resolver: what it says of 127.0.0.2, and of the
        # machine's own name, differs from machine to machine
        f"-Djdk.net.hosts.file={plan.conf}/hosts",
        "-Djava.net.preferIPv4Stack=true",
        *FLAGS,
        *sharing(plan),
    ]


def _core(plan: Plan) -> Settings:
    return {
        "fs.defaultFS": f"hdfs://{MASTER}:{master_port(plan.first_port, 'namenode')}",
        "hadoop.tmp.dir": plan.folder / "tmp",
        "hadoop.http.staticuser.user": plan.user,
        # who has gone is found out soon, and nobody is asked for minutes
        "ipc.client.connect.timeout": 5000,
        "ipc.client.connect.max.retries.on.timeouts": 3,
        "ipc.client.connect.max.retries": 5,
    }


def _hdfs(plan: Plan) -> Settings:
    port = plan.first_port
    return {
        "dfs.namenode.rpc-address": f"{MASTER}:{master_port(port, 'namenode')}",
        "dfs.namenode.http-address": f"{MASTER}:{master_port(port, 'namenode web')}",
        "dfs.namenode.name.dir": (plan.folder / "name").as_uri(),
        "dfs.namenode.handler.count": 5,
        "dfs.replication": plan.nodes,
        "dfs.webhdfs.enabled": "true",
        "dfs.permissions.superusergroup": plan.user,
        # it is ready when all nodes are there, and then at once
        "dfs.namenode.safemode.min.datanodes": plan.nodes,
        "dfs.namenode.safemode.extension": 0,
        # a DataNode is avoided after 6 s of silence, dead after 2 × 5 s + 10 × 1 s
        "dfs.heartbeat.interval": 1,
        "dfs.namenode.heartbeat.recheck-interval": 5000,
        "dfs.namenode.stale.datanode.interval": 6000,
        "dfs.namenode.avoid.read.stale.datanode": "true",
        "dfs.namenode.avoid.write.stale.datanode": "true",
        "dfs.client.socket-timeout": 20000,
        "dfs.datanode.socket.write.timeout": 20000,
        # there is no other node to put into a broken pipeline
        "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER",
        # to the NameNode all come from 127.0.0.1, so it must believe what they call themselves
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        "dfs.client.use.datanode.hostname": "true",
        "dfs.datanode.use.datanode.hostname": "true",
    }


def _hdfs_node(plan: Plan, index: int) -> Settings:
    address, port = node_address(index), plan.first_port
    return {
        "dfs.datanode.hostname": address,
        "dfs.datanode.address": f"{address}:{node_port(port, index, 'datanode')}",
        "dfs.datanode.http.address": f"{address}:{node_port(port, index, 'datanode web')}",
        "dfs.datanode.ipc.address": f"{address}:{node_port(port, index, 'datanode ipc')}",
        "dfs.datanode.data.dir": (plan.node_folder(index) / "data").as_uri(),
        "dfs.datanode.handler.count": 3,
    }


def _yarn(plan: Plan) -> Settings:
    def at(name: str) -> str:
        return f"{MASTER}:{master_port(plan.first_port, name)}"

    return {
        "yarn.resourcemanager.hostname": MASTER,
        "yarn.resourcemanager.address": at("resourcemanager"),
        "yarn.resourcemanager.scheduler.address": at("resourcemanager scheduler"),
        "yarn.resourcemanager.resource-tracker.address": at("resourcemanager tracker"),
        "yarn.resourcemanager.admin.address": at("resourcemanager admin"),
        "yarn.resourcemanager.webapp.address": at("resourcemanager web"),
        # a container is given out, and its end seen, with a heartbeat
        "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 200,
        "yarn.scheduler.minimum-allocation-mb": MEMORY_STEP_MB,
        "yarn.scheduler.maximum-allocation-mb": plan.memory_mb,
        "yarn.scheduler.maximum-allocation-vcores": plan.vcores,
        "yarn.application.classpath": plan.class_path,
        # a node is lost after 12 s of silence, and the master of a job with it; one whose node
        # speaks may take longer to start where the machine is busy
        "yarn.nm.liveness-monitor.expiry-interval-ms": 12000,
        "yarn.am.liveness-monitor.expiry-interval-ms": 60000,
        "yarn.client.nodemanager-connect.max-wait-ms": 10000,
        "yarn.client.nodemanager-connect.retry-interval-ms": 1000,
        "yarn.resourcemanager.connect.max-wait.ms": 30000,
        "yarn.resourcemanager.connect.retry-interval.ms": 1000,
        "yarn.node-attribute.fs-store.root-dir": (plan.folder / "tmp" / "attributes").as_uri(),
        "yarn.log-aggregation-enable": "true",
        "yarn.nodemanager.remote-app-log-dir": REMOTE_LOGS,
        "yarn.log.server.url": f"http://{at('historyserver web')}/jobhistory/logs",
    }


def _yarn_node(plan: Plan, index: int) -> Settings:
    address, folder = node_address(index), plan.node_folder(index)

    def at(name: str) -> str:
        return f"{address}:{node_port(plan.first_port, index, name)}"

    return {
        "yarn.nodemanager.hostname": address,
        "yarn.nodemanager.address": at("nodemanager"),
        "yarn.nodemanager.localizer.address": at("nodemanager localizer"),
        "yarn.nodemanager.webapp.address": at("nodemanager web"),
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.resourcemanager.connect.max-wait.ms": 120000,  # it may start before the other
        "yarn.nodemanager.local-dirs": folder / "local",
        "yarn.nodemanager.log-dirs": folder / "containers",
        "yarn.nodemanager.resource.memory-mb": plan.memory_mb,
        "yarn.nodemanager.resource.cpu-vcores": plan.vcores,
        # all that containers have of a daemon's environment; without PATH their shell makes one up
        "yarn.nodemanager.env-whitelist": "JAVA_HOME",
        "yarn.nodemanager.admin-env": f"MALLOC_ARENA_MAX=2,PATH={plan.path}",
        # a container that takes more than it was given is killed, and soon
        "yarn.nodemanager.pmem-check-enabled": "true",
        # by looking at its processes: 3.3.4 leaves that out where it believes in cgroups, and it
        # does so by default, though nothing has set them up
        "yarn.nodemanager.resource.memory.enforced": "false",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.container-monitor.interval-ms": 1000,
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 99.5,
        "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb": 100,
    }


def _mapred(plan: Plan) -> Settings:
    def at(name: str) -> str:
        return f"{MASTER}:{master_port(plan.first_port, name)}"

    flags = f"@{plan.conf}/task.options"
    return {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": plan.class_path,
        "mapreduce.jobhistory.address": at("historyserver"),
        "mapreduce.jobhistory.admin.address": at("historyserver admin"),
        "mapreduce.jobhistory.webapp.address": at("historyserver web"),
        "yarn.app.mapreduce.am.staging-dir": STAGING,
        # as the administrator's options: a job that sets its own memory does not lose them
        "yarn.app.mapreduce.am.admin-command-opts": flags,
        "mapreduce.admin.map.child.java.opts": flags,
        "mapreduce.admin.reduce.child.java.opts": flags,
        "yarn.app.mapreduce.am.resource.mb": 1536,
        "yarn.app.mapreduce.am.command-opts": "-Xmx512m",
        "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": 200,
        "mapreduce.client.progressmonitor.pollinterval": 500,
        "mapreduce.map.memory.mb": 1024,
        "mapreduce.map.java.opts": "-Xmx256m",
        "mapreduce.reduce.memory.mb": 1024,
        "mapreduce.reduce.java.opts": "-Xmx256m",
        "mapreduce.task.io.sort.mb": 64,
        # the nodes are one machine: where a task is slow, its double makes all slower
        "mapreduce.map.speculative": "false",
        "mapreduce.reduce.speculative": "false",
        # a reducer that waits would hold the place of a map
        "mapreduce.job.reduce.slowstart.completedmaps": 1.0,
        "mapreduce.reduce.shuffle.connect.timeout": 10000,
        "mapreduce.reduce.shuffle.read.timeout": 20000,
    }


def _mapred_node(plan: Plan, index: int) -> Settings:
    return {"mapreduce.shuffle.port": node_port(plan.first_port, index, "nodemanager shuffle")}


def _scheduler() -> Settings:
    prefix = "yarn.scheduler.capacity"
    dominant = "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"
    return {
        f"{prefix}.root.queues": "default",
        f"{prefix}.root.default.capacity": 100,
        f"{prefix}.maximum-am-resource-percent": 0.5,
        f"{prefix}.resource-calculator": dominant,  # so that vcores count
        # a container a heartbeat: work spreads over the nodes
        f"{prefix}.per-node-heartbeat.multiple-assignments-enabled": "false",
    }


def client_settings(plan: Plan) -> dict[str, Settings]:
    """The settings by the names of their files; the masters have the same."""
    return {
        "core-site": _core(plan),
        "hdfs-site": _hdfs(plan),
        "yarn-site": _yarn(plan),
        "mapred-site": _mapred(plan),
        "capacity-scheduler": _scheduler(),
    }


def node_settings(plan: Plan, index: int) -> dict[str, Settings]:
    """The settings of a node that are not those of the clients."""
    return {
        "hdfs-site": _hdfs(plan) | _hdfs_node(plan, index),
        "yarn-site": _yarn(plan) | _yarn_node(plan, index),
        "mapred-site": _mapred(plan) | _mapred_node(plan, index),
    }
