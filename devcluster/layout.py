"""HADOOP_HOME: the jars that Maven brings, laid out as programs expect them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from devcluster.errors import ClusterError

__all__ = [
    "alone",
    "class_path",
    "ensure_hadoop",
    "java_home",
    "need_space",
    "need_tools",
    "streaming_jar",
]

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
JAVA_VERSIONS = (11, 17)
HADOOP_BYTES = 400 * 2**20
COMMANDS = ("hadoop", "hdfs", "yarn", "mapred")
# the jars lack these folders, and without them no HDFS daemon opens its web port
WEB_APPLICATIONS = ("hdfs", "datanode")


def _executable(name: str) -> Path | None:
    home = os.environ.get("JAVA_HOME") if name == "java" else None
    found = shutil.which(name, path=f"{home}/bin") if home else shutil.which(name)
    return Path(found) if found else None


def java_home() -> Path:
    """The folder of the Java that $JAVA_HOME or PATH names.

    Raises:
        ClusterError: there is none, or it is of a version that Hadoop 3.3 does not run on.
    """
    java = _executable("java")
    wanted = " or ".join(map(str, JAVA_VERSIONS))
    if java is None:
        place = f"in JAVA_HOME={os.environ['JAVA_HOME']}" if os.getenv("JAVA_HOME") else "on PATH"
        raise ClusterError(f"no java {place}: Hadoop needs Java {wanted}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) not in JAVA_VERSIONS:
        found = f"version {version[1]}" if version else f"said {said[:100]!r}"
        raise ClusterError(f"Hadoop needs Java {wanted} and {java} is {found}: set JAVA_HOME")
    return java.resolve().parent.parent


def need_space(folder: Path, needed: int) -> None:
    """Make the folder, and see that its disk has room.

    Raises:
        ClusterError: it has not, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ClusterError(f"cannot use {folder}: {error.strerror}") from None
    if free < needed:
        raise ClusterError(f"{folder} has {free >> 20} MiB free and {needed >> 20} MiB are needed")


def ensure_hadoop(say: Callable[[str], None]) -> Path:
    """HADOOP_HOME in the user's cache folder; brought by Maven where it is not there yet.

    Raises:
        ClusterError: there is no Maven, no room, or Maven failed.
    """
    home = _home()
    with alone(home.parent):
        if not _is_complete(home):
            need_tools()
            say(f"Maven brings Hadoop (88 MB) into {home}")
            _bring(home)
        _put_commands(home)
    return home


def need_tools() -> None:
    """Raise ClusterError unless there is a Java, and Maven if it is still needed."""
    java_home()
    if not _is_complete(_home()) and _executable("mvn") is None:
        raise ClusterError("no mvn on PATH: Maven is needed once, to bring Hadoop")


def _home() -> Path:
    version = re.search("<hadoop.version>(.+)</hadoop.version>", POM.read_text())
    assert version
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").resolve()
    return cache / "mapsight" / f"hadoop-{version[1]}"


def _key() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


@contextlib.contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Be the only one who changes what is kept of Hadoop; waits for others."""
    need_space(cache, 0)
    with (cache / "hadoop.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_complete(home: Path) -> bool:
    complete = home / "complete"
    return complete.is_file() and complete.read_text() == _key()


def _bring(home: Path) -> None:
    """Fill a folder beside it and rename that, so that what is there is whole."""
    part = home.with_name(home.name + ".part")
    for old in (part, home):
        if old.exists():
            shutil.rmtree(old)
    need_space(part, HADOOP_BYTES)
    for name in WEB_APPLICATIONS:
        (part / "webapps" / name).mkdir(parents=True)
    _copy_dependencies(part / "share" / "hadoop" / "lib")
    (part / "complete").write_text(_key())
    part.rename(home)


def _copy_dependencies(folder: Path) -> None:
    # Maven only warns of a wrong checksum unless it is told to be strict
    command = ["mvn", "--batch-mode", "--strict-checksums", "--file", str(POM)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    environment = {**os.environ, "JAVA_HOME": str(java_home())}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
        raise ClusterError(f"Maven failed: {(lines or ['no reason given'])[0]}")


def _put_commands(home: Path) -> None:
    """The commands as this version of the project has them, also in an older cache."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    for name in COMMANDS:
        new = folder / f".{name}"
        shutil.copy(HERE / "bin" / "hadoop", new)
        new.replace(folder / name)


def class_path(home: Path, *settings: Path) -> str:
    """The class path of a Java: all jars by name, in an order that stays, then folders."""
    jars = sorted((home / "share" / "hadoop" / "lib").glob("*.jar"))
    return ":".join(map(str, [*jars, *settings, home] if settings else jars))


def streaming_jar(home: Path) -> Path:
    """The jar of Hadoop Streaming."""
    return next((home / "share" / "hadoop" / "lib").glob("hadoop-streaming-*.jar"))
