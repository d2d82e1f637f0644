"""HDFS from Python, in the driver and in tasks, by whatever way there is here."""

from __future__ import annotations

import functools
import getpass
import logging
import os
from typing import Any

from mapsight.storage.hadoop_conf import (
    HadoopConf,
    conf_folder,
    default_fs,
    hadoop_command,
    is_secure,
    namenode_web_addresses,
    read_conf,
)

__all__ = ["hdfs_file_system", "resolve_hdfs"]

WAYS = ("libhdfs", "webhdfs", "command")
VARIABLES = (
    "MAPSIGHT_HDFS",
    "HADOOP_CONF_DIR",
    "HADOOP_HOME",
    "HADOOP_USER_NAME",
    "HADOOP_TOKEN_FILE_LOCATION",
)
log = logging.getLogger(__name__)


def resolve_hdfs(uri: str) -> tuple[Any, str]:
    """Return (file system, path) of an `hdfs://` address, in which every character is itself."""
    authority = uri.removeprefix("hdfs://").partition("/")[0]
    file_system = hdfs_file_system(authority)
    return file_system, file_system._strip_protocol(uri)


def hdfs_file_system(authority: str = "") -> Any:
    """Return an fsspec file system for `hdfs://authority/…`, made once a process.

    | way | needs | Kerberos | standby NameNodes |
    |---|---|---|---|
    | libhdfs | libhdfs.so and Java here | the library's, also a task's tokens | the library's |
    | webhdfs | the NameNode's web port | a ticket and requests-kerberos | each is asked |
    | command | `hadoop` here | the program's, also a task's tokens | the program's |

    The first that can be used is, `$MAPSIGHT_HDFS` names another. WebHDFS is no
    way in a task of a cluster with Kerberos: there are tokens there and no ticket.

    Args:
        authority: `host:port` or the name of a service; empty: that of fs.defaultFS.

    Raises:
        OSError, ImportError, ValueError: no way leads there; says which were tried.
    """
    here = tuple(os.environ.get(name, "") for name in VARIABLES)
    return _file_system(authority, here, os.getpid())


@functools.lru_cache(maxsize=32)
def _file_system(authority: str, here: tuple[str, ...], process: int) -> Any:
    conf = read_conf()
    if not authority and not default_fs(conf).startswith("hdfs://"):
        folder = conf_folder()
        known = (folder / "core-site.xml").is_file()
        why = f"fs.defaultFS is {default_fs(conf)}" if known else f"{folder} has no core-site.xml"
        text = f"hdfs:///: which one? {why}; write hdfs://HOST:PORT/…"
        raise ValueError(f"{text} or set HADOOP_CONF_DIR")
    if here[0]:
        if here[0] not in WAYS:
            raise ValueError(f"MAPSIGHT_HDFS={here[0]}: must be one of {', '.join(WAYS)}")
        return _by(here[0], authority, conf)
    return _first(authority, conf)


def _first(authority: str, conf: HadoopConf) -> Any:
    problems = []
    for way in WAYS:
        if reason := _obstacle(way, authority, conf):
            problems.append(f"{way}: {reason}")
            continue
        try:
            file_system = _by(way, authority, conf)
            if way != "webhdfs" or file_system.answers():
                return file_system
            problems.append("webhdfs: no NameNode answers")
        except (ImportError, ConnectionError) as error:
            problems.append(f"{way}: {error}")
        except OSError as error:
            if way != "libhdfs":
                raise
            problems.append(f"{way}: {error}")
        log.warning("%s", problems[-1])
    raise ConnectionError(f"hdfs://{authority}: cannot be reached ({'; '.join(problems)})")


def _obstacle(way: str, authority: str, conf: HadoopConf) -> str:
    """Why a way is not worth a try, or nothing."""
    from mapsight.storage.hdfs_native import find_library

    if way == "libhdfs":
        return "" if find_library() else "no libhdfs.so"
    if way == "command":
        return "" if hadoop_command() else "no hadoop on PATH or in HADOOP_HOME"
    if conf.get("dfs.webhdfs.enabled", "true").lower() == "false":
        return "switched off"
    if is_secure(conf) and os.environ.get("HADOOP_TOKEN_FILE_LOCATION"):
        return "a task has no Kerberos ticket"
    return "" if namenode_web_addresses(conf, authority) else "no address of a NameNode"


def _by(way: str, authority: str, conf: HadoopConf) -> Any:
    if way == "libhdfs":
        from mapsight.storage.hdfs_native import connect

        return connect(authority, conf)
    if way == "command":
        from mapsight.storage.hdfs_command import CommandHdfs

        command = hadoop_command()
        if command is None:
            raise FileNotFoundError("no hadoop command; put it on PATH or set HADOOP_HOME")
        return CommandHdfs(authority, command)
    from mapsight.storage.webhdfs import WebHdfs

    user = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
    addresses = tuple(namenode_web_addresses(conf, authority))
    return WebHdfs(authority, addresses, user, is_secure(conf))
