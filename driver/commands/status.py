"""The command status: what is done in a workspace."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from driver.errors import Failure
from driver.options.groups import add_program_options, add_workspace_option, usual_workspace
from driver.text_table import table_lines
from mapsight.workspace.stage_names import STAGES

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

GROUP = "Classify and rank"
DESCRIPTION = "Show which stages of a workspace are done."
EXAMPLES = "examples:\n  %(prog)s\n  %(prog)s --workspace hdfs:///user/me/mapsight\n"
USUAL = ("workspace",)
NEEDS = ()
FOR_OUTPUT = True
HEAD = ("stage", "state", "parts", "bytes", "seconds", "counters, applications")
TEXTS = (0, 1, 5)
SHOWN_COUNTERS = ("images", "archives", "explore", "annotations", "examples")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of status."""
    add_workspace_option(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Print a line for every stage of a workspace."""
    from driver.search.notices import changes_lines
    from driver.workspace.workspace import Workspace

    workspace = Workspace(options.workspace)
    try:
        workspace.require_workspace()
    except Failure as error:
        raise Failure(f"{error}{_elsewhere(options)}") from None
    documents = {name: workspace.committed(name) for name in STAGES}
    rows = [HEAD, *(_row(workspace, name, documents) for name in STAGES)]
    lines = [*table_lines(rows, TEXTS), *changes_lines(workspace)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _elsewhere(options: Namespace) -> str:
    """Return where that of -r hadoop would be, for those who have Hadoop and named none."""
    from mapsight.storage.hadoop_conf import hadoop_command

    usual = usual_workspace("hadoop")
    named = options.workspace != usual_workspace("local")
    return "" if named or not hadoop_command() else f"; with -r hadoop: --workspace {usual}"


def _row(
    workspace: Workspace, stage: str, documents: dict[str, dict[str, Any] | None]
) -> tuple[str, ...]:
    document = documents[stage]
    if document is None:
        fault = workspace.fault(stage)
        return stage, "damaged: run again" if fault else "not run", "", "", "", fault
    size = sum(part["bytes"] for part in document["parts"])
    parts, seconds = str(len(document["parts"])), f"{document['seconds']:,.1f}"
    notes = ", ".join([*_counts(document), *document.get("applications", [])])
    return stage, _state(workspace, document, documents), parts, f"{size:,}", seconds, notes


def _state(
    workspace: Workspace,
    document: dict[str, Any],
    documents: dict[str, dict[str, Any] | None],
) -> str:
    from mapsight.workspace.workspace import is_current

    if not is_current(workspace, document, documents):
        return "of an earlier run"
    return "done" if workspace.intact(document) else "damaged: run again"


def _counts(document: dict[str, Any]) -> list[str]:
    return [
        f"{key} {count:,}"
        for group, counters in sorted(document["counters"].items())
        if group in SHOWN_COUNTERS
        for key, count in sorted(counters.items())
    ]
