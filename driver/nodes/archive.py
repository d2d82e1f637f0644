"""What nodes need beside Python, packed once: an archive named by its content.

Nodes need a Python of the same minor version and nothing else: YARN unpacks the
archive beside each task (`--archives …/env-SHA.tar.gz#env`), and PYTHONPATH names it.
"""

from __future__ import annotations

import errno
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from driver.errors import Failure
from driver.nodes import tree as node_tree
from driver.nodes.pip import index_settings, install, installed_pins, node_requirements
from driver.pipeline.fingerprint import code_digest, reached_modules
from mapsight.application import APPLICATION, LIBRARY, project_file
from mapsight.files import fingerprint, locked, sha256_of, write_whole

__all__ = ["Packed", "cache_folder", "imported_modules", "packed_environment"]

CODE = (
    "driver.nodes.pip:install",
    "driver.nodes.tree:complete",
    "driver.nodes.tree:archive",
    "driver.nodes.archive:_described",
    "driver/nodes/check.py",
)
CHECK = Path(__file__).with_name("check.py")

Say = Callable[[str], object]


@dataclass(frozen=True)
class Packed:
    """The archive and what it is.

    `python` is the minor version that nodes must have, `platform` the machine,
    `glibc` the least version of it, empty where there is none; `packages` are
    `name version`.
    """

    path: Path
    sha256: str
    bytes: int
    python: str
    platform: str
    glibc: str
    packages: tuple[str, ...]


def cache_folder() -> Path:
    """Where archives are kept between runs."""
    return Path.home() / ".cache" / "mapsight" / "environments"


def packed_environment(
    requirements: Sequence[str] | None = None,
    cache: Path | None = None,
    *,
    say: Say,
    extra: Sequence[str] = (),
    refresh: bool = False,
) -> Packed:
    """The archive of what nodes need, for this Python and this kind of machine.

    What is installed here goes in with the same version, so that nodes compute
    what this machine does. It is built once; the same again costs no pip call.

    Args:
        requirements: as pip takes them, markers included; None takes setup.py's.
        cache: a folder that keeps archives; None takes `cache_folder()`.
        say: told in a line what takes time.
        extra: requirements of a runner beside those.
        refresh: build it again.

    Raises:
        Failure: pip, a wheel, the network or space is missing, or tasks cannot
            work with what came.
    """
    wanted = [*(node_requirements() if requirements is None else requirements), *extra]
    cache = cache or cache_folder()
    pins = installed_pins(wanted)
    record = cache / f"{_key(wanted, pins)}.json"
    try:
        with locked(cache / "environments"):
            found = None if refresh else _kept(record)
            return found or _build(wanted, pins, record, say)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "no space is left; packing takes 600 MB" if full else error.strerror or str(error)
        raise Failure(f"{cache}: the environment of nodes cannot be packed: {reason}") from error


def _key(requirements: Sequence[str], pins: Sequence[str]) -> str:
    """What decides the archive, as a number."""
    machine = [platform.python_version(), sysconfig.get_platform(), *platform.libc_ver()]
    how = [index_settings(), code_digest(*CODE)]
    return fingerprint([sorted(requirements), list(pins), machine, how])


def _kept(record: Path) -> Packed | None:
    """The archive that a record tells of, if it is whole."""
    try:
        known = json.loads(record.read_text("utf-8"))
        path = record.with_name(known["path"])
        if sha256_of(path) != known["sha256"]:
            return None
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return Packed(**{**known, "path": path, "packages": tuple(known["packages"])})


def _build(requirements: Sequence[str], pins: Sequence[str], record: Path, say: Say) -> Packed:
    """Build it in a folder of its own; the archive appears whole, its record last."""
    cache = record.parent
    for left in cache.glob("build-*"):  # the lock is held: who made it is dead
        shutil.rmtree(left, ignore_errors=True)
    say("packing the environment of nodes (once, about a minute)")
    with tempfile.TemporaryDirectory(prefix="build-", dir=cache) as scratch:
        folder, part = Path(scratch, "env"), Path(scratch, "env.tar.gz")
        install(requirements, pins, folder)
        node_tree.complete(folder)
        node_tree.archive(folder, part)
        _check(part, Path(scratch, "unpacked"))
        built = _described(folder, part, cache)
        part.replace(built.path)
    document = {**asdict(built), "path": built.path.name}
    write_whole(record, (json.dumps(document, indent=1) + "\n").encode())
    return built


def _described(folder: Path, archive: Path, cache: Path) -> Packed:
    sha256 = sha256_of(archive)
    found = list(importlib.metadata.distributions(path=[str(folder)]))
    names = {f"{each.metadata['Name']} {each.version}" for each in found}
    return Packed(
        path=cache / f"env-{sha256[:16]}.tar.gz",
        sha256=sha256,
        bytes=archive.stat().st_size,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        platform=sysconfig.get_platform(),
        glibc=_least_glibc([each.read_text("WHEEL") or "" for each in found]),
        packages=tuple(sorted(names, key=str.lower)),
    )


def _least_glibc(wheels: Sequence[str]) -> str:
    """The least glibc that all wheels run on, by their tags (PEP 600)."""
    tags = (re.findall(r"manylinux_(\d+)_(\d+)", text) for text in wheels)
    needs = [min((int(major), int(minor)) for major, minor in found) for found in tags if found]
    return ".".join(map(str, max(needs))) if needs else ""


def _check(archive: Path, folder: Path) -> None:
    """Unpack it and import all that tasks import from it and Python's own library alone.

    Raises:
        Failure: something is missing in it.
    """
    with tarfile.open(archive) as tar:
        tar.extractall(folder)
    # of an installed program, jobs and library are not in one folder
    project = os.pathsep.join(dict.fromkeys([str(Path(LIBRARY).parent), APPLICATION]))
    command = [sys.executable, "-I", "-S", "-B", str(CHECK), str(folder), project]
    command += imported_modules()
    clean = {"PATH": os.defpath, "HOME": str(folder)}
    done = subprocess.run(command, env=clean, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.splitlines() or [f"it ended with {done.returncode}"])[-1]
        message = f"tasks cannot work with the packed environment: {reason}"
        raise Failure(message, done.stderr)


def imported_modules() -> list[str]:
    """The jobs, and all of this project that they import."""
    jobs = project_file("mr_jobs").glob("*_*.py")
    return reached_modules(*(f"mr_jobs/{path.name}" for path in jobs))
