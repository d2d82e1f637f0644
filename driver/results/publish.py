"""Results and report, shown in the workspace and copied to where the user wants them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.results.current_duplicates import stages_of_results
from driver.workspace.owned_files import FILES, Source, copy_into, read_record, refuse_foreign

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = ["check_results", "copy_results", "publish_results"]

COPY_LIMIT = 100 << 20
TABLES = ("predictions.parquet", "ranking.parquet", "rejected.csv", "orphans.csv")
ALWAYS = (*TABLES, "classes.csv", "labels.csv", "summary.json")
"""Files of every run's results; whether it has others turns out as it goes."""
PAGE = ("report", "index.html")


def publish_results(workspace: Workspace, folder: str | None) -> tuple[str, str]:
    """Publish `results/` and `report/`, and copy them to a folder, if one is named.

    Returns:
        Where the results are, and the report's page.
    """
    workspace.publish(stages_of_results(workspace), "results")
    workspace.publish(["render"], "report")
    if not folder:
        return workspace.uri("results"), workspace.uri("report", "index.html")
    left = copy_results(workspace, Path(folder))
    if left:
        sys.stderr.write(f"too large to copy to {Path(folder)}: {', '.join(left)}\n")
    return str(Path(folder)), str(Path(folder) / "report" / "index.html")


def check_results(workspace: Workspace, folder: str | None) -> None:
    """Find a user's file where a run will certainly write, before hours of work, not after.

    Raises:
        Failure: there is one; names it.
    """
    if folder:
        places = {name: ("results", name) for name in ALWAYS}
        places |= {"/".join(PAGE): PAGE}
        files = {name: Source(Path(workspace.path(*place))) for name, place in places.items()}
        refuse_foreign(Path(folder), read_record(Path(folder) / FILES), files)


def copy_results(workspace: Workspace, folder: Path) -> list[str]:
    """Copy results and report to a local folder; names of files left out for their size.

    Raises:
        Failure: a part has changed since it was made, or would replace a file that Mapsight has
            not written.
    """
    left, files = [], {}
    places = [(stage, "") for stage in stages_of_results(workspace)]
    for stage, below in (*places, ("render", "report/")):
        document = workspace.required(stage)
        large = _large(document)
        left += sorted(large)
        for name, source in _local_sources(workspace, stage):
            if _table(name) not in large:
                files[f"{below}{name}"] = source
    copy_into(folder, files)
    return left


def _large(document: dict[str, Any]) -> set[str]:
    """Return the files and tables of a stage that are too large to copy."""
    sizes: Counter[str] = Counter()
    for part in document["parts"]:
        sizes[_table(part["name"][len(document["folder"]) + 1 :])] += part["bytes"]
    return {name for name, size in sizes.items() if size > COPY_LIMIT}


def _table(name: str) -> str:
    """Return the name of the table that a file is a part of, or its own."""
    folder = name.split("/")[0]
    return folder if folder in TABLES else name


def _local_sources(workspace: Workspace, stage: str) -> Iterator[tuple[str, Source]]:
    """(name, file) of a stage's parts on this machine; those of a remote workspace are copied."""
    if workspace.local:
        yield from workspace.sources(stage)
        return
    document = workspace.required(stage)
    workspace.verify(document)
    skip, large = len(document["folder"]) + 1, _large(document)
    for part, address in zip(document["parts"], workspace.parts(stage), strict=True):
        path = workspace.scratch / "copied" / stage / part["name"]
        if _table(part["name"][skip:]) not in large:
            path.parent.mkdir(parents=True, exist_ok=True)
            workspace.fetch(address, path)
        yield part["name"][skip:], Source(path)
