"""Fingerprints: what decides a stage's outcome, as one number."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "code_digest", "fingerprint", "shipped", "sources"]

ROOT = Path(__file__).resolve().parents[2]


def shipped(name: str) -> Path | None:
    """A file that comes with the project: in the checkout, or wherever it was installed."""
    if (ROOT / name).is_file():
        return ROOT / name
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("mapsight") or ():
            if file.as_posix().endswith(f"share/mapsight/{name}"):
                return Path(str(file.locate())).resolve()
    return None


def fingerprint(document: Any) -> str:
    """Sixteen hex digits that change with anything in a JSON document."""
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def code_digest(*roots: str) -> str:
    """A digest of source files and of all of this project's modules they import.

    Args:
        roots: paths relative to the project, such as `mr_jobs/rank_images.py`.
    """
    digest = hashlib.sha256()
    for path in sources(*roots):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def sources(*roots: str) -> list[Path]:
    """Source files and all of this project's modules they import, sorted."""
    todo, seen = [ROOT / root for root in roots], set[Path]()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_imports(path))
    return sorted(seen)


def _imports(path: Path) -> list[Path]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())) if path.suffix == ".py" else ():
        if isinstance(node, ast.ImportFrom) and node.module:
            # what is imported from a package may be a module itself
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
    found = []
    for name in names:
        module = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith("mapsight.") and module.is_file():
            found.append(module)
    return found
