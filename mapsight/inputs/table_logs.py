"""Folders that are tables: Delta's log names their files; Iceberg and Hudi are refused.

Such a folder holds files that are no part of the table any more, until somebody cleans it.
Delta's protocol: github.com/delta-io/delta, `PROTOCOL.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote

__all__ = ["MOST_FILES", "TableError", "delta_files", "refuse_tables"]

MOST_FILES = 1_000_000
LINE_BYTES = 16 << 20
COMMIT = re.compile(r"(\d+)\.json")
CHECKPOINT = re.compile(r"(\d+)\.checkpoint(\.\d+\.\d+)?\.parquet")
ICEBERG = re.compile(r"(v\d+|\d{5}-[0-9a-f-]{36})(\.gz)?\.metadata\.json")
EXPORT = "write its rows to a new folder as Parquet and name that"

Action = dict[str, Any]


class TableError(ValueError):
    """A table whose present files cannot be told."""


def refuse_tables(file_system: Any, folder: str, names: Collection[str]) -> None:
    """Raise TableError for a folder of an Iceberg or Hudi table."""
    if ".hoodie" in names:
        raise TableError(f"a Hudi table, whose folder also holds rows of the past; {EXPORT}")
    if {"metadata", "data"} <= set(names):
        inside = (str(path) for path in file_system.ls(f"{folder}/metadata", detail=False))
        if any(ICEBERG.fullmatch(path.rsplit("/", 1)[-1]) for path in inside):
            raise TableError(
                f"an Iceberg table, whose folder also holds rows of the past; {EXPORT}"
            )


def delta_files(file_system: Any, folder: str) -> list[str]:
    """Return the files of a Delta table as it is now, relative to its folder, sorted.

    Memory: their names, MOST_FILES at most.

    Raises:
        TableError: the log has gaps, or says what is not understood.
    """
    files: set[str] = set()
    for action in _actions(file_system, f"{folder}/_delta_log"):
        added, removed = action.get("add"), action.get("remove")
        if isinstance(removed, dict) and isinstance(removed.get("path"), str):
            files.discard(_relative(removed["path"]))
        if isinstance(added, dict) and isinstance(added.get("path"), str):
            if added.get("deletionVector") is not None:
                raise TableError(f"a Delta table with deletion vectors; {EXPORT}")
            files.add(_relative(added["path"]))
        if action.get("sidecar"):
            raise TableError(f"a Delta table with sidecar files; {EXPORT}")
        if len(files) > MOST_FILES:
            raise TableError(f"a Delta table of more than {MOST_FILES:,} files; {EXPORT}")
    return sorted(files)


def _relative(path: str) -> str:
    name = unquote(path)
    if "://" in name or name.startswith("/") or ".." in name.split("/"):
        raise TableError(f"a Delta table with a file outside of it ({name[:100]}); {EXPORT}")
    return name


def _actions(file_system: Any, log: str) -> Iterator[Action]:
    """Yield what the latest checkpoint and the commits after it say, in order."""
    names = sorted(str(path).rsplit("/", 1)[-1] for path in file_system.ls(log, detail=False))
    commits = {int(match[1]): name for name in names if (match := COMMIT.fullmatch(name))}
    checkpoints: dict[int, list[str]] = {}
    for name in names:
        if match := CHECKPOINT.fullmatch(name):
            checkpoints.setdefault(int(match[1]), []).append(name)
    latest = max(checkpoints, default=-1)
    for name in checkpoints.get(latest, ()):
        yield from _rows(file_system, f"{log}/{name}")
    later = sorted(version for version in commits if version > latest)
    if later != list(range(latest + 1, latest + 1 + len(later))) or (latest < 0 and not later):
        raise TableError(f"a Delta table with gaps in its log; {EXPORT}")
    for version in later:
        yield from _lines(file_system, f"{log}/{commits[version]}")


def _rows(file_system: Any, path: str) -> Iterator[Action]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file_system.open(path, "rb") as handle:
            file = pq.ParquetFile(handle)
            names = [
                name for name in ("add", "remove", "sidecar") if name in file.schema_arrow.names
            ]
            for batch in file.iter_batches(1024, columns=names):
                yield from batch.to_pylist()
    except (pa.ArrowException, ValueError) as error:
        raise TableError(f"a Delta table whose checkpoint cannot be read: {error}") from None


def _lines(file_system: Any, path: str) -> Iterator[Action]:
    with file_system.open(path, "rb") as handle:
        while line := handle.readline(LINE_BYTES):
            try:
                action = json.loads(line) if line.strip() else {}
            except (ValueError, RecursionError):
                action = None
            if not isinstance(action, dict):
                raise TableError("a Delta table whose log is damaged")
            yield action
