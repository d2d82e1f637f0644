"""The files of a packed environment: which of them nodes need, and their archive."""

from __future__ import annotations

import fnmatch
import gzip
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from driver.errors import Failure

__all__ = ["LEFT_OUT", "archive", "complete", "is_archive", "members"]

LEFT_OUT = (
    # of the machine that packs: paths, compiled files, programs, records of the installer
    *("__pycache__/*", "*/__pycache__/*", "*.pyc", "*.pth", "bin/*"),
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")),
    # for compilers and type checkers
    *("*.pyi", "*.pxi", "*.pxd", "*.pyx", "*.h", "*.hpp", "*.a"),
    *("pyarrow/include/*", "pyarrow/src/*", "numpy/*/include/*"),
    # tests
    *("numpy/tests/*", "numpy/*/tests/*", "pyarrow/tests/*", "pyarrow/_pyarrow_cpp_tests.*"),
    *("fsspec/tests/*", "mrjob/examples/*"),
    # RPC between servers, and stores that are read through fsspec
    *("pyarrow/*flight*", "pyarrow/libarrow_s3.*", "pyarrow/_s3fs.*"),
    # other names of libarrow_python.so.N
    *("pyarrow/libarrow_python*.so", "pyarrow/libarrow_python*.so.*.*.*"),
    # LiteRT on other hardware than CPUs, and its command-line programs
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    *("ai_edge_litert/vendors/*", "ai_edge_litert/tools/*", "ai_edge_litert/aot/*"),
)
"""Names relative to the environment, as `fnmatch` has them: `*` crosses folders."""

LEVEL = 6
GZIP = 16 + zlib.MAX_WBITS
EPOCH = 315532800  # 1980-01-01, the least that zip knows


def complete(folder: Path) -> None:
    """Put `distutils` beside `setuptools` where Python has none of its own.

    pip leaves it to a .pth file, which Python does not read on PYTHONPATH.
    """
    own = folder / "setuptools" / "_distutils"
    if own.is_dir() and not (folder / "distutils").exists():
        shutil.copytree(own, folder / "distutils")


def members(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, file) of what nodes need, sorted by name.

    Raises:
        Failure: there is a link or a special file, which would not survive the journey.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT_OUT):
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise Failure(f"{name} is not a plain file and cannot be sent to nodes")
        if path.is_file():
            yield name, path


def is_archive(head: bytes) -> bool:
    """Return whether a file begins as those that `archive` writes: with neither owner nor time."""
    try:
        first = zlib.decompressobj(GZIP).decompress(head, tarfile.BLOCKSIZE)
        entry = tarfile.TarInfo.frombuf(first, "utf-8", "surrogateescape")
    except (zlib.error, tarfile.TarError):
        return False
    return entry.mtime == EPOCH and not entry.uname


def archive(folder: Path, target: Path) -> None:
    """Write a .tar.gz of `members`: equal contents give equal bytes.

    It holds plain files only, mode 644, with neither owner nor time, so every
    file is one's own copy and no name leads out of it.
    """
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in members(folder):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o644, EPOCH
            with path.open("rb") as content:
                tar.addfile(entry, content)
