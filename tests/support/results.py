"""What a workspace holds after a run, as files and as it is opened from Python."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from mapsight.opened import OpenedWorkspace
from mapsight.storage.uri import resolve

SHOWN = {"results", "report", "copy"}


def hashes(workspace: Path) -> dict[str, str]:
    files = (workspace / "results").iterdir()
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "summary.json"
    }


def summary(workspace: Path) -> dict:
    return json.loads((workspace / "results" / "summary.json").read_text())


def stages_run(workspace: Path, before: dict[str, str]) -> list[str]:
    return [name for name, run in runs(workspace).items() if before.get(name) != run]


def runs(workspace: Path) -> dict[str, str]:
    """Which run made each stage."""
    documents = (json.loads(p.read_text()) for p in workspace.glob("*/stage.json"))
    return {document["stage"]: document["run"] for document in documents}


def pictures_of(workspace: OpenedWorkspace) -> dict[str, bytes]:
    """Return the bytes of a picture of each format."""
    rows = workspace.predictions(["image_id", "format"]).to_pylist()
    return {row["format"]: workspace.picture(row["image_id"]) for row in rows}


def everything(workspace: OpenedWorkspace) -> dict[str, Any]:
    """Return tables, vectors, pictures and answers by name."""
    return dict(_everything(workspace))


def _everything(workspace: OpenedWorkspace) -> Iterator[tuple[str, Any]]:
    yield "summary", workspace.summary
    for name in ("predictions", "ranking", "rejected", "accuracy"):
        yield name, getattr(workspace, name)()
    yield "batches", pa.Table.from_batches(workspace.ranking_batches("*"))
    ids, x = workspace.features()
    yield "features", (ids, x.tolist(), workspace.features(ids[:2])[1].tolist())
    yield "pictures", pictures_of(workspace)
    yield "small", workspace.thumbnail(ids[0], 20)
    for by in ("index", "features", "label"):
        yield by, workspace.search_many(ids[:2], 5, by=by)


def upload(workspace: Path, address: str) -> None:
    """Copy a workspace to another place, without what is copied for people."""
    file_system, path = resolve(address)
    for file in filter(Path.is_file, workspace.rglob("*")):
        inside = file.relative_to(workspace)
        if inside.parts[0] not in SHOWN:
            file_system.makedirs(f"{path}/{inside.parent}".rstrip("./"), exist_ok=True)
            file_system.put_file(str(file), f"{path}/{inside}")
