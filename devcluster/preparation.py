"""The folder of a cluster before its first daemon: files of settings, and an empty file system."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from devcluster import daemons
from devcluster.addresses import MASTER, node_address
from devcluster.configuration import client_settings, java_flags, node_settings
from devcluster.errors import ClusterError
from devcluster.layout import class_path
from devcluster.state import Plan

__all__ = ["prepare", "write_options"]

LOG4J = """\
hadoop.root.logger=INFO,console
hadoop.log.file=hadoop.log
log4j.rootLogger=${hadoop.root.logger}
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=${hadoop.log.file}
log4j.appender.file.MaxFileSize=16MB
log4j.appender.file.MaxBackupIndex=2
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
"""


def prepare(plan: Plan) -> None:
    """Write the settings, and make the file system where there is none.

    Raises:
        ClusterError: the NameNode could not make it, and why.
    """
    for folder in (plan.conf, plan.logs, plan.folder / "tmp", plan.folder / "classes"):
        folder.mkdir(exist_ok=True)
    _write(plan.conf, client_settings(plan))
    for index in range(plan.nodes):
        _write(plan.node_conf(index), node_settings(plan, index))
    (plan.conf / "log4j.properties").write_text(LOG4J)
    write_options(plan)
    hosts = [f"{MASTER} localhost {socket.gethostname()}"]
    hosts += [f"{node_address(index)} {node_address(index)}" for index in range(plan.nodes)]
    (plan.conf / "hosts").write_text("\n".join([*hosts, ""]))
    if not (plan.folder / "name" / "current" / "VERSION").exists():
        _format(plan)


def write_options(plan: Plan) -> None:
    """Write what every Java is started with: the daemons and commands, and the containers.

    A container's class path goes on with what YARN puts before: its own folder, and its job's jar.
    """
    flags, jars = java_flags(plan), class_path(plan.home, plan.conf)
    job = [f"job.jar/{name}" for name in ("*", "classes/", "lib/*")]
    files = {
        "jvm.options": [*flags, f"-Djava.io.tmpdir={plan.folder}/tmp"],
        "task.options": [*flags, "-cp", ":".join([jars, *job, ".", "./*"])],
        "class.path": [jars],
    }
    for name, lines in files.items():
        (plan.conf / name).write_text("\n".join([*lines, ""]))


def _write(folder: Path, files: Mapping[str, Mapping[str, object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, settings in files.items():
        (folder / f"{name}.xml").write_text(_xml(settings))


def _xml(settings: Mapping[str, object]) -> str:
    rows = (
        f"<property><name>{name}</name><value>{escape(str(value))}</value></property>"
        for name, value in settings.items()
    )
    return "\n".join(['<?xml version="1.0"?>', "<configuration>", *rows, "</configuration>", ""])


def _format(plan: Plan) -> None:
    arguments = ("-format", "-force", "-nonInteractive")
    with daemons.log_file(plan, "namenode", "out").open("ab") as output:
        done = subprocess.run(
            daemons.command(plan, "namenode", *arguments),
            env=daemons.environment(plan, "namenode"),
            stdout=output,
            stderr=output,
        )
    if done.returncode:
        raise ClusterError(f"HDFS cannot be made: {daemons.reason(plan, 'namenode')}")
