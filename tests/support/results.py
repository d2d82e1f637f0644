"""What a workspace holds after a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


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
