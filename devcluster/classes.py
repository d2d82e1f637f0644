"""Class data sharing: what Java has read, checked and linked of Hadoop once, for all who start.

Most of what a Java of seconds takes is the loading of thousands of classes. The first cluster with
a Java and a Hadoop notes which its commands and a job load; `java -Xshare:dump` makes an archive
of them beside the jars. It serves an equal class path, or one that goes on longer: jars
come first, then folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.layout import alone, class_path, streaming_jar
from devcluster.state import Plan

__all__ = ["FLAGS", "archive_of", "make_archive", "sharing"]

FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # most live for seconds: start fast
    "-XX:-UsePerfData",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",  # all classes are Hadoop's
)
# where it was made for, Java 17 maps it for reading only, and ends by SIGSEGV where it has to write
# into a class of before Java 6; Java 11 knows neither these nor the option
MOVED = ("-XX:+IgnoreUnrecognizedVMOptions", "-XX:ArchiveRelocationMode=1")
LOGS = "classes"
OUTPUT = "output.fileoutputformat"
SECONDS = 600


def archive_of(plan: Plan) -> Path:
    """Return where the archive for a Java and its flags is, or would be."""
    release = plan.java / "release"
    about = release.read_text() if release.exists() else str(plan.java)
    key = hashlib.sha256(" ".join([about, *FLAGS]).encode()).hexdigest()
    return plan.home / f"classes-{key[:16]}.jsa"


def sharing(plan: Plan) -> list[str]:
    """Return the options that map the archive; where none is, that which notes the classes."""
    archive = archive_of(plan)
    if archive.exists():
        return [f"-XX:SharedArchiveFile={archive}", *MOVED]
    return [f"-Xlog:class+load:file={plan.folder / LOGS}/%p.log:none"]


def make_archive(plan: Plan, environment: dict[str, str], daemons: Iterable[int]) -> None:
    """Make the archive from what commands and a job load; no other makes one meanwhile.

    Args:
        plan: of a cluster that runs without.
        environment: of a command.
        daemons: their process ids. What only they load would cost all others memory.

    Raises:
        ClusterError: the job, or Java, failed.
    """
    with alone(plan.home.parent):
        if not archive_of(plan).exists():
            _run_job(plan, environment)
            others = {f"{pid}.log" for pid in daemons}
            logs = [log for log in (plan.folder / LOGS).glob("*.log") if log.name not in others]
            _dump(plan, sorted(set(_loaded(logs))))


def _run_job(plan: Plan, environment: dict[str, str]) -> None:
    hadoop, folder = str(plan.home / "bin" / "hadoop"), f"/tmp/classes-{os.getpid()}"
    compressed = [f"-Dmapreduce.{part}.compress=true" for part in ("map.output", OUTPUT)]
    job = ["jar", str(streaming_jar(plan.home)), *compressed, "-Dmapreduce.job.maps=1"]
    where = ["-input", f"{folder}/in", "-output", f"{folder}/out"]
    for command in (
        ["fs", "-mkdir", folder],
        ["fs", "-put", str(plan.conf / "hosts"), f"{folder}/in"],
        [*job, *where, "-mapper", "cat", "-reducer", "cat"],
        ["fs", "-rm", "-r", "-skipTrash", folder],
    ):
        _run([hadoop, *command], environment)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{' '.join(command[:3])} took over {SECONDS} s") from None
    if done.returncode:
        lines = done.stderr.splitlines() or ["it said nothing"]
        raise ClusterError(f"{' '.join(command[:3])} failed: {lines[-1]}")


def _loaded(logs: Iterable[Path]) -> Iterator[str]:
    """Yield the classes that were read from Java's modules and Hadoop's jars, not those made up."""
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            name, _, source = line.partition(" source: ")
            if "/" not in name and source.startswith(("jrt:", "file:", "shared objects")):
                yield name.replace(".", "/")


def _dump(plan: Plan, names: list[str]) -> None:
    archive, listed = archive_of(plan), plan.folder / LOGS / "list"
    listed.write_text("\n".join([*names, ""]))
    part = archive.with_suffix(".part")
    options = ["-Xshare:dump", f"-XX:SharedClassListFile={listed}", f"-XX:SharedArchiveFile={part}"]
    java = str(plan.java / "bin" / "java")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    _run([java, *FLAGS, *options, "-cp", class_path(plan.home)])
    part.replace(archive)
