"""Documents of stages as runs write them, with what is looked at in each."""

from __future__ import annotations

from typing import Any

from driver.workspace.workspace import Workspace
from mapsight.workspace.workspace import Part

NOTES: dict[str, dict[str, Any]] = {
    "plan": {
        **{key: [] for key in ("files", "urls", "tar", "parquet")},
        "pictures": 0,
        "digest": "",
        "listings": {"files": "f/listing.parquet", "urls": "f/urls.parquet"},
    },
    "ingest": {"shards": []},
    "fetch": {"shards": [], "failed": 0},
    "extract": {"model_file": "model/m.tflite", "classes": []},
    "classify": {"missing": []},
    "vectors": {"rows": 0},
    "cluster": {"history": []},
    "index": {
        **dict.fromkeys(("plain_d", "d", "buckets", "cells", "rows"), 0),
        "dtype": "int16",
        "ids": [],
    },
    "recall": {"table": []},
    "merge": {"sheets": {}},
    "known": {"first": []},
}
MODEL = {"model": "", "precision": "float32", "engine": "litert", "alpha": 1, "resolution": 224}
OPTIONS: dict[str, dict[str, Any]] = {
    "extract": {**MODEL, "image_column": None},
    "classify": {"targets": [], "parents": {}, "diagonal": None},
    "cluster": {"iterations": 1, "tolerance": 0.1},
    "merge": {"options": {"rank_by": "ppi", "order": "desc", "near_model": False}},
}
COUNTERS = {
    "extract": {"images": {"read": 0}},
    "known": {"images": {"known": 0}},
    "duplicates": {"duplicates": {}},
}


def sound(stage: str, folder: str, parts: list[Part], **fields: Any) -> dict[str, Any]:
    """A document that commits a stage; `fields` in the place of those of a run."""
    document = {
        "stage": stage,
        "fingerprint": "",
        "folder": folder,
        "parts": parts,
        "digest": "",
        "inputs": {},
        "options": OPTIONS.get(stage, {}),
        "counters": COUNTERS.get(stage, {}),
        "notes": NOTES.get(stage, {}),
        "seconds": 0.0,
    }
    return document | fields


PARTS = {"part-00000": b"a\n", "part-00001": b"bb\n", "deep/part-00002": b"ccc\n"}


def commit(workspace: Workspace, stage: str, folder: str, parts: dict[str, bytes] = PARTS) -> dict:
    """A stage with parts, committed."""
    for name, data in parts.items():
        put(workspace, f"{stage}/{folder}/{name}", data)
    document = sound(stage, folder, workspace.describe(stage, folder))
    workspace.commit(stage, document)
    return document


def put(workspace: Workspace, name: str, data: bytes = b"x") -> None:
    path = f"{workspace.root}/{name}"
    workspace.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    workspace.fs.pipe_file(path, data)
