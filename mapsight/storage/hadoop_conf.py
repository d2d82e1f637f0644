"""What Hadoop's configuration says: its files, and in a streaming task the job's variables."""

from __future__ import annotations

import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = [
    "HadoopConf",
    "HadoopConfError",
    "conf_folder",
    "default_fs",
    "hadoop_command",
    "history_web_address",
    "in_streaming_task",
    "is_secure",
    "namenode_web_addresses",
    "read_conf",
    "resourcemanager_web_addresses",
]

FILES = ("core-site.xml", "hdfs-site.xml", "mapred-site.xml", "yarn-site.xml")
MAX_BYTES = 4 << 20
"""Of one file; those of large clusters have some 100 kB."""
MAX_ROUNDS = 20
"""Of substitution, as in org.apache.hadoop.conf.Configuration."""
MAX_VALUE = 64 << 10
VARIABLE = re.compile(r"\$\{([^}$\s]+)\}")
ANY_HOST = ("0.0.0.0", "[::]", "")


class HadoopConfError(ValueError):
    """A configuration file that cannot be used; the message names it."""


class HadoopConf(Mapping[str, str]):
    """Properties by name, with `${…}` replaced.

    In a streaming task the variables that Hadoop exports, one for each property
    of the job with `_` for what is no letter or digit, come before the files:
    they hold what the job was submitted with. Only names from files are listed.
    """

    def __init__(self, properties: Mapping[str, str], task: Mapping[str, str] | None = None):
        self._properties, self._task = dict(properties), dict(task or {})

    def __getitem__(self, name: str) -> str:
        value = self._task.get(re.sub(r"[^A-Za-z0-9]", "_", name))
        return self._replaced(self._properties[name]) if value is None else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)

    def _replaced(self, text: str) -> str:
        for _ in range(MAX_ROUNDS):
            replaced = VARIABLE.sub(self._variable, text)
            if replaced == text or len(replaced) > MAX_VALUE:
                break
            text = replaced
        return text

    def _variable(self, match: re.Match[str]) -> str:
        """The value of a variable; one that nobody knows stays as it stands."""
        name = match[1]
        if name.startswith("env."):
            variable, _, default = name[4:].partition(":-")
            return os.environ.get(variable) or default
        if name == "user.name":
            return os.environ.get("HADOOP_USER_NAME") or os.environ.get("USER") or match[0]
        return self._properties.get(name, match[0])


def read_conf() -> HadoopConf:
    """Return the configuration that `hadoop` would use here; empty where there is none.

    Read from $HADOOP_CONF_DIR, else $HADOOP_HOME/etc/hadoop, else
    /etc/hadoop/conf. Later files go before earlier ones; `xi:include` and
    `final` are passed over.

    Raises:
        HadoopConfError: a file is no XML, or larger than 4 MiB.
    """
    folder = conf_folder()
    properties: dict[str, str] = {}
    for name in FILES:
        if (folder / name).is_file():
            properties |= _properties(folder / name)
    return HadoopConf(properties, os.environ if in_streaming_task() else None)


def conf_folder() -> Path:
    """Return where the configuration is looked for."""
    if folder := os.environ.get("HADOOP_CONF_DIR"):
        return Path(folder)
    home = os.environ.get("HADOOP_HOME")
    inside = Path(home, "etc", "hadoop") if home else Path()
    return inside if home and inside.is_dir() else Path("/etc/hadoop/conf")


def _properties(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise HadoopConfError(f"{path}: larger than {MAX_BYTES} bytes")
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise HadoopConfError(f"{path}: no XML: {error}") from error
    pairs = ((p.findtext("name"), p.findtext("value")) for p in root.iter("property"))
    return {name.strip(): value.strip() for name, value in pairs if name and value is not None}


def in_streaming_task() -> bool:
    """Return whether this process is a task of Hadoop Streaming, or its child."""
    return "mapreduce_task_attempt_id" in os.environ


def default_fs(conf: Mapping[str, str]) -> str:
    """Return the address of the default file system, such as `hdfs://namenode:8020`."""
    return conf.get("fs.defaultFS") or conf.get("fs.default.name") or "file:///"


def is_secure(conf: Mapping[str, str]) -> bool:
    """Return whether the cluster asks for Kerberos."""
    return conf.get("hadoop.security.authentication", "simple").lower() == "kerberos"


def namenode_web_addresses(conf: Mapping[str, str], authority: str) -> list[str]:
    """Return where the NameNodes of a file system answer over HTTP, such as `http://host:9870`.

    Args:
        authority: of an `hdfs://` address, a host with or without port or the
            name of a service; empty: that of the default file system.

    With high availability there are several, any of which may be the active one.
    Hosts that the configuration does not know are taken to use the standard ports.
    """
    authority = authority or default_fs(conf).partition("://")[2].partition("/")[0]
    secure = conf.get("dfs.http.policy", "HTTP_ONLY").upper() == "HTTPS_ONLY"
    scheme, port = ("https", 9871) if secure else ("http", 9870)
    key = f"dfs.namenode.{scheme}-address"
    host = _host(authority)
    if authority in _words(conf.get("dfs.nameservices", "")):
        names = _words(conf.get(f"dfs.ha.namenodes.{authority}", ""))
        keys = [f"{key}.{authority}.{name}" for name in names] or [f"{key}.{authority}"]
    else:
        ours = (default_fs(conf), f"hdfs://{conf.get('dfs.namenode.rpc-address', '')}")
        keys = [key] if f"hdfs://{authority}" in (address.rstrip("/") for address in ours) else []
    known = [f"{scheme}://{_of_host(conf[key], host)}" for key in keys if conf.get(key)]
    return known or ([f"{scheme}://{host}:{port}"] if host else [])


def resourcemanager_web_addresses(conf: Mapping[str, str]) -> list[str]:
    """Return where the ResourceManagers answer over HTTP, such as `http://host:8088`."""
    secure = conf.get("yarn.http.policy", "HTTP_ONLY").upper() == "HTTPS_ONLY"
    scheme, kind, port = ("https", "webapp.https", 8090) if secure else ("http", "webapp", 8088)
    ha = conf.get("yarn.resourcemanager.ha.enabled", "false").lower() == "true"
    names = _words(conf.get("yarn.resourcemanager.ha.rm-ids", "")) if ha else []
    found = []
    for ending in [f".{name}" for name in names] or [""]:
        host = conf.get(f"yarn.resourcemanager.hostname{ending}", "" if ending else "localhost")
        address = conf.get(f"yarn.resourcemanager.{kind}.address{ending}") or f"{host}:{port}"
        found.append(f"{scheme}://{_of_host(address, host)}")
    return found


def history_web_address(conf: Mapping[str, str]) -> str:
    """Return where the history of jobs answers over HTTP, such as `http://host:19888`."""
    policy = conf.get("mapreduce.jobhistory.http.policy", "HTTP_ONLY").upper()
    secure = policy == "HTTPS_ONLY"
    scheme, kind, port = ("https", "webapp.https", 19890) if secure else ("http", "webapp", 19888)
    host = _host(conf.get("mapreduce.jobhistory.address", "")) or "localhost"
    address = conf.get(f"mapreduce.jobhistory.{kind}.address") or f"{host}:{port}"
    return f"{scheme}://{_of_host(address, host)}"


def hadoop_command() -> str | None:
    """Return the `hadoop` program: that of $HADOOP_HOME, else the one on PATH."""
    home = os.environ.get("HADOOP_HOME")
    inside = Path(home, "bin", "hadoop") if home else Path()
    return str(inside) if home and inside.is_file() else shutil.which("hadoop")


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def _host(authority: str) -> str:
    """
    >>> _host("namenode:8020"), _host("[::1]:8020"), _host("namenode")
    ('namenode', '[::1]', 'namenode')
    """
    return re.sub(r":\d*$", "", authority) if not authority.endswith("]") else authority


def _of_host(address: str, host: str) -> str:
    """An address; one of every interface is reached at `host`."""
    bound, _, port = address.rpartition(":")
    return f"{host}:{port}" if bound in ANY_HOST and host else address
